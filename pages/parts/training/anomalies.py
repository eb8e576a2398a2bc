"""Units that training pushes up for a class on which they are mostly off."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.analyses.profiles.task import Study
from core.analyses.subpopulations import Subpopulations
from core.claims.task import SubpopulationsTask
from core.data.concepts import CONCEPTS
from core.runs import Run
from core.units import UnitId
from pages.kit import halves, links
from pages.kit.controls import choose
from pages.kit.gallery import gallery
from pages.kit.glossary import DEFINITIONS, NAMES
from pages.kit.opening import unit_grid
from pages.kit.tables import download
from pages.kit.waiting import result_of

__all__ = ["anomalies"]


def anomalies(study: Study) -> None:
    """The list of one layer, and each unit's pictures."""
    layers = study.model.layers
    layer = links.one_of("layer", layers, layers[-3] if len(layers) > 2 else layers[0])
    choose(layer, "Layer")
    st.markdown(
        "For one class, training pushes these units up, although on average they are below zero "
        "on it. A possible explanation, tested here: each unit responds to only a part of that "
        "class.",
        help=DEFINITIONS["anomaly"],
    )
    halves.chosen_and_judged("Each unit's concept was chosen")
    found = result_of(SubpopulationsTask(study.run, layer.value()))
    units = found.anomalies
    total = len(found.anomalous)
    if not len(units):
        st.info(f"None of the {total} units of {layer.value()} behaves like this in this network.")
    else:
        _said(found, total)
        _pictures(found, units, layer.value(), study.run)
        _table(found, units)


def _said(found: Subpopulations, total: int) -> None:
    """How many such units there are, and for how many the explanation holds, in a sentence."""
    some, distinguishing = found.on_for_some, found.distinguishing
    st.markdown(
        f"**{len(found.anomalies)} of {total} units.** {len(some)} of them are active on some "
        f"digits of their class, but on fewer than half. {len(distinguishing)} "
        "distinguish a concept within the class with an AUC of 0.8 or more, on the half of "
        "the digits on which the concept was not chosen."
    )


def _pictures(found: Subpopulations, units: np.ndarray, layer: str, run: Run) -> None:
    """Three pictures a unit: the class, digits on which it is active, digits that push it up."""
    tall = np.concatenate(list(found.images[units].transpose(1, 0, 2, 3)), axis=1)
    grid = gallery(
        pictures.stretched(tall),
        [
            f"unit {unit}, class {found.wanted[unit]}: active on {found.active[unit]:.0%} of it"
            for unit in units
        ],
        [f"{unit} · {found.wanted[unit]} · {found.active[unit]:.0%}" for unit in units],
    )
    unit_grid(
        grid,
        [UnitId(run.architecture, layer, unit) for unit in units],
        key="anomalous",
        label=f"anomalies of {layer}, {run}",
        scale=3,
    )
    st.caption(
        "Top: the mean digit of the class on which the unit is pushed up. Middle: mean of the "
        "digits of the class on which it is active. Bottom: mean of the training digits that push "
        "it up. Below: unit · class · share of the class on which it is active. Click one to open "
        "the unit.",
        help=DEFINITIONS["mean images"],
    )


def _table(found: Subpopulations, units: np.ndarray) -> None:
    """All numbers, to sort and to download."""
    texts = [CONCEPTS[name].text if name else "none" for name in found.concept[units].tolist()]
    frame = pd.DataFrame(
        {
            "unit": units,
            "wanted": found.wanted[units],
            "mean_z": found.mean[units],
            "on": found.active[units],
            **{
                f"z {name}": found.quantiles[units, at]
                for at, name in enumerate(("5 %", "25 %", "50 %", "75 %", "95 %"))
            },
            "gradient_now": found.gradient[units],
            "effective": found.effective[units],
            "digits": found.of[units],
            "part": texts,
            "part_auc": found.auc[units],
        }
    )
    columns = {
        name: st.column_config.NumberColumn(NAMES[name], help=DEFINITIONS[name], format=form)
        for name, form in (
            ("wanted", "%d"),
            ("mean_z", "%.2f"),
            ("on", "percent"),
            ("gradient_now", "%.3f"),
            ("effective", "%.0f"),
            ("part_auc", "%.2f"),
        )
    }
    part = st.column_config.TextColumn(NAMES["part"], help=DEFINITIONS["part"])
    st.dataframe(frame, hide_index=True, column_config={**columns, "part": part})
    download(frame, "anomalies")
