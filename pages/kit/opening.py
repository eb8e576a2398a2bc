"""Pictures of units that open them: here, or in a new tab with Ctrl or the middle button."""

from __future__ import annotations

from collections.abc import Sequence

from core.units import UnitId
from pages.kit import moving, place
from pages.kit.grid import Grid, image_grid

__all__ = ["addresses", "unit_grid"]


def unit_grid(
    grid: Grid,
    units: Sequence[UnitId | None],
    *,
    key: str,
    label: str,
    selected: int | None = None,
    scale: int = 2,
    max_height: int | None = None,
) -> None:
    """The grid, which ends the run when one of its pictures is clicked, and opens that unit's page.

    units: of each picture, None for one that opens nothing. See `image_grid` for the rest.
    """
    picked = image_grid(
        grid,
        key=key,
        label=label,
        selected=selected,
        scale=scale,
        max_height=max_height,
        addresses=addresses(units),
    )
    unit = None if picked is None else units[picked]
    if unit is not None:
        place.go("units", unit=unit)


def addresses(units: Sequence[UnitId | None]) -> list[str | None]:
    """Where each unit is opened; what their addresses have in common is written once."""
    frames: dict[str, str] = {}  # by model
    found: list[str | None] = []
    for unit in units:
        if unit is None:
            found.append(None)
            continue
        if unit.model not in frames:
            frames[unit.model] = place.href("units", unit=unit).removesuffix(_written(unit))
        found.append(frames[unit.model] + _written(unit))
    return found


def _written(unit: UnitId) -> str:
    """The unit's name as it stands in an address."""
    return moving.written({"unit": unit}).removeprefix("unit=")
