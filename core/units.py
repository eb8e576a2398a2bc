"""The one name that a unit has everywhere, `model/layer/index`, and that a direction has.

A direction of a layer is named for the concept that it was fitted to: `model/layer/concept`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core.arguments import whole
from core.text import literal

_LAYER = r"([a-z][a-z0-9_]*)/([a-z][a-z0-9_.]*)"
_FORM = re.compile(_LAYER + r"/(0|[1-9][0-9]{0,17})")
_DIRECTION = re.compile(_LAYER + r"/([a-z][a-z0-9-]*)")


@dataclass(frozen=True, order=True)
class UnitId:
    """A unit's name, ordered by model, layer and index.

    A convolutional unit is a channel; one position of it is a neuron and has no name of its own.
    index: a whole number of any library, kept as Python's own.

    Raises `ValueError` for an index that isn't a whole number from 0 on.
    """

    model: str
    layer: str
    index: int

    def __post_init__(self) -> None:
        for name, value in (("model", str(self.model)), ("layer", str(self.layer))):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "index", whole(self.index, "the index of a unit", 0))

    @classmethod
    def parse(cls, text: str) -> UnitId:
        """The unit that `text` names, such as "lenet5/linear_0/58".

        Raises `ValueError` naming the valid form when `text` is anything else.
        """
        found = _FORM.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise ValueError(
                f"{literal(text)} is not a unit: write model/layer/index, such as "
                "lenet5/linear_0/58."
            )
        return cls(found[1], found[2], int(found[3]))

    def __str__(self) -> str:
        return f"{self.model}/{self.layer}/{self.index}"


@dataclass(frozen=True, order=True)
class DirectionId:
    """A direction's name: the model, the layer, and the concept that it was fitted to."""

    model: str
    layer: str
    concept: str

    @classmethod
    def parse(cls, text: str) -> DirectionId:
        """The direction that `text` names, such as "lenet5/linear_0/crossed-7".

        Raises `ValueError` naming the valid form when `text` is anything else.
        """
        found = _DIRECTION.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise ValueError(
                f"{literal(text)} is not a direction: write model/layer/concept, such as "
                "lenet5/linear_0/crossed-7."
            )
        return cls(*found.groups())

    def __str__(self) -> str:
        return f"{self.model}/{self.layer}/{self.concept}"
