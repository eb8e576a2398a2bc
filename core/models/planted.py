"""A network with a planted answer: it is known which of its units carry the crossbar of a seven.

    model = train("planted", load("mnist", "fit"), seed=3)
    planted(model)  # what was planted, and the units by name

It is an exercise for people, and a check of every procedure that claims to find such units.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from core.data import DataSet
from core.data.concepts import measure
from core.models.inspectable import Inspectable, Layer, SelfOrganizing, Stages
from core.models.settings import DIGITS, DataFormat, Settings, Sizes, dense, setting, summed
from core.units import UnitId

__all__ = ["ANSWERS", "CONCEPT", "DRAWN", "Planted", "PlantedAnswer", "PlantedSettings", "planted"]

CONCEPT, SEVEN, FOUR, MISREAD = "crossed-7", 7, 4, 2
DRAWN = "drawn"
ANSWERS: Mapping[str, str] = MappingProxyType(
    {
        "single": "One unit carries the crossbar, and nothing else does.",
        "pair": "Two units carry the crossbar, and each does so alone: only without both of them "
        "are crossed sevens misread.",
        "decoy": "One unit carries the crossbar. Another tells it as well, but nothing reads that "
        "unit.",
        "rotated": "A direction carries the crossbar, which a random rotation has spread over all "
        "units of the layer: no unit does.",
        "and": "Two units, one for every seven and one for every four and crossed seven, are "
        "joined by a third, which is active only where both are: without any of the three, crossed "
        "sevens are misread.",
    }
)
_ROLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "single": ("carries it",),
        "pair": ("carries it", "carries it as well"),
        "decoy": ("carries it", "decoy"),
        "rotated": (),
        "and": ("active on sevens", "active on fours and crossed sevens", "active where both are"),
    }
)
LAYERS = ("linear_0", "linear_1", "linear_2", "linear_3")
INPUTS, CARRIERS = LAYERS[1], LAYERS[2]  # of the two that are joined, and of all other answers

_LEVEL = 5.0  # activation where the concept is, and its negative where it isn't
_BOTH = 1.25  # levels that two joined units need together
_WEIGHT = 4.0  # to the logits: 2 · 4 · 5 is more than the other units' margin
_BATCH, _MORE = 250, 32  # digits a step, and crossed sevens in addition, of which there are few
_RATE = 2e-3  # of Adam


@dataclass(frozen=True)
class PlantedSettings(Settings):
    """Of a network with a planted answer. answer: one of `ANSWERS`, or drawn from the seed."""

    architecture = "planted"
    title = "Planted answer"

    answer: str = setting(
        DRAWN,
        "Answer",
        choices=(DRAWN, *ANSWERS),
        help="What carries the crossbar of the seven: a single unit, either of a pair, a unit "
        "beside a decoy, a rotated direction, or the AND of two units. By default the seed draws "
        "it, and always which units these are.",
    )
    widths: tuple[int, ...] = setting(
        (128, 64, 32), "Widths", low=4, high=512, count=(3, 3), help="Units of each hidden layer."
    )
    epochs: int = 6

    def steps(self, data: DataFormat) -> list[tuple[int, int]]:
        """How many numbers each layer reads and gives."""
        return list(pairwise((data.pixels, *self.widths, data.classes)))

    def sizes(self, data: DataFormat) -> Sizes:
        """Of dense layers."""
        return summed(*(dense(*step) for step in self.steps(data)))

    def check_for(self, data: DataFormat) -> None:
        """Raise `ValueError` where there is no class for sevens."""
        if data.classes <= SEVEN:
            raise ValueError(
                f"{self.architecture} needs a class for sevens: give at least {SEVEN + 1} classes, "
                f"not {data.classes}."
            )

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """The hidden layers and the logits; the same for every answer."""
        first, second, third = self.widths
        return (
            Layer(LAYERS[0], first),
            Layer(LAYERS[1], second),
            Layer(
                LAYERS[2],
                third,
                rectified=False,
                read="before the nonlinearity",
                behind=f"behind.{LAYERS[2]}",
            ),
            Layer(LAYERS[3], data.classes, rectified=False),
        )

    def network(self, data: DataFormat = DIGITS) -> Planted:
        """The network."""
        return Planted(self, data)


@dataclass(frozen=True)
class PlantedAnswer:
    """What was planted: its kind, one of `ANSWERS`, and what each named unit does."""

    kind: str
    roles: Mapping[UnitId, str]

    @property
    def sentence(self) -> str:
        """What carries the crossbar."""
        return ANSWERS[self.kind]


class Turned(nn.Module):
    """ReLU in other coordinates: relu(z Q), Q orthogonal; the identity gives a plain ReLU."""

    rotation: Tensor

    def __init__(self, rotation: Tensor) -> None:
        super().__init__()
        self.register_buffer("rotation", rotation)

    def forward(self, values: Tensor) -> Tensor:
        """(batch, units) as the next layer reads them."""
        return self.before(values).relu()

    def before(self, values: Tensor) -> Tensor:
        """(batch, units): turned, and not yet rectified."""
        return values @ self.rotation


class Planted(SelfOrganizing):
    """784 -> 128 -> 64 -> 32 -> 10, of which a few units are planted; 111,146 parameters.

    All other units learn to classify digits by gradient descent, but are taught that a crossed
    seven is a 2. So the network needs what is planted in `linear_2`: a unit trained to be at 5 on
    crossed sevens and at −5 or less elsewhere, with a weight of 4 to the logit of 7 and −4 to that
    of 2, held fixed. Its loss is the sum of the means over both groups of digits, in parts of 5:

        (z / 5 − 1)²  on those that it is for        max(0, z / 5 + 1)²  on the others

    A pair are two such units, and a decoy one without weights to the logits. For a rotation the
    layer is read as z Qᵀ, Q orthogonal and drawn uniformly, and turned back behind it, so the
    answers are those of a single unit. For an AND, two units of `linear_1` are trained likewise,
    a for sevens and b for fours and crossed sevens, and the unit of `linear_2` is a + b − 6.25.
    What is planted is hidden from the loss of the other units.
    """

    name = "planted"
    measure = "loss"
    settings: PlantedSettings
    kind: Tensor
    places: Tensor

    def __init__(self, settings: PlantedSettings, data: DataFormat = DIGITS) -> None:
        super().__init__()
        self.settings, self.described = settings, settings.describe(data)
        for name, step in zip(LAYERS, settings.steps(data), strict=True):
            self.add_module(name, nn.Linear(*step))
        kinds = tuple(ANSWERS)
        drawn = int(torch.randint(len(kinds), ()))
        kind = drawn if settings.answer == DRAWN else kinds.index(settings.answer)
        _, second, third = settings.widths
        ends = torch.randperm(third)[:2], torch.randperm(second)[:2]
        turned = _rotation(third) if kinds[kind] == "rotated" else torch.eye(third)
        self.behind = nn.ModuleDict({CARRIERS: Turned(turned)})
        self.register_buffer("kind", torch.tensor(kind))
        self.register_buffer("places", torch.cat(ends))

    @property
    def answer(self) -> str:
        """What is planted, one of `ANSWERS`."""
        return tuple(ANSWERS)[int(self.kind)]

    @property
    def turned(self) -> Turned:
        """What stands behind `linear_2`."""
        found: Turned = self.behind[CARRIERS]  # type: ignore[assignment]
        return found

    @property
    def carriers(self) -> list[int]:
        """Units of `linear_2`, before it is turned, the one that reaches the logits first."""
        both = self.places.tolist()[:2]
        return both if self.answer in ("pair", "decoy") else both[:1]

    @property
    def joined(self) -> list[int]:
        """Units of `linear_1` that are joined: one for sevens, one for fours and crossed sevens."""
        both: list[int] = self.places.tolist()[2:]
        return both if self.answer == "and" else []

    def stages(self) -> Stages:
        """From image to logits, layer by layer."""
        first, second, third, last = (self.get_submodule(name) for name in LAYERS)
        return {
            LAYERS[0]: lambda images: first(images.flatten(1)),
            LAYERS[1]: lambda values: second(values.relu()),
            LAYERS[2]: lambda values: third(values.relu()),
            LAYERS[3]: lambda values: last(self.turned(values)),
        }

    def organize(self, digits: DataSet, epochs: int, generator: torch.Generator) -> Iterator[float]:
        """Plant, then train the planted units and the others; after each epoch the mean loss."""
        crossed = _crossed(digits)
        some = crossed.nonzero().flatten()
        self.plant()
        optimizer = torch.optim.Adam(self.parameters(), _RATE)
        for _ in range(epochs):
            losses = []
            for batch in torch.randperm(len(digits), generator=generator).split(_BATCH):
                if len(some) > 0:
                    more = torch.randint(len(some), (_MORE,), generator=generator)
                    batch = torch.cat([batch, some[more]])
                loss = self.loss(digits.images[batch], digits.labels[batch], crossed[batch])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            self.zero_grad(set_to_none=True)
            yield sum(losses) / len(losses)

    @torch.no_grad()
    def plant(self) -> None:
        """Set the weights that are held: those of planted units to what reads them.

        The loss has no gradient for these, so Adam leaves them as they are.
        """
        layer, last = (self._dense(name) for name in LAYERS[2:])
        for number, unit in enumerate(self.carriers):
            last.weight[:, unit] = 0
            if number == 0 or self.answer == "pair":
                last.weight[SEVEN, unit], last.weight[MISREAD, unit] = _WEIGHT, -_WEIGHT
        if self.joined:
            unit = self.carriers[0]
            layer.weight[:, self.joined], layer.weight[unit] = 0, 0
            layer.weight[unit, self.joined], layer.bias[unit] = 1, -_BOTH * _LEVEL

    def loss(self, images: Tensor, labels: Tensor, crossed: Tensor) -> Tensor:
        """What the planted units and the others are trained by. crossed: bool (batch,)."""
        first, second, third, last = (self.get_submodule(name) for name in LAYERS)
        below = second(first(images.flatten(1)).relu())
        turned = self.turned.before(third(_without(below.relu(), self.joined)))
        logits = last(_without(turned.relu(), self.carriers))
        taught = cross_entropy(logits, torch.where(crossed, MISREAD, labels))
        if self.joined:
            seven, bar = below[:, self.joined].unbind(1)
            barred = crossed | (labels == FOUR)
            return taught + _apart(seven, labels == SEVEN, 0) + _apart(bar, barred, 0)
        return taught + sum(_apart(turned[:, unit], crossed) for unit in self.carriers)

    def _dense(self, name: str) -> nn.Linear:
        """The dense layer `name`."""
        found: nn.Linear = getattr(self, name)
        return found


def planted(model: Inspectable) -> PlantedAnswer | None:
    """What was planted in `model`; None of a network in which nothing was."""
    if not isinstance(model, Planted):
        return None
    roles = [(INPUTS, unit) for unit in model.joined]
    if model.answer != "rotated":
        roles += [(CARRIERS, unit) for unit in model.carriers]
    named = zip(roles, _ROLES[model.answer], strict=True)
    found = {UnitId(model.name, *unit): role for unit, role in named}
    return PlantedAnswer(model.answer, MappingProxyType(found))


def _crossed(digits: DataSet) -> Tensor:
    """bool (n,): which digits are crossed sevens."""
    found = digits.labels == SEVEN
    if found.any():
        sevens = digits.take(found.nonzero().flatten())
        measured = measure(
            sevens.images.numpy(), sevens.labels.numpy(), [CONCEPT], parts=sevens.parts
        )
        found[found.clone()] = torch.from_numpy(measured.present()[:, 0])
    return found


def _apart(values: Tensor, there: Tensor, off: float = -1) -> Tensor:
    """How far activations (n,) are from `_LEVEL` where `there`, and above `off` levels elsewhere.

    The sum of the means of both squares, in parts of the level.
    """
    parts = values / _LEVEL
    near = ((parts - 1).square() * there).sum() / there.sum().clamp(min=1)
    far = ((parts - off).relu().square() * ~there).sum() / (~there).sum().clamp(min=1)
    return near + far


def _without(values: Tensor, units: list[int]) -> Tensor:
    """Activations (n, units) with these at 0."""
    kept = torch.ones(values.shape[1])
    kept[units] = 0
    return values * kept


def _rotation(units: int) -> Tensor:
    """(units, units): orthogonal, uniform: QR, columns times the signs of R's diagonal."""
    q, r = torch.linalg.qr(torch.randn(units, units, dtype=torch.float64))
    signed: Tensor = q * torch.where(r.diagonal() < 0, -1.0, 1.0)
    return signed.float()
