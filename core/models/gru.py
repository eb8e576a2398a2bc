"""A GRU that reads a digit row by row, in the two forms that are both called GRU.

Cho et al. (2014) published both: the first version of arXiv:1406.1078 resets behind the matrix
product, as PyTorch and cuDNN do, the last version before it. They have other results and can't be
given one another's weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.models.inspectable import Layer, Tap
from core.models.lstm import GATE, PIXELS, SIGNED, UNITS, RowByRow, Shuffled, by_row

__all__ = ["GRU", "GRUBefore", "ShuffledGRU", "ShuffledGRUBefore"]


class GRU(RowByRow):
    """28 rows of 28 pixels -> 64 units -> 10; 18,570 parameters. At each row x, from h:

        r = σ(Wᵣx + Uᵣh + bᵣ)    z = σ(W_zx + U_zh + b_z)
        n = tanh(W_nx + b_n + r ⊙ (U_nh + b_hn))
        h ← (1 − z) ⊙ n + z ⊙ h

    The form and the convention of `torch.nn.GRUCell`: the reset gate acts behind the matrix
    product, and z is the share of the old state that is kept.
    """

    name = "gru"
    described = (
        by_row("reset", "reset gate, after the sigmoid", GATE),
        by_row("update", "update gate, the share kept, after the sigmoid", GATE),
        by_row("candidate", "candidate, after the tanh", SIGNED),
        by_row("hidden", "hidden state", SIGNED),
        Layer("logits", 10, rectified=False),
    )

    def __init__(self) -> None:
        super().__init__()
        self.of_row = nn.Linear(PIXELS, 3 * UNITS)  # Wx + b of r, z and n, in PyTorch's order
        self.of_state = nn.Linear(UNITS, 3 * UNITS, bias=False)  # Uh
        self.reset, self.update, self.candidate, self.hidden = Tap(), Tap(), Tap(), Tap()
        self.logits = nn.Linear(UNITS, 10)
        self.candidate_bias = self.own_bias()

    def own_bias(self) -> nn.Parameter | None:
        """b_hn, which the reset gate acts on, drawn as PyTorch's; None where the form has none."""
        return nn.Parameter(torch.empty(UNITS).uniform_(-(UNITS**-0.5), UNITS**-0.5))

    def step(self, wx: Tensor, h: Tensor) -> Tensor:
        """The next h, (batch, units), from Wx + b (batch, 3 units) and the state before."""
        r_x, z_x, n_x = wx.chunk(3, dim=1)
        r_h, z_h, n_h = self.of_state(h).chunk(3, dim=1)
        r, z = self.reset((r_x + r_h).sigmoid()), self.update((z_x + z_h).sigmoid())
        n = self.candidate((n_x + r * (n_h + self.candidate_bias)).tanh())
        mixed: Tensor = self.hidden(n + z * (h - n))
        return mixed

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, 10), read from the hidden state behind the last row."""
        h = images.new_zeros(len(images), UNITS)
        for wx in self.of_row(self.rows(images)).unbind(1):
            h = self.step(wx, h)
        logits: Tensor = self.logits(h)
        return logits


class GRUBefore(GRU):
    """28 rows of 28 pixels -> 64 units -> 10; 18,506 parameters. `GRU`, but for the candidate:

        n = tanh(W_nx + U_n(r ⊙ h) + b_n)

    The reset gate acts on the state before the matrix product mixes its units.
    """

    name = "gru_before"

    def own_bias(self) -> None:
        """None: behind no gate, b_hn would only be added to b_n."""

    def step(self, wx: Tensor, h: Tensor) -> Tensor:
        """The next h, (batch, units), from Wx + b (batch, 3 units) and the state before."""
        of_gates, of_candidate = self.of_state.weight.split((2 * UNITS, UNITS))
        gates = (wx[:, : 2 * UNITS] + h @ of_gates.T).sigmoid()
        r, z = self.reset(gates[:, :UNITS]), self.update(gates[:, UNITS:])
        n = self.candidate((wx[:, 2 * UNITS :] + (r * h) @ of_candidate.T).tanh())
        mixed: Tensor = self.hidden(n + z * (h - n))
        return mixed


class ShuffledGRU(Shuffled, GRU):
    """The same GRU on shuffled rows."""

    name = "gru_shuffled"


class ShuffledGRUBefore(Shuffled, GRUBefore):
    """The same GRU, reset before the product, on shuffled rows."""

    name = "gru_before_shuffled"
