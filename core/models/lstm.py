"""An LSTM that reads a digit row by row: 28 steps of 28 pixels, the class read from the last.

Hochreiter & Schmidhuber (1997, Neural Computation 9:1735) with the forget gate of Gers,
Schmidhuber & Cummins (2000). `torch.nn.LSTMCell` has the same formulas with a second bias.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.models.inspectable import Inspectable, Layer, Tap

__all__ = [
    "GATE",
    "LSTM",
    "PIXELS",
    "ROWS",
    "SIGNED",
    "UNITS",
    "RowByRow",
    "Shuffled",
    "ShuffledLSTM",
    "by_row",
]

ROWS, PIXELS, UNITS = 28, 28, 64
GATE, SIGNED = (0.0, 1.0), (-1.0, 1.0)  # the ranges of a sigmoid and of tanh


def by_row(name: str, read: str, bounds: tuple[float, float] | None = None) -> Layer:
    """A layer of a recurrent network, whose units have a value at each row of the image."""
    return Layer(name, UNITS, (ROWS, 1), rectified=False, steps=True, bounds=bounds, read=read)


class RowByRow(Inspectable):
    """A network that reads an image row by row and keeps a state between rows."""

    def rows(self, images: Tensor) -> Tensor:
        """(batch, rows, pixels) of images (batch, 1, 28, 28), in the order they are read."""
        return images[:, 0]


class Shuffled(RowByRow):
    """Rows in an order drawn once, the same for all digits: what the order of rows is worth."""

    ORDER = torch.randperm(ROWS, generator=torch.Generator().manual_seed(0))

    def rows(self, images: Tensor) -> Tensor:
        """(batch, rows, pixels), shuffled: row t of a map is image row `ORDER[t]`."""
        return images[:, 0, self.ORDER]


class LSTM(RowByRow):
    """28 rows of 28 pixels -> 64 units -> 10; 24,458 parameters. At each row x, from h and c:

        i = σ(Wᵢ[x; h] + bᵢ)    f = σ(W_f[x; h] + b_f)    o = σ(Wₒ[x; h] + bₒ)
        g = tanh(W_g[x; h] + b_g)
        c ← f ⊙ c + i ⊙ g
        h ← o ⊙ tanh c

    b_f begins at 1, so that an untrained cell remembers (Gers et al. 2000).
    """

    name = "lstm"
    described = (
        by_row("input", "input gate, after the sigmoid", GATE),
        by_row("forget", "forget gate, after the sigmoid", GATE),
        by_row("candidate", "candidate, after the tanh", SIGNED),
        by_row("cell", "cell state"),
        by_row("output", "output gate, after the sigmoid", GATE),
        by_row("hidden", "hidden state", SIGNED),
        Layer("logits", 10, rectified=False),
    )

    def __init__(self) -> None:
        super().__init__()
        self.of_row = nn.Linear(PIXELS, 4 * UNITS)  # Wx + b of i, f, g and o, in PyTorch's order
        self.of_state = nn.Linear(UNITS, 4 * UNITS, bias=False)  # Wh
        with torch.no_grad():
            self.of_row.bias[UNITS : 2 * UNITS] = 1.0
        self.input, self.forget, self.candidate, self.output = Tap(), Tap(), Tap(), Tap()
        self.cell, self.hidden = Tap(), Tap()
        self.logits = nn.Linear(UNITS, 10)

    def step(self, wx: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """The next h and c, (batch, units), from Wx + b (batch, 4 units) and the state before."""
        i, f, g, o = (wx + self.of_state(h)).chunk(4, dim=1)
        i, f, o = self.input(i.sigmoid()), self.forget(f.sigmoid()), self.output(o.sigmoid())
        c = self.cell(f * c + i * self.candidate(g.tanh()))
        return self.hidden(o * c.tanh()), c

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, 10), read from the hidden state after the last row."""
        h = c = images.new_zeros(len(images), UNITS)
        for wx in self.of_row(self.rows(images)).unbind(1):
            h, c = self.step(wx, h, c)
        logits: Tensor = self.logits(h)
        return logits


class ShuffledLSTM(Shuffled, LSTM):
    """The same LSTM on shuffled rows."""

    name = "lstm_shuffled"
