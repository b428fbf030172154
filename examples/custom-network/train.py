"""Trains the network of network.js on drawn shapes, and writes shapes.safetensors and recorded.json beside this file.

pip install torch safetensors numpy; takes some ten seconds on a CPU.
"""

import json
import subprocess
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

HERE = Path(__file__).parent
LABELS = ["disc", "ring", "square", "cross"]
STEPS = 300


class Sign(torch.autograd.Function):
    """+1 or -1, as bitpath's `sign` (0 is +1). The gradient passes where |x| <= 1."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient * (x.abs() <= 1)


class BinaryConv2d(nn.Conv2d):
    """Weights are their signs times the mean magnitude of each output channel: bitpath's `bits` and `scale`."""

    def scale(self) -> Tensor:
        return self.weight.detach().abs().mean(dim=(1, 2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(x, Sign.apply(self.weight) * self.scale()[:, None, None, None], None)


class Unit(nn.Module):
    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv = BinaryConv2d(channels, out, 3, stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(Sign.apply(x)))


class BiReal(nn.Module):
    """`biReal` of bitpath, with the same names of parameters."""

    def __init__(self, channels: int, out: int | None = None, stride: int = 1) -> None:
        super().__init__()
        out = out or channels
        self.u = Unit(channels, out, stride)
        self.down = nn.Identity()
        if stride > 1:
            self.down = nn.Sequential(nn.AvgPool2d(stride), nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        return self.u(x) + self.down(x)


class Shapes(nn.Module):
    """The network of network.js."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(16)
        self.body = nn.Sequential(BiReal(16), BiReal(16, 32, stride=2), BiReal(32))
        self.fc = nn.Linear(32, len(LABELS))

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.body(self.bn(self.conv(x))).mean(dim=(2, 3)))


def draw(count: int) -> tuple[Tensor, Tensor]:
    """Pictures [count, 1, 16, 16] of shapes somewhere, with noise, and their classes."""
    classes = torch.randint(len(LABELS), (count,))
    axis = torch.arange(16.0)
    centre = torch.randint(5, 11, (2, count, 1, 1))
    y, x = (axis[:, None] - centre[0]).abs(), (axis[None, :] - centre[1]).abs()
    radius = torch.randint(3, 6, (count, 1, 1))
    distance = (x**2 + y**2).sqrt()
    shapes = torch.stack(
        [
            distance <= radius,
            (distance <= radius) & (distance > radius - 1.5),
            torch.maximum(x, y) <= radius,
            (torch.maximum(x, y) <= radius) & (torch.minimum(x, y) <= 0.5),
        ]
    )
    pictures = shapes[classes, torch.arange(count)] + 0.3 * torch.randn(count, 16, 16)
    return pictures[:, None], classes


def train() -> Shapes:
    torch.manual_seed(0)
    network = Shapes()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    for _ in range(STEPS):
        pictures, classes = draw(64)
        loss = F.cross_entropy(network(pictures), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return network.eval()


def pack(weight: Tensor) -> Tensor:
    """[out, in, h, w] -> uint8 [out, bytes]: bits in (h, w, in) order, the lowest of a byte first, 1 for +1."""
    bits = (weight >= 0).permute(0, 2, 3, 1).flatten(1)
    bits = F.pad(bits, (0, -bits.shape[1] % 8)).unflatten(1, (-1, 8))
    return (bits * 2 ** torch.arange(8)).sum(dim=2).to(torch.uint8)


def tensors(network: Shapes) -> dict[str, Tensor]:
    """By the names of the graph: the state, with `bits` and `scale` for the weight of a 1-bit convolution."""
    found = {name: value for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    for name, module in network.named_modules():
        if isinstance(module, BinaryConv2d):
            found[f"{name}.bits"] = pack(found.pop(f"{name}.weight"))
            found[f"{name}.scale"] = module.scale()
    return found


def main() -> None:
    network = train()
    with torch.no_grad():
        pictures, classes = draw(2000)
        right = (network(pictures).argmax(dim=1) == classes).float().mean().item()
        print(f"{100 * right:.1f} % of {len(classes)} new pictures")

        graph = subprocess.run(["node", "network.js"], cwd=HERE, check=True, capture_output=True, text=True).stdout
        metadata = {
            "bitpath.format": "1",
            "bitpath.graph": graph,
            "bitpath.labels": json.dumps([{"id": name, "name": name} for name in LABELS]),
        }
        save_file(tensors(network), HERE / "shapes.safetensors", metadata)

        # Two decimals keep the file small; what is recorded is what was computed from.
        pictures = (draw(8)[0] * 100).round() / 100
        recorded = {
            "pictures": [[round(value, 2) for value in picture] for picture in pictures.flatten(1).tolist()],
            "logits": network(pictures).tolist(),
        }
        (HERE / "recorded.json").write_text(json.dumps(recorded) + "\n")


if __name__ == "__main__":
    main()
