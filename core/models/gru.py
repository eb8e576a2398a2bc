"""A GRU that reads a digit row by row, in the two forms that are both called GRU.

Cho et al. (2014) published both: the first version of arXiv:1406.1078 resets behind the matrix
product, as PyTorch and cuDNN do, the last version before it. They have other results and can't be
given one another's weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from core.models.inspectable import Layer, Tap
from core.models.lstm import GATE, SIGNED, RecurrentSettings, RowByRow
from core.models.settings import DIGITS, DataFormat, Sizes, dense, setting, summed

__all__ = ["GRU", "GRUBefore", "GRUSettings"]


@dataclass(frozen=True)
class GRUSettings(RecurrentSettings):
    """Of a GRU. reset: at which side of the matrix product the reset gate acts."""

    architecture = "gru"
    title = "GRU"

    reset: str = setting(
        "after",
        "Reset",
        choices=("after", "before"),
        help="Whether the reset gate acts after the matrix product, as in PyTorch, or before it, "
        "as in Cho et al. (2014).",
    )

    def sizes(self, data: DataFormat) -> Sizes:
        """Three gates of a row, three of the state without biases, b_hn, and the logits."""
        row, own = data.channels * data.width, self.width if self.reset == "after" else 0
        state = 3 * self.width * self.width, own
        return summed(dense(row, 3 * self.width), state, dense(self.width, data.classes))

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """The gates, the state and the logits."""
        return (
            self.by_row(data, "reset", "reset gate, after the sigmoid", GATE),
            self.by_row(data, "update", "update gate, the share kept, after the sigmoid", GATE),
            self.by_row(data, "candidate", "candidate, after the tanh", SIGNED),
            self.by_row(data, "hidden", "hidden state", SIGNED),
            Layer("logits", data.classes, rectified=False),
        )

    def network(self, data: DataFormat = DIGITS) -> GRU:
        """The network in this form."""
        return (GRU if self.reset == "after" else GRUBefore)(self, data)


class GRU(RowByRow):
    """28 rows of 28 pixels -> 64 units -> 10; 18,570 parameters. At each row x, from h:

        r = σ(Wᵣx + Uᵣh + bᵣ)    z = σ(W_zx + U_zh + b_z)
        n = tanh(W_nx + b_n + r ⊙ (U_nh + b_hn))
        h ← (1 − z) ⊙ n + z ⊙ h

    The form and the convention of `torch.nn.GRUCell`: the reset gate acts behind the matrix
    product, and z is the share of the old state that is kept.
    """

    name = "gru"
    settings: GRUSettings

    def __init__(self, settings: GRUSettings, data: DataFormat = DIGITS) -> None:
        super().__init__(settings, data)
        units = settings.width
        # Wx + b of r, z and n, in PyTorch's order
        self.of_row = nn.Linear(data.channels * data.width, 3 * units)
        self.of_state = nn.Linear(units, 3 * units, bias=False)  # Uh
        self.reset, self.update, self.candidate, self.hidden = Tap(), Tap(), Tap(), Tap()
        self.logits = nn.Linear(units, data.classes)
        self.candidate_bias = self.own_bias()

    def own_bias(self) -> nn.Parameter | None:
        """b_hn, which the reset gate acts on, drawn as PyTorch's; None where the form has none."""
        units = self.settings.width
        return nn.Parameter(torch.empty(units).uniform_(-(units**-0.5), units**-0.5))

    def step(self, wx: Tensor, h: Tensor) -> Tensor:
        """The next h, (batch, units), from Wx + b (batch, 3 units) and the state before."""
        r_x, z_x, n_x = wx.chunk(3, dim=1)
        r_h, z_h, n_h = self.of_state(h).chunk(3, dim=1)
        r, z = self.reset((r_x + r_h).sigmoid()), self.update((z_x + z_h).sigmoid())
        n = self.candidate((n_x + r * (n_h + self.candidate_bias)).tanh())
        mixed: Tensor = self.hidden(n + z * (h - n))
        return mixed

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, 10), read from the hidden state after the last row."""
        h = images.new_zeros(len(images), self.settings.width)
        for wx in self.of_row(self.rows(images)).unbind(1):
            h = self.step(wx, h)
        logits: Tensor = self.logits(h)
        return logits


class GRUBefore(GRU):
    """28 rows of 28 pixels -> 64 units -> 10; 18,506 parameters. `GRU`, but for the candidate:

        n = tanh(W_nx + U_n(r ⊙ h) + b_n)

    The reset gate acts on the state before the matrix product mixes its units.
    """

    def own_bias(self) -> None:
        """None: behind no gate, b_hn would only be added to b_n."""

    def step(self, wx: Tensor, h: Tensor) -> Tensor:
        """The next h, (batch, units), from Wx + b (batch, 3 units) and the state before."""
        units = self.settings.width
        of_gates, of_candidate = self.of_state.weight.split((2 * units, units))
        gates = (wx[:, : 2 * units] + h @ of_gates.T).sigmoid()
        r, z = self.reset(gates[:, :units]), self.update(gates[:, units:])
        n = self.candidate((wx[:, 2 * units :] + (r * h) @ of_candidate.T).tanh())
        mixed: Tensor = self.hidden(n + z * (h - n))
        return mixed
