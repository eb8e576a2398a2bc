"""An LSTM that reads a digit row by row: 28 steps of 28 pixels, the class read from the last.

Hochreiter & Schmidhuber (1997, Neural Computation 9:1735) with the forget gate of Gers,
Schmidhuber & Cummins (2000). `torch.nn.LSTMCell` has the same formulas with a second bias.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn

from core.models.inspectable import Inspectable, Layer, Tap
from core.models.settings import DIGITS, DataFormat, Descent, Sizes, dense, setting, summed

__all__ = [
    "GATE",
    "LSTM",
    "PIXELS",
    "ROWS",
    "SIGNED",
    "UNITS",
    "LSTMSettings",
    "RecurrentSettings",
    "RowByRow",
    "shuffled_order",
]

ROWS, PIXELS, UNITS = 28, 28, 64
GATE, SIGNED = (0.0, 1.0), (-1.0, 1.0)  # the ranges of a sigmoid and of tanh


def shuffled_order(rows: int = ROWS) -> Tensor:
    """int64 (rows,): an order of rows, always the same one."""
    return torch.randperm(rows, generator=torch.Generator().manual_seed(0))


@dataclass(frozen=True)
class RecurrentSettings(Descent):
    """Of a network that reads an image row by row.

    width: units of the state. shuffled: whether rows are read in `shuffled_order`, the same for all
    images: what the order of rows is worth.
    """

    # networks which read row by row stand a fast rate, and need it to learn in a minute
    rates = MappingProxyType({**Descent.rates, "adam": 8e-3})

    width: int = setting(UNITS, "Units", low=1, high=512, step=1, help="Units of the state.")
    shuffled: bool = setting(
        False,
        "Rows shuffled",
        help="Rows are read in an order drawn once, the same for all images: what the order of "
        "rows is worth.",
    )
    epochs: int = 6
    optimizer: str = "adam"

    def by_row(
        self, data: DataFormat, name: str, read: str, bounds: tuple[float, float] | None = None
    ) -> Layer:
        """A layer whose units have a value at each row of the image."""
        rows = (data.height, 1)
        return Layer(name, self.width, rows, rectified=False, steps=True, bounds=bounds, read=read)


@dataclass(frozen=True)
class LSTMSettings(RecurrentSettings):
    """Of an LSTM."""

    architecture = "lstm"
    title = "LSTM"

    def sizes(self, data: DataFormat) -> Sizes:
        """Four gates of a row, four of the state without biases, and the logits."""
        row, state = data.channels * data.width, (4 * self.width * self.width, 0)
        return summed(dense(row, 4 * self.width), state, dense(self.width, data.classes))

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """The gates, both states and the logits."""
        return (
            self.by_row(data, "input", "input gate, after the sigmoid", GATE),
            self.by_row(data, "forget", "forget gate, after the sigmoid", GATE),
            self.by_row(data, "candidate", "candidate, after the tanh", SIGNED),
            self.by_row(data, "cell", "cell state"),
            self.by_row(data, "output", "output gate, after the sigmoid", GATE),
            self.by_row(data, "hidden", "hidden state", SIGNED),
            Layer("logits", data.classes, rectified=False),
        )

    def network(self, data: DataFormat = DIGITS) -> LSTM:
        """The network."""
        return LSTM(self, data)


class RowByRow(Inspectable):
    """A network that reads an image row by row and keeps a state between rows.

    order: of the rows, where they are shuffled; row t of a map is then image row `order[t]`.
    """

    settings: RecurrentSettings

    def __init__(self, settings: RecurrentSettings, data: DataFormat) -> None:
        super().__init__()
        self.settings, self.described = settings, settings.describe(data)
        self.order = shuffled_order(data.height) if settings.shuffled else None

    def rows(self, images: Tensor) -> Tensor:
        """(batch, rows, channels * columns) of images, in the order they are read."""
        rows = images.transpose(1, 2).flatten(2)
        return rows if self.order is None else rows[:, self.order]


class LSTM(RowByRow):
    """28 rows of 28 pixels -> 64 units -> 10; 24,458 parameters. At each row x, from h and c:

        i = σ(Wᵢ[x; h] + bᵢ)    f = σ(W_f[x; h] + b_f)    o = σ(Wₒ[x; h] + bₒ)
        g = tanh(W_g[x; h] + b_g)
        c ← f ⊙ c + i ⊙ g
        h ← o ⊙ tanh c

    b_f begins at 1, so that an untrained cell remembers (Gers et al. 2000).
    """

    name = "lstm"

    def __init__(self, settings: LSTMSettings, data: DataFormat = DIGITS) -> None:
        super().__init__(settings, data)
        units = settings.width
        # Wx + b of i, f, g and o, in PyTorch's order
        self.of_row = nn.Linear(data.channels * data.width, 4 * units)
        self.of_state = nn.Linear(units, 4 * units, bias=False)  # Wh
        with torch.no_grad():
            self.of_row.bias[units : 2 * units] = 1.0
        self.input, self.forget, self.candidate, self.output = Tap(), Tap(), Tap(), Tap()
        self.cell, self.hidden = Tap(), Tap()
        self.logits = nn.Linear(units, data.classes)

    def step(self, wx: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """The next h and c, (batch, units), from Wx + b (batch, 4 units) and the state before."""
        i, f, g, o = (wx + self.of_state(h)).chunk(4, dim=1)
        i, f, o = self.input(i.sigmoid()), self.forget(f.sigmoid()), self.output(o.sigmoid())
        c = self.cell(f * c + i * self.candidate(g.tanh()))
        return self.hidden(o * c.tanh()), c

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, 10), read from the hidden state after the last row."""
        h = c = images.new_zeros(len(images), self.settings.width)
        for wx in self.of_row(self.rows(images)).unbind(1):
            h, c = self.step(wx, h, c)
        logits: Tensor = self.logits(h)
        return logits
