"""The centres of the radial units as pictures, and how pure their neighbourhoods are."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.architectures.rbf import charts as figures
from core.architectures.rbf.results import SETS, RBFMeasures
from core.runs import Run
from core.runtime import cache
from core.runtime.drawings import drawn_once
from core.units import UnitId
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import number, pick
from pages.kit.gallery import gallery
from pages.kit.grid import Grid, image_grid
from pages.kit.opening import unit_grid
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.unit import unit_option

__all__ = ["LABEL", "centres"]

LABEL = "The class of most of the 10,000 held-back training digits nearest to the centre."
PURITY = (
    "Among the digits nearest to a centre, the share with its label. Labels are chosen on "
    "held-back training digits, purity is measured on the confirmation half of the test digits."
)
DISTANCE = "Mean distance of a confirmation digit to its nearest centre (quantization error)."
EFFECTIVE = (
    "exp of the entropy of the digits over centres: the number of centres if all shared the "
    "digits equally."
)
WITHIN = "Share of confirmation digits that have a centre nearer than σ."
ZEROS = "Share of responses, over confirmation digits and centres, that are exactly 0 in 32 bits."
RESPONDING = (
    "exp of the entropy of a digit's normalized responses, mean over digits: the number of "
    "centres that respond, if all responded equally; 0 for a digit to which none responds."
)
ACCURACY = "Accuracy of a linear read-out fitted to these centres, on the confirmation half."
_ORDERS = {"label": "label", "purity": "purity", "hits": "digits", "number": "number"}
ORDER = links.one_of("by", tuple(_ORDERS))
_FEWEST = 5  # digits of which a purity is drawn


def centres(run: Run, opened: RBFMeasures) -> None:
    """All centres in a grid, one of them with its digits, and how pure they are."""
    own = opened.own
    low, high = own.interval
    st.markdown(
        f"**{own.purity:.1%}** of digits have the label of their nearest centre (95 % interval "
        f"{low:.1%} to {high:.1%}), although k-means saw no label; with random digits as centres "
        f"it is **{opened.control.purity:.1%}**, with noise {_of(opened, 'noise', 'purity'):.1%}.",
        help=PURITY,
    )
    order = _order(opened)
    unit_grid(
        _pictures(opened, order),
        [UnitId("rbf", "centres", at) for at in order],
        key="grid of centres",
        label=f"Centres by {ORDER.value()}",
        scale=1,
        max_height=420,
    )
    st.caption(
        f"The {len(order)} centres. Point at one for its label, digits and purity; click it to "
        "open the unit. The input that maximizes a unit is its centre."
    )
    _nearest(run, opened)
    _purity(opened)
    _sets(opened)
    download(partial(_compared, opened), f"centres-{file_name(run)}")


@drawn_once
def _pictures(opened: RBFMeasures, order: list[int]) -> Grid:
    """The centres in an order, with their label, digits and purity."""
    own = opened.own
    purity = own.purities
    words = [
        f"centre {at}: label {own.labels[at]}, {own.hits[at]} digits, purity "
        + (f"{purity[at]:.0%}" if own.hits[at] else "unknown")
        for at in order
    ]
    return gallery(pictures.ink(opened.centres[order]), words)


def _order(opened: RBFMeasures) -> list[int]:
    """The centres in the chosen order."""
    order = pick(ORDER, "Order", names=_ORDERS.__getitem__)
    own = opened.own
    purity = np.nan_to_num(own.purities, nan=-1)
    keys = {
        "label": np.lexsort((-purity, own.labels)),
        "purity": np.argsort(-purity, kind="stable"),
        "hits": np.argsort(-own.hits, kind="stable"),
        "number": np.arange(len(purity)),
    }
    found: list[int] = keys[order].tolist()
    return found


def _nearest(run: Run, opened: RBFMeasures) -> None:
    """One centre with the digits nearest to it."""
    option = unit_option("rbf", "centres", len(opened.centres), key="centre")
    left, right = st.columns([1, 3], vertical_alignment="center")
    at = number(option, "Centre", where=left)
    digits = cache.digits(run.data, "confirmation")
    near = opened.own.near[at].tolist()
    images = np.concatenate([opened.centres[at][None], digits.images[near, 0].numpy()])
    classes = [str(int(digits.labels[number])) for number in near]
    ids = digits.ids
    names = [f"centre {at}", *(ids[number] for number in near)]
    with right:
        image_grid(
            gallery(pictures.ink(images), names, ["centre", *classes]),
            key="grid of a centre's digits",
            label=f"Digits nearest to centre {at}",
            selected=0,
        )
    st.caption(
        f"Centre {at} (ringed) and the {len(near)} confirmation digits nearest to it, with their "
        f"class. Its label is {opened.own.labels[at]}; it is the nearest centre for "
        f"{opened.own.hits[at]} digits, of which {opened.own.pure[at]} have this label.",
        help=LABEL,
    )


@recorded
def _purity(opened: RBFMeasures) -> None:
    """How pure the centres are, of both kinds."""
    st.vega_lite_chart(finished_chart(figures.purities, _purities(opened)), key="purities")
    st.caption(
        f"Purity of each centre with at least {_FEWEST} confirmation digits; blue: k-means, grey: "
        "as many random training digits.",
        help=PURITY,
    )


def _purities(opened: RBFMeasures) -> pd.DataFrame:
    """The purity of the centres that have enough digits, of both kinds."""
    parts = []
    for name, of in (("k-means", opened.own), ("random digits", opened.control)):
        enough = of.hits >= _FEWEST
        purity = of.purities[enough]
        parts.append(pd.DataFrame({"purity": purity, "centres": name}))
    return pd.concat(parts)


def _compared(opened: RBFMeasures) -> pd.DataFrame:
    """The measures of the trained centres and of worse ones."""
    order = ["centres", "accuracy", "purity", "distance", "effective", "within", "responding",
             "zeros"]  # fmt: skip
    return opened.sets[order]


@recorded
def _sets(opened: RBFMeasures) -> None:
    """The trained centres beside worse ones."""
    st.markdown("**Compared with other centres**")
    st.dataframe(
        _compared(opened),
        hide_index=True,
        column_config={
            "accuracy": column("accuracy", ACCURACY),
            "purity": column("purity", PURITY),
            "distance": column("distance", DISTANCE),
            "effective": column("effective centres", EFFECTIVE),
            "within": column("within σ", WITHIN),
            "responding": column("responding", RESPONDING),
            "zeros": column("exact zeros", ZEROS),
        },
    )
    st.caption("; ".join(f"{name}: {text}" for name, text in SETS.items()) + ".")


def _of(opened: RBFMeasures, name: str, measure: str) -> float:
    """One number of one set of centres."""
    return float(opened.sets.set_index("centres").loc[name, measure])  # type: ignore[arg-type]
