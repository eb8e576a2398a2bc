"""One unit of a dissection: its masks on the digits that drive it, and every concept's score."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
import torch

from core import pictures
from core.analyses.described import DescribedDigits
from core.analyses.dissection import Dissection, Sample, unit_masks
from core.analyses.dissection.detectors import NONE
from core.data.concepts import CONCEPTS
from core.models.inspectable import Inspectable
from core.runtime.drawings import drawn_once
from core.training.task import ModelTask
from core.units import UnitId
from pages.kit import activations, links, place
from pages.kit.controls import choose, number
from pages.kit.gallery import gallery
from pages.kit.glossary import DEFINITIONS, NAMES
from pages.kit.grid import Grid, image_grid
from pages.kit.recorded import recorded
from pages.kit.waiting import result_of
from pages.parts.dissection.report import View

__all__ = ["unit"]

_SHOWN = 12  # digits
_LISTED = 12  # concepts


def unit(view: View, found: Dissection, described: DescribedDigits) -> None:
    """The unit that the address names."""
    rows = getattr(found, view.kind)
    st.subheader("One unit in detail")
    left, right = st.columns([1, 2])
    # another unit has another concept
    index = number(view.unit, f"Unit of {view.layer}", where=left, resets=("concept",))
    mine = rows[rows["index"] == index].sort_values("found", ascending=False)
    names = mine["concept"].tolist()
    concept = links.one_of("concept", names)
    choose(concept, "Concept to show", where=right, names=lambda name: CONCEPTS[name].text)
    name = UnitId(view.run.architecture, view.layer, index)
    _verdict(name, mine)
    model = result_of(ModelTask(view.run))
    half = activations.half(described, "confirmation")
    _digits(view, found, model, half, index, concept.value())
    _scores(view, mine)
    with st.container(horizontal=True):
        place.link("units", "This unit's page", unit=name)
        place.link("feature_visualization", "Its maximized input", unit=name)
        place.link("ask", "Is it necessary?", layer=name.layer, units=name)


@recorded
def _verdict(name: UnitId, mine: pd.DataFrame) -> None:
    """A sentence on whether the unit is a detector, with its IoU, chance level and ceiling."""
    best = mine[mine["rank"] == 1]
    if best.empty:
        st.markdown(
            f"**{name}** responds to **{NONE}**: it overlaps with no concept more than chance, or "
            "it is never active."
        )
        return
    row = best.iloc[0]
    about = CONCEPTS[row["concept"]]
    said = f"IoU {row['iou']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
    beside = f"chance level {row['null']:.3f} from shuffled images, ceiling {row['ceiling']:.3f}"
    if row["detector"]:
        st.markdown(f"**{name}** responds to **{about.text}** ({about.about}): {said}; {beside}.")
    else:
        st.markdown(
            f"**{name}** responds to **{NONE}**. The closest concept is {about.text} "
            f"({about.about}): {said}; {beside}.",
            help=DEFINITIONS["detector"],
        )


def _digits(
    view: View, found: Dissection, model: Inspectable, half: Sample, index: int, concept: str
) -> None:
    """The digits that drive the unit most, with its mask and the concept's."""
    top, grid = _masked(view, found, model, half, index, concept)
    image_grid(
        grid,
        key="grid of masks",
        label=f"{UnitId(view.run.architecture, view.layer, index)} on {concept}",
        scale=1,
    )
    masks = (
        "Orange: where the unit's activation is above its threshold. "
        if view.kind == "pixels"
        else ""
    )
    st.caption(
        f"The {top} confirmation digits on which the unit is most active: class · activation "
        f"· ✓ where the digit has “{CONCEPTS[concept].text}”. {masks}Blue: the concept. Purple: "
        "both."
    )


@drawn_once
def _masked(
    view: View, found: Dissection, model: Inspectable, half: Sample, index: int, concept: str
) -> tuple[int, Grid]:
    """How many digits are shown, and these with both masks."""
    images = half.digits.images
    values = activations.activations(model, half, view.layer)[:, index]
    top = np.argsort(-values, kind="stable")[:_SHOWN]
    unit_mask = np.zeros((len(top), 28, 28), bool)
    if view.kind == "pixels":
        level = float(found.levels[index])
        unit_mask = unit_masks(model, images[torch.from_numpy(top)], view.layer, index, level)
    concept_mask = np.zeros_like(unit_mask)
    if CONCEPTS[concept].placed:
        own = half.measured.take(top).only([concept])
        concept_mask = own.masks[:, 0]
    there = half.measured.take(top).only([concept]).present()[:, 0]
    tiles = pictures.overlaid(images[top, 0].numpy(), unit_mask, concept_mask, 5)
    labels, ids = half.digits.labels[top].tolist(), half.digits.ids
    return len(top), gallery(
        tiles,
        [
            f"{ids[at]}, a {label}, activation {value:.2f}, "
            f"{'with' if has else 'without'} {concept}"
            for at, label, value, has in zip(top, labels, values[top], there, strict=True)
        ],
        [
            f"{label} · {value:.2f}{' · ✓' if has else ''}"
            for label, value, has in zip(labels, values[top], there, strict=True)
        ],
    )


@recorded
def _scores(view: View, mine: pd.DataFrame) -> None:
    """The concepts that come closest, and how close."""
    names = [
        "concept",
        "found",
        "iou",
        "low",
        "high",
        "null",
        "ceiling",
        "of_ceiling",
        "q_value",
        "n",
    ]
    if view.kind == "images":
        names += ["auc", "auc_within", "precision", "base"]
    table = mine.head(_LISTED)[names].copy()
    table["concept"] = [CONCEPTS[name].text for name in table["concept"]]
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(
                NAMES.get(name, name), format="%.3f", help=DEFINITIONS.get(name)
            )
            for name in names
            if name not in ("concept", "n")
        },
    )
    st.caption(
        f"The {_LISTED} closest concepts on the discovery half (first number); all other numbers "
        "are from the confirmation half."
    )
