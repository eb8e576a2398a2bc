"""What a network answers when a gate decides otherwise: without an expert, by one alone, mixed up.

Nothing is learned again: the weights are as trained, and only the gate's decision is replaced on
its way. So an answer that changes is one that the decision was needed for, in this network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from core.activations import Images, run
from core.arguments import seeded, whole
from core.data import CLASSES, DataSet
from core.interventions.answers import accuracy_row
from core.interventions.controls import range_of_others
from core.interventions.donors import within_groups
from core.interventions.edits import Edits, Unit, exchanged, held
from core.interventions.effects import EffectTable, PairedChange
from core.models.gated import Gated
from core.surroundings import undisturbed
from core.text import literal

__all__ = [
    "WAYS",
    "GateAnswers",
    "GateDependence",
    "GateInterventions",
    "alike",
    "alone",
    "changed_weights",
    "rerouted",
    "without",
]

Answers = NDArray[np.int8]
Numbers = NDArray[np.float64]
WAYS = ("removed", "alone")

_DECIDED = {
    "intact": "the gate as trained",
    "akin": "weights for another digit of the same class",
    "another": "weights for another digit",
    "even": "equal weights, 1/N",
}
_NEVER = -1e9  # a score that no other is below: e to this power is 0


@dataclass(frozen=True)
class GateAnswers:
    """Answers to n digits, int8, the gate left alone and with other decisions.

    intact, another, akin, even: (n,): as decided; with the weights of a random other digit; of a
    random other digit of the same class; with all experts weighed 1 / N. removed, alone:
    (experts, n): without each expert, and by each expert only.
    """

    intact: Answers
    another: Answers
    akin: Answers
    even: Answers
    removed: Answers
    alone: Answers


@undisturbed()
def rerouted(
    model: nn.Module, digits: DataSet, gate: str | None = None, seed: int = 0
) -> GateAnswers:
    """What the model answers to digits when one of its gates decides otherwise.

    gate: name of the layer that holds its weights; None for the last one. seed: of the draw of
    other digits.

    Raises `TypeError` for a model without gates, and `ValueError` for an unknown gate, a single
    expert, no digits, and a seed that is none.
    """
    (name, count), seed = _gate(model, gate), seeded(seed)
    images, labels = digits.images, digits.labels.numpy()
    experts = range(count)
    return GateAnswers(
        intact=_answers(model, images, {}),
        another=changed_weights(model, images, within_groups(np.zeros(len(labels)), seed), name),
        akin=changed_weights(model, images, within_groups(labels, seed), name),
        even=alike(model, images, name),
        removed=np.stack([without(model, images, each, name) for each in experts]),
        alone=np.stack([alone(model, images, each, name) for each in experts]),
    )


def without(model: nn.Module, images: Images, expert: int, gate: str | None = None) -> Answers:
    """Answers (n,) without an expert: its digits go to the next best, as the gate's scores say.

    Raises as `rerouted`, also for an expert that isn't there.
    """
    name, experts = _gate(model, gate)
    if experts == 1:
        raise ValueError(
            "a single expert can't be removed, for nothing would be left to answer: choose a "
            "mixture of at least 2 experts."
        )
    return _answers(model, images, held([(_scores(name), expert)], _NEVER))


def alone(model: nn.Module, images: Images, expert: int, gate: str | None = None) -> Answers:
    """Answers (n,) when the gate gives every digit to one expert. Raises as `without`."""
    name, experts = _gate(model, gate)
    expert = whole(expert, "expert")
    if not 0 <= expert < experts:
        raise ValueError(f"there is no expert {expert}: choose 0 to {experts - 1}.")
    others = [(_scores(name), each) for each in range(experts) if each != expert]
    return _answers(model, images, held(others, _NEVER))


def alike(model: nn.Module, images: Images, gate: str | None = None) -> Answers:
    """Answers (n,) when every expert has the weight 1 / N, also those that weren't chosen."""
    name, experts = _gate(model, gate)
    return _answers(model, images, held(_units(name, experts), 1 / experts))


def changed_weights(
    model: nn.Module, images: Images, order: ArrayLike, gate: str | None = None
) -> Answers:
    """Answers (n,) when digit i is given the gate's weights of digit order[i].

    Raises `ValueError` for an order of another length, and as `rerouted`.
    """
    (name, count), given = _gate(model, gate), np.asarray(order)
    if given.shape != (len(images),):
        raise ValueError(
            f"order has shape {given.shape}: give one digit for each of {len(images)}."
        )
    donors = torch.from_numpy(given.astype(np.int64))
    return _answers(model, images, exchanged(_units(name, count), donors))


def _answers(model: nn.Module, images: Images, edits: Edits) -> Answers:
    """The class with the highest logit, (n,)."""
    answers: Answers = run(model, images, edits).argmax(1).numpy().astype(np.int8)
    return answers


def _gate(model: nn.Module, gate: str | None) -> tuple[str, int]:
    """The gate's layer, the last one unless named, and how many experts it has."""
    if not isinstance(model, Gated):
        raise TypeError(f"{type(model).__name__} has no gate: choose a mixture of experts.")
    if gate is not None and gate not in model.gates:
        raise ValueError(f"{literal(gate)} is no gate: choose {' or '.join(model.gates)}.")
    return gate or model.gates[-1], model.routing.experts


def _units(layer: str, count: int) -> list[Unit]:
    """All units of a layer that has `count`."""
    return [(layer, unit) for unit in range(count)]


def _scores(gate: str) -> str:
    """The layer that holds the gate's scores."""
    return f"scores{gate.removeprefix('gate')}"


@dataclass(frozen=True)
class GateDependence:
    """What the answer uses of the weights that the gate gives a digit, on the confirmation half.

    intact, akin, another, even: accuracy with the gate as trained, with the weights for another
    digit of the same class, for any other digit, and equal ones. best: of the best single expert.
    low, high: 95 % interval of akin − intact, paired. uses: "nothing" where any digit's weights
    work as well, "class" where those of the same class do, else "digit".
    """

    intact: float
    akin: float
    another: float
    even: float
    best: float
    low: float
    high: float
    uses: str


@dataclass(frozen=True)
class GateInterventions:
    """Answers when one gate decides otherwise, and classes, of the digits of each half, by name."""

    answers: Mapping[str, GateAnswers]
    labels: Mapping[str, Answers]

    @property
    def experts(self) -> int:
        """How many experts the gate chooses from."""
        return len(self.answers["confirmation"].removed)

    @property
    def digits(self) -> int:
        """How many are judged."""
        return len(self.labels["confirmation"])

    def right(self, of: str, half: str = "confirmation") -> NDArray[np.bool_]:
        """Which digits are told right when rerouted so, bool (n,) or (experts, n)."""
        answers: Answers = getattr(self.answers[half], of)
        right: NDArray[np.bool_] = answers == self.labels[half]
        return right

    def accuracies(self) -> pd.DataFrame:
        """A row for each decision, on the confirmation half.

        Columns: decision, kind, accuracy, low, high (Wilson's 95 % interval), change (to the gate
        as trained), change low, change high (paired).
        """
        names = [*_DECIDED.values(), *(f"expert {at} alone" for at in range(self.experts))]
        kinds = ["the gate"] * len(_DECIDED) + ["one expert"] * self.experts
        right = np.stack([*map(self.right, _DECIDED), *self.right("alone")])
        rows = [accuracy_row(int(of.sum()), len(of)) for of in right]
        table = pd.DataFrame({"decision": names, "kind": kinds}).join(pd.DataFrame(rows))
        return table.assign(**PairedChange.between(self.right("intact"), right).columns())

    def dependence(self) -> GateDependence:
        """Whether the answer depends on the gate's weights, and on more of them than the class.

        Weights of other digits work as well unless the interval of the change lies below 0.
        """
        intact = self.right("intact")
        shares = {name: float(self.right(name).mean()) for name in _DECIDED}
        changed = (PairedChange.between(intact, self.right(name)) for name in ("akin", "another"))
        (low, high), (_, most) = (tuple(map(float, of.interval)) for of in changed)
        if most >= 0:
            uses = "nothing"
        elif high >= 0:
            uses = "class"
        else:
            uses = "digit"
        best = float(self.right("alone").mean(1).max())
        return GateDependence(**shares, best=best, low=low, high=high, uses=uses)

    def effects(self) -> pd.DataFrame:
        """A row for each expert and class: what its removal changes of the class's accuracy.

        Control: the removal of another expert instead. See `EffectTable.table`.
        """
        return self._effects().table()

    def specialties(self) -> pd.DataFrame:
        """A row for each expert: the class hurt most on the discovery half, judged on the other.

        Experts that hurt none there, such as those that take no digit, have no row. needed: whether
        the whole interval lies below the removal of every other expert.
        """
        chosen = self._effects().specialties()
        return chosen[chosen["discovery"] < 0].reset_index(drop=True)

    def _effects(self) -> EffectTable:
        """What removing each expert changes, beside the removal of the others."""
        earlier, now = (self._removed(half) for half in ("discovery", "confirmation"))
        parts = {"expert": np.arange(self.experts)}
        return EffectTable(parts, earlier, now, range_of_others(now.change))

    def _removed(self, half: str) -> PairedChange:
        """What removing each expert changes, (experts, classes)."""
        intact, removed = self.right("intact", half), self.right("removed", half)
        return PairedChange.by_class(intact, removed, self.labels[half], CLASSES)

    def costs(self) -> pd.DataFrame:
        """A row for each expert: what its removal changes of the accuracy on all digits."""
        overall = self._removed("confirmation").overall
        return pd.DataFrame(overall.columns()).assign(expert=range(self.experts))

    def cost_range(self) -> tuple[float, float, int]:
        """The least and the most accuracy that removing an expert costs, and which costs most."""
        change = self.costs()["change"]
        return 0 - float(change.max()), -float(change.min()), int(change.argmin())

    def costliest(self) -> int:
        """The expert whose removal costs most on the discovery half."""
        return int(self.right("removed", "discovery").mean(1).argmin())

    def confusion(self, expert: int, way: str) -> pd.DataFrame:
        """A row for each class and answer when the expert is removed or answers alone.

        Columns: class, answer, count, intact (count with the gate as trained), difference, share
        (of the class). Raises `ValueError` for another way.
        """
        now = self._crossed(self._of(expert, way))
        before = self._crossed(self.answers["confirmation"].intact)
        label, answer = (axis.ravel() for axis in np.indices(now.shape))
        return pd.DataFrame(
            {
                "class": label,
                "answer": answer,
                "count": now.ravel(),
                "intact": before.ravel(),
                "difference": (now - before).ravel(),
                "share": (now / np.maximum(now.sum(1, keepdims=True), 1)).ravel(),
            }
        )

    def lost(self, expert: int, way: str) -> pd.DataFrame:
        """A row for each digit of the confirmation half that is then no longer told right.

        Columns: digit (its number in that half), class, answer.
        """
        answers, labels = self._of(expert, way), self.labels["confirmation"]
        lost = np.flatnonzero(self.right("intact") & (answers != labels))
        return pd.DataFrame({"digit": lost, "class": labels[lost], "answer": answers[lost]})

    def _of(self, expert: int, way: str) -> Answers:
        """Answers (n,) on the confirmation half."""
        if way not in WAYS:
            raise ValueError(f"{literal(way)} is not known: choose {' or '.join(WAYS)}.")
        answers: Answers = getattr(self.answers["confirmation"], way)[expert]
        return answers

    def _crossed(self, answers: Answers) -> NDArray[np.int64]:
        """Counts (class, answer)."""
        cells = CLASSES * self.labels["confirmation"].astype(np.int64) + answers
        return np.bincount(cells, minlength=CLASSES**2).reshape(CLASSES, CLASSES)
