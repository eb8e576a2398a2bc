"""One unit in full: its density with its modes, every test, and one digit's place."""

from __future__ import annotations

from functools import partial
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core import charts as unit_figures
from core.analyses.modality.makeup import ATOM, members
from core.analyses.modality.unit_modes import ModesOfLayer, UnitModes, modes_table
from core.charts import modality as figures
from core.statistics.modes.density import peaks_of
from core.statistics.modes.describing import THRESHOLD
from pages.kit import controls, links, place
from pages.kit.charts import finished_chart
from pages.kit.digit import followed
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.unit import unit_option
from pages.parts.multimodality.layer import View
from pages.parts.multimodality.words import CANT, DEFINITIONS

__all__ = ["chosen", "unit"]

WIDTH = links.integer("width", 25, 400, 100)  # percent of the chosen bandwidth


def chosen(view: View, layer: ModesOfLayer) -> links.Option[int]:
    """The unit of the address, the first of the order by default."""
    first = int(layer.discovery.order(view.order)[0])
    return unit_option(view.run.architecture, view.layer, len(layer.discovery), first)


def unit(view: View, layer: ModesOfLayer, option: links.Option[int], found: UnitModes) -> None:
    """The unit that the address names."""
    st.subheader("One unit in detail")
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    # another unit has another bandwidth
    index = controls.number(option, f"Unit of {view.layer}", where=left, resets=("width",))
    with right.container(horizontal=True):
        place.link("units", "This unit's page", unit=view.unit(index))
        place.link("dissection", "What it responds to", unit=view.unit(index))
        place.link("ask", "Is it necessary?", layer=view.layer, units=view.unit(index))
    if found.judged.density is None or found.found.density is None:
        st.info(
            f"{view.unit(index)} can't be tested. Discovery half: {found.found.said} "
            f"Confirmation half: {found.judged.said} Exactly 0 on {found.judged.zeros:.1%} of the "
            "digits.",
            icon=":material/do_not_disturb_on:",
        )
        return
    _summary(view, layer, index, found)
    digit = followed(view.run)
    value = float(found.values[digit.number])
    _density(view, found, value, f"{digit.name}, a {digit.label}")
    _tests(view, layer, index, found)


def _summary(view: View, layer: ModesOfLayer, index: int, found: UnitModes) -> None:
    """What was found in one line, with the untrained unit beside it."""
    before = layer.untrained
    of = found.found
    zeros = f" · exactly 0 on {found.judged.zeros:.1%} of the digits" if found.judged.zeros else ""
    st.markdown(f"**{view.unit(index)}: {of.said}**{zeros}")
    st.caption(
        f"Read: {view.read}. Modes and valleys were found on the discovery half, every number "
        f"below is from the confirmation half. Untrained, this unit has {before.modes[index]} "
        f"mode{'' if before.modes[index] == 1 else 's'}, p {before.p[index]:.2f}.",
        help=DEFINITIONS["modes"],
    )


def _density(view: View, found: UnitModes, digit: float, name: str) -> None:
    """The density of the confirmation half at the bandwidth of the slider."""
    percent = controls.slide(
        WIDTH, "Bandwidth, % of the automatic one", step=5, help=DEFINITIONS["bandwidth"]
    )
    _smoothed(view.read, found, percent, digit, name)


@recorded
def _smoothed(read: str, found: UnitModes, percent: int, digit: float, name: str) -> None:
    """The density at a bandwidth, with the place of a digit. read: how the unit is read."""
    of = found.found
    drawn = found.smoothed(percent)
    names, colours = figures.mode_names(of.n_modes, False)
    place_of = members(drawn.grid, of.modes, apart=False)
    frame = pd.DataFrame({"value": drawn.grid, "density": drawn.heights})
    frame["mode"] = [names[at] for at in place_of]
    at = [mode.at for mode in of.modes]
    modes = modes_table(of).assign(height=np.interp(at, drawn.grid, drawn.heights))
    shown = None if of.apart and digit == 0 else digit
    chart = finished_chart(
        figures.unit_density,
        frame.iloc[::2],
        modes,
        title=f"activation, {read}",
        colours=colours,
        digit=shown,
    )
    _beside_atom(found, chart)
    peaks = len(peaks_of(drawn.heights).at)
    below = float((found.values < digit).mean())
    st.caption(
        f"Bandwidth {drawn.bandwidth:.3g}: {peaks} peak{'' if peaks == 1 else 's'} of at least 5 % "
        f"height at this bandwidth. Dots: the {of.n_modes} mode{'' if of.n_modes == 1 else 's'} of "
        f"the discovery half{'' if of.located else ', as far as they could be located'}; colours "
        f"change at the valleys. Orange line: {name}, at {digit:.2f}, above {below:.0%} of the "
        f"digits, in {_where(found, digit)}."
        + (
            " The curve extends a little below 0 because the density is smoothed."
            if of.apart
            else ""
        )
    )


def _where(found: UnitModes, value: float) -> str:
    """The mode in which a value lies, in words."""
    (at,) = members([value], found.found.modes, found.found.apart)
    return "the values at exactly 0" if at == ATOM else f"mode {at + 1}"


def _beside_atom(found: UnitModes, chart: Any) -> None:
    """The density, with the exact zeros on a scale of their own."""
    if not found.found.apart:
        st.vega_lite_chart(chart, key="unit density")
        return
    narrow, wide = st.columns([1, 6])
    zeros = int((found.values == 0).sum())
    narrow.vega_lite_chart(finished_chart(_zeros, zeros, len(found.values)), key="atom")
    wide.vega_lite_chart(chart, key="unit density")


def _zeros(zeros: int, total: int) -> alt.TopLevelMixin:
    """The exact zeros, as high as the density beside them."""
    chart: alt.Chart = unit_figures.exact_zeros(zeros, total).properties(height=280)
    return chart


def _tests(view: View, layer: ModesOfLayer, index: int, found: UnitModes) -> None:
    """Each test's result, what it can and can't see, and the modes as numbers."""
    _results(layer, index, found)
    name = f"modes-of-{file_name(view.run)}-{view.layer}-{index}-{view.tap}"
    with st.container(horizontal=True):
        download(partial(_modes, found), name, "Modes as CSV")
        curve = found.judged.density
        if curve is not None:
            frame = pd.DataFrame({"value": curve.grid, "density": curve.heights})
            download(frame, f"density-{name}", "Density as CSV")


@recorded
def _results(layer: ModesOfLayer, index: int, found: UnitModes) -> None:
    """The tests and the modes."""
    of, q = found.judged, float(layer.discovery.q[index])
    st.markdown("**Test results**")
    claim = "more than one mode" if of.multimodal else "no claim"
    rows = [
        ("Dip", f"{of.dip:.4f}, p {_p(of.p_value)} · q {q:.3f} on discovery", claim, "dip"),
        (
            "Critical bandwidth",
            f"{of.critical:.3g}, p {_p(of.sensitive_p)}",
            "suspect" if of.suspected else "no sign of more",
            "critical",
        ),
        (
            "Peaks of the density",
            f"{found.found.n_modes} stable (discovery), {of.n_modes} (confirmation)",
            "agree" if found.agree else "differ",
            "peaks",
        ),
        (
            "Bimodality coefficient",
            f"{of.bimodality:.3f}, threshold {THRESHOLD:.3f}",
            "description only",
            "bimodality",
        ),
        ("BIC, one Gaussian − two", f"{found.bic:.0f}", "description only", "bic"),
    ]
    for name, value, says, key in rows:
        left, right = st.columns([2, 3])
        left.markdown(f"**{name}**: {value} → **{says}**", help=_HELP[key])
        right.caption(f"Detects: {CANT[key][0]}  \nDoesn't detect: {CANT[key][1]}")
    helps = {name: column(name, DEFINITIONS[name]) for name in ("share", "prominence", "stability")}
    helps["at"] = column("at", "Position of the peak.")
    helps["from"] = column("from", "Valley to the left; empty if there is none.")
    helps["to"] = column("to", "Valley to the right; empty if there is none.")
    st.dataframe(_modes(found), hide_index=True, column_config=helps)


_HELP = {
    "dip": "\n\n".join(
        (DEFINITIONS["dip"], f"**p** {DEFINITIONS['p']}", f"**q** {DEFINITIONS['q']}")
    ),
    "critical": DEFINITIONS["sensitive_p"],
    "peaks": DEFINITIONS["modes"],
    "bimodality": DEFINITIONS["bimodality"],
    "bic": DEFINITIONS["bic"],
}


def _p(value: float) -> str:
    """A p-value as text, to the precision of the tables."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _modes(found: UnitModes) -> pd.DataFrame:
    """The modes as numbers."""
    return modes_table(found.found).replace([np.inf, -np.inf], np.nan)
