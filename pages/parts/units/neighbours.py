"""The units that are most like a unit: in its network, and in one of another seed."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import streamlit as st

from core.analyses.neighbours import Nearest, Partners
from core.analyses.neighbours.task import NeighboursTask, PartnersTask
from core.analyses.profiles.task import Study
from core.runtime import cache
from core.runtime.drawings import drawn_once
from core.training.task import ModelTask
from core.units import UnitId
from pages.kit import controls, links, place
from pages.kit.gallery import gallery
from pages.kit.glossary import DEFINITIONS
from pages.kit.grid import Grid, image_grid
from pages.kit.opening import addresses
from pages.kit.waiting import result_of
from pages.parts.units.wire_tiles import mean_tiles
from pages.parts.units.wiring import opens

__all__ = ["nearest", "partner", "partnering"]

MATCH = links.switch("match")


def nearest(study: Study, layer: str, index: int) -> None:
    """The units of its layer that are nearest, by activations and by weights."""
    found = result_of(NeighboursTask(study.run))
    if layer not in found.activations:
        st.caption("It is the only unit of its layer.")
        return
    rows = {"activations": found.activations[layer], "weights": found.weights[layer]}
    known = {kind: of for kind, of in rows.items() if of is not None and bool(of.comparable[index])}
    name = UnitId(study.run.architecture, layer, index)
    units = {
        kind: [replace(name, index=other) for other in of.unit[index].tolist()]
        for kind, of in known.items()
    }
    links_ = iter(addresses([unit for of in units.values() for unit in of]))
    for kind, of in known.items():
        st.markdown(f"**By {kind}**", help=DEFINITIONS["nearest"])
        image_grid(
            _tiles(study, of, layer, index),
            key=f"grid of nearest by {kind}",
            label=f"Units nearest to {name} by {kind}, {study.run}",
            scale=1,
            on_pick=opens(units[kind]),
            addresses=list(islice(links_, len(units[kind]))),
        )
        st.caption(_row_in_words(of, index, kind, found.digits))
    if "activations" not in known:
        st.caption(
            "Its activation is the same on all digits of the discovery half, so no unit is near it "
            "by activation."
        )
    if "weights" not in known:
        st.caption(f"There are no incoming weights of {name} that could be compared.")


@drawn_once
def _row_in_words(found: Nearest, index: int, kind: str, digits: int) -> str:
    """What stands below the pictures, and what it is without training."""
    measure = (
        "cosine"
        if kind == "weights"
        else f"correlation over {digits:,} digits of the confirmation half"
    )
    return (
        f"Below each: unit · {measure}. Before training this unit's nearest had "
        f"{found.untrained[index]:.2f}; the median of the layer was "
        f"{np.median(found.untrained):.2f}, and is {np.median(found.likeness[:, 0]):.2f} now."
    )


@drawn_once
def _tiles(study: Study, found: Nearest, layer: str, index: int) -> Grid:
    """The mean digit of each of the nearest, with its likeness."""
    name = UnitId(study.run.architecture, layer, index)
    units = [replace(name, index=other) for other in found.unit[index].tolist()]
    both = list(zip(units, found.likeness[index].tolist(), strict=True))
    return gallery(
        mean_tiles(study, units),
        [f"{unit}: {value:.3f}" for unit, value in both],
        [f"{unit.index} · {value:.2f}" for unit, value in both],
    )


def partnering(study: Study, layer: str) -> PartnersTask | None:
    """The matching with the other network, where that is kept or its training was asked for."""
    task = PartnersTask(study.run, layer, _other(study).value())
    if task.other == study.run:
        return None
    asked = MATCH.value()
    kept = asked or cache.find(task) is not None or cache.lab().has(ModelTask(task.other))
    return task if kept else None


def partner(study: Study, layer: str, index: int, task: PartnersTask | None) -> None:
    """The unit of a network of another seed that corresponds, or the offer to look for it.

    task: what `partnering` gives.
    """
    option = _other(study)
    seed = option.value()
    controls.number(option, "Seed of another network", help=DEFINITIONS["partner"], width=240)
    if task is not None:
        _partner(study, result_of(task), UnitId(study.run.architecture, layer, index), seed)
    elif seed == study.run.seed:
        st.caption("This is the network of this page: choose another seed.")
    else:
        st.caption(f"The network of seed {seed} has not been trained here yet.")
        st.button("Train it and find the partner", key="find partner", on_click=_ask)


def _ask() -> None:
    """Ask for the other network."""
    links.put(match="yes")


def _other(study: Study) -> links.Option[int]:
    """The seed of the network to compare with."""
    own = study.run.seed
    return links.integer("other_seed", 0, place.LAST_SEED, own + 1 if own < place.LAST_SEED else 0)


def _partner(study: Study, found: Partners, unit: UnitId, seed: int) -> None:
    """The partner, and how much that says."""
    other = replace(unit, index=int(found.unit[unit.index]))
    if found.correlation[unit.index] == 0:
        st.caption(
            "One of both units is the same on all digits of the confirmation half, so that its "
            f"partner there, {other}, means nothing."
        )
        return
    place.link("units", f"{other} of seed {seed}", unit=other, seed=seed)
    st.caption(_partner_in_words(found, unit.index), help=DEFINITIONS["partner"])


@drawn_once
def _partner_in_words(found: Partners, index: int) -> str:
    """How much a unit correlates with its partner, and what it would without training."""
    return (
        f"Its partner there, with correlation {found.correlation[index]:+.2f}. Shuffled digits: "
        f"{found.null:.2f}; this unit before training: {found.untrained[index]:.2f}. Median of the "
        f"layer: {np.median(np.abs(found.correlation)):.2f}, before training "
        f"{np.median(found.untrained):.2f}."
    )
