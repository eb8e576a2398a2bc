"""When a digit is known: its class read out of a state at each row, by probes fitted for that row.

A probe is multinomial logistic regression, minimized by L-BFGS (`scipy.optimize`), fitted on some
digits and judged on others. It tells what a linear reader could know, not what the network uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import fmin_l_bfgs_b
from scipy.special import softmax
from torch.nn.functional import one_hot

from core.data import CLASSES
from core.statistics import wilson_interval

__all__ = [
    "PENALTY",
    "EarlyReading",
    "accuracy_by_row",
    "fit_probe",
    "fit_probes",
    "probabilities",
    "scores",
]

Array = NDArray[np.float64]

PENALTY = 1e-3  # λ of the loss, mean cross-entropy + λ/2 · Σw² of standardized units
_STEPS = 60  # of L-BFGS, at most, from where the row before ended; 300 bring 0.1 points more
_PRECISION = 1e9  # of L-BFGS: it stops when the loss falls by less than 2e-7 of itself
_SILENT = 1e-6  # standard deviation below which a unit is taken for constant


def fit_probes(values: ArrayLike, labels: ArrayLike) -> Array:
    """(rows, units + 1, classes): a probe for each row, its last line the biases.

    values: (n, units, rows). Each unit is standardized for the fit, so that a small state isn't
    penalized more; the weights given are those of the states as they are.
    """
    states = np.asarray(values, dtype=np.float64)
    found, start = [], None
    for row in range(states.shape[2]):
        probe, start = fit_probe(states[:, :, row], labels, start)
        found.append(probe)
    return np.stack(found)


def fit_probe(values: Array, labels: ArrayLike, start: Array | None = None) -> tuple[Array, Array]:
    """The probe (units + 1, classes) of states (n, units), and the same for standardized units.

    start: where to begin, such as the second of what another row gave; the minimum is one.
    """
    middle, spread = values.mean(0), values.std(0)
    spread = np.where(spread > _SILENT, spread, np.inf)
    x = torch.from_numpy(
        (values - middle) / spread
    ).float()  # PyTorch is ten times as fast as NumPy here
    hot = one_hot(torch.as_tensor(labels), CLASSES).to(x.dtype)

    def loss(flat: Array) -> tuple[float, Array]:
        weights = torch.from_numpy(flat).float().view(-1, CLASSES)
        logs = (x @ weights[:-1] + weights[-1]).log_softmax(1)
        error = (logs.exp() - hot) / len(x)
        slope = torch.cat([x.T @ error + PENALTY * weights[:-1], error.sum(0, keepdim=True)])
        value = PENALTY / 2 * weights[:-1].square().sum() - (logs * hot).sum() / len(x)
        return float(value), slope.flatten().double().numpy()

    begun = np.zeros((x.shape[1] + 1, CLASSES)) if start is None else start
    found = fmin_l_bfgs_b(loss, begun.ravel(), maxiter=_STEPS, factr=_PRECISION)[0]
    standard = found.reshape(-1, CLASSES)
    weights = standard[:-1] / spread[:, None]
    return np.vstack([weights, standard[-1] - middle @ weights]), standard


def scores(probes: ArrayLike, values: ArrayLike) -> Array:
    """(n, rows, classes): logits of each row's probe. values: (n, units, rows)."""
    each = np.asarray(probes)
    read = np.einsum("nur,ruc->nrc", np.asarray(values), each[:, :-1], optimize=True)
    return np.asarray(read + each[:, -1])


def probabilities(logits: ArrayLike) -> Array:
    """The softmax over the last axis."""
    return np.asarray(softmax(np.asarray(logits, dtype=np.float64), axis=-1))


def accuracy_by_row(logits: ArrayLike, labels: ArrayLike) -> Array:
    """(rows,): share of digits whose highest logit is their class. logits: (n, rows, classes)."""
    answers = np.asarray(logits).argmax(2)
    return np.asarray((answers == np.asarray(labels)[:, None]).mean(0))


@dataclass(frozen=True)
class EarlyReading:
    """How well the class is read out of the hidden state behind each row.

    accuracy: by reader, (rows,): the network's own "head", a "probe" fitted for each row, and the
    "untrained" network's probe. probes: (rows, units + 1, classes). digits: how many were judged.
    """

    accuracy: Mapping[str, Array]
    probes: Array
    digits: int

    def table(self, shuffled: EarlyReading | None = None) -> pd.DataFrame:
        """A row for each reader and row: row, reader, accuracy and its 95 % interval.

        shuffled: the same of a network that reads the rows in another order.
        """
        of = dict(self.accuracy)
        if shuffled is not None:
            of |= {f"shuffled {name}": shuffled.accuracy[name] for name in ("head", "probe")}
        rows = [
            (row, reader, share, *wilson_interval(round(share * self.digits), self.digits))
            for reader, curve in of.items()
            for row, share in enumerate(curve.tolist())
        ]
        return pd.DataFrame(rows, columns=["row", "reader", "accuracy", "low", "high"])
