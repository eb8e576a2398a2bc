"""Pictures of units that open them: here, or in a new tab with Ctrl or the middle button."""

from __future__ import annotations

from collections.abc import Sequence

from core.units import UnitId
from pages.kit import place
from pages.kit.grid import Grid, image_grid

__all__ = ["unit_grid"]


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
        addresses=[None if unit is None else place.href("units", unit=unit) for unit in units],
    )
    unit = None if picked is None else units[picked]
    if unit is not None:
        place.go("units", unit=unit)
