"""The unit of a view in its address: `unit=lenet5/linear_0/58`, which says model and layer too."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from core.arguments import parse_whole
from core.text import literal
from core.units import UnitId
from pages.kit import links

__all__ = ["layer_option", "named", "unit_option"]

KEY = "unit"


def named() -> UnitId | None:
    """The unit that the address names, whether or not there is one of this name."""
    with suppress(ValueError):
        return UnitId.parse(st.query_params.get(KEY, ""))
    return None


def layer_option(layers: Sequence[str], default: str | None = None) -> links.Option[str]:
    """A choice of layer; a unit in the address has named its own."""

    def implied() -> str | None:
        unit = named()
        return unit.layer if unit is not None and unit.layer in layers else None

    return replace(links.one_of("layer", layers, default), implied=implied)


def unit_option(
    model: str, layer: str, units: int, default: int = 0, *, key: str = KEY
) -> links.Option[int]:
    """A choice of one unit of a layer: its index, in the address its name.

    The index alone is read too, as people write it beside a layer.
    """

    def parse(text: str) -> int:
        number = parse_whole(text)
        if number is not None and 0 <= number < units:
            return number
        with suppress(ValueError):
            unit = UnitId.parse(text)
            if (unit.model, unit.layer) == (model, layer) and unit.index < units:
                return unit.index
        raise ValueError(
            f"{literal(f'{key}={text}')} names no unit of {model}/{layer}: write one of "
            f"{write(0)} to {write(units - 1)}."
        )

    def write(index: int) -> str:
        return str(UnitId(model, layer, index))

    return links.Option(key, default, parse, write, range(units))
