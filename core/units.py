"""The one name that a unit has everywhere: `model/layer/index`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FORM = re.compile(r"([a-z][a-z0-9_]*)/([a-z][a-z0-9_.]*)/(0|[1-9][0-9]*)")


@dataclass(frozen=True, order=True)
class UnitId:
    """A unit's name, ordered by model, layer and index.

    A convolutional unit is a channel; one position of it is a neuron and has no name of its own.
    """

    model: str
    layer: str
    index: int

    @classmethod
    def parse(cls, text: str) -> UnitId:
        """The unit that `text` names, such as "lenet5/linear_0/58".

        Raises `ValueError` naming the valid form when `text` is anything else.
        """
        found = _FORM.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise ValueError(
                f"{text!r} is not a unit: write model/layer/index, such as lenet5/linear_0/58."
            )
        return cls(found[1], found[2], int(found[3]))

    def __str__(self) -> str:
        return f"{self.model}/{self.layer}/{self.index}"
