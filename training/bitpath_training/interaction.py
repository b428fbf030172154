"""CI-Net's interaction of channels."""

import torch
from torch import Tensor, nn

INTERACTION_THRESHOLD = 200.0
INTERACTION_STEP = 100.0


class ChannelInteraction(nn.Module):
    """CI-BCNN's interactions, in order and in place: a target moves where its source is beyond the threshold.

    Their gradient is the identity's: the steps have none. Which pairs interact is not published, and not learnt here: each
    channel moves its neighbour, even ones first, by +1 and -1 in turn.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        sources = [*range(0, channels, 2), *range(1, channels, 2)]
        pairs = [(c, c ^ 1 if c ^ 1 < channels else 0, 1 if (c // 2) % 2 == 0 else -1) for c in sources]
        self.register_buffer("pairs", torch.tensor(pairs, dtype=torch.int32))
        self.groups = independent_groups(pairs)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            y = x.float()
            for begin, end in self.groups:
                source, target, sign = self.pairs[begin:end].long().unbind(1)
                read = y[:, source]
                above, below = (read >= INTERACTION_THRESHOLD).float(), (read <= -INTERACTION_THRESHOLD).float()
                positive = (sign > 0)[:, None, None]
                change = INTERACTION_STEP * torch.where(positive, above - below, -(above + below))
                y = y.index_add(1, target, change)
            moved = (y - x.float()).to(x.dtype)
        return x + moved


def independent_groups(pairs: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    """Ranges of `pairs` in which no pair reads what another one of them writes: each can be done at once."""
    groups, begin, written = [], 0, set()
    for i, (source, target, _) in enumerate(pairs):
        if source in written:
            groups.append((begin, i))
            begin, written = i, set()
        written.add(target)
    return [*groups, (begin, len(pairs))]
