"""What routing decides and what it is worth: other iterations, wrong coefficients, no routing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.architectures.capsules import routing
from core.interventions.answers import accuracy_row
from core.interventions.effects import PairedChange
from core.models.capsules import Capsules
from core.models.inspectable import Inspectable

__all__ = ["TRIED", "RoutingComparison", "RoutingEffects", "of_capsules", "routing_name"]

Numbers = NDArray[np.float64]


TRIED = (1, 2, 3, 5)  # iterations of routing


def routing_name(iterations: int) -> str:
    """A number of iterations in words."""
    return f"{iterations} iterations" if iterations > 1 else "1 iteration: all c equal"


def of_capsules(model: Inspectable) -> Capsules:
    """The model, if it has capsules."""
    if not isinstance(model, Capsules):
        raise TypeError(f"{type(model).__name__} has no capsules: choose the model capsules.")
    return model


@dataclass(frozen=True)
class RoutingEffects:
    """What routing does to the confirmation half.

    digits: how many. trained: the iterations with which the network was trained. iterations: with
    which it was tried; right: digits told right with each. misrouted: with the coefficients of
    another digit, and with the digit's own in another order. decided: (networks, iterations,
    measures), trained and untrained, see `capsules.decisiveness`. module: what the course module's
    forms give.
    """

    digits: int
    trained: int
    iterations: tuple[int, ...]
    right: NDArray[np.int64]
    misrouted: NDArray[np.int64]
    decided: Numbers
    module: routing.OfTheModule

    def accuracies(self) -> pd.DataFrame:
        """A row for each way to route: accuracy with Wilson's interval."""
        names = [routing_name(each) for each in self.iterations]
        wrong = ["c of another digit", "c of other inputs"]
        rows = [
            {"routing": name, "control": at >= len(names), **accuracy_row(int(hits), self.digits)}
            for at, (name, hits) in enumerate(
                zip([*names, *wrong], [*self.right, *self.misrouted], strict=True)
            )
        ]
        return pd.DataFrame(rows)

    def decisions(self) -> pd.DataFrame:
        """A row for each network and iteration: the measures of `capsules.decisiveness`."""
        frames = [
            pd.DataFrame(of, columns=list(routing.MEASURES)).assign(
                network=network, iteration=range(1, len(of) + 1)
            )
            for network, of in zip(("trained", "untrained"), self.decided, strict=True)
        ]
        return pd.concat(frames, ignore_index=True)


@dataclass(frozen=True)
class RoutingComparison:
    """Which digits of the confirmation half two networks tell right, bool (n,) each.

    routed: trained with several iterations. unrouted: trained with one, all coefficients equal.
    """

    routed: NDArray[np.bool_]
    unrouted: NDArray[np.bool_]

    def accuracies(self) -> pd.DataFrame:
        """A row for each network, with Wilson's interval."""
        named = {"trained with routing": self.routed, "trained without": self.unrouted}
        return pd.DataFrame(
            [
                {"network": name, **accuracy_row(int(of.sum()), len(of))}
                for name, of in named.items()
            ]
        )

    @property
    def only(self) -> tuple[int, int]:
        """Digits that only the routed network tells right, and only the other."""
        return int(self._changed.won), int(self._changed.lost)

    @property
    def p_value(self) -> float:
        """Of as uneven a split of the digits that only one tells right (McNemar's exact test)."""
        return self._changed.p_value

    @property
    def _changed(self) -> PairedChange:
        """What routing changes."""
        return PairedChange.between(self.unrouted, self.routed)
