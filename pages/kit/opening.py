"""Pictures of units that open them: here, or in a new tab with Ctrl or the middle button."""

from __future__ import annotations

from collections.abc import Sequence

from pages.kit import place
from pages.kit.grid import Grid, image_grid

__all__ = ["unit_grid"]


def unit_grid(
    grid: Grid,
    units: Sequence[tuple[str, int] | None],
    *,
    key: str,
    label: str,
    model: str | None = None,
    selected: int | None = None,
    scale: int = 2,
    max_height: int | None = None,
) -> None:
    """The grid, which ends the run when one of its pictures is clicked, and opens that unit's page.

    units: (layer, index) of each picture, None for one that opens nothing. model: whose they are,
    by default the model of the address. See `image_grid` for the rest.
    """
    whose = {} if model is None else {"model": model}
    views = [None if of is None else {**whose, "layer": of[0], "unit": int(of[1])} for of in units]
    picked = image_grid(
        grid,
        key=key,
        label=label,
        selected=selected,
        scale=scale,
        max_height=max_height,
        addresses=[None if view is None else place.href("units", **view) for view in views],
    )
    view = None if picked is None else views[picked]
    if view is not None:
        place.go("units", **view)
