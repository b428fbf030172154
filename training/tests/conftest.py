"""These tests need PyTorch. Without it they are skipped, and the last lines say so."""

import importlib.util

HAS_TORCH = importlib.util.find_spec("torch") is not None
collect_ignore_glob = [] if HAS_TORCH else ["test_*.py"]


if HAS_TORCH:
    import torch

    # It says for every convolution that it does not know the CPU, where it does not.
    torch.backends.nnpack.set_flags(False)


def pytest_terminal_summary(terminalreporter):
    if not HAS_TORCH:
        terminalreporter.section("ATTENTION", red=True, bold=True)
        terminalreporter.line(
            "PyTorch is not installed: NO TEST OF training/ RAN. Install it with: pip install -e training[dev]"
        )


def pytest_sessionfinish(session, exitstatus):
    if not HAS_TORCH and exitstatus == 5:  # no tests collected
        session.exitstatus = 0
