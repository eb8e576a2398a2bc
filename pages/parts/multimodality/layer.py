"""Overview of a layer: every unit's density, how many have several modes, against controls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from core.analyses.modality.task import TAPS, LayerModesTask, taps
from core.analyses.modality.unit_modes import ModesOfLayer
from core.charts import modality as figures
from core.runs import Run
from core.runtime.drawings import drawn_once
from core.statistics.modes import RATE, LayerModes
from core.units import UnitId
from pages.kit import links
from pages.kit.controls import choose, pick
from pages.kit.gallery import gallery
from pages.kit.grid import Grid, image_grid
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.unit import layer_option
from pages.parts.multimodality.words import COLUMNS, DEFINITIONS, ORDERS
from pages.parts.multimodality.words import TAPS as TAP_NAMES

__all__ = ["View", "controls", "report"]

ORDER = links.one_of("order", tuple(ORDERS))


@dataclass(frozen=True)
class View:
    """What the address asks for. tap: one of `TAPS`; read: where that is, in words."""

    run: Run
    layer: str
    tap: str
    read: str
    order: str

    @property
    def task(self) -> LayerModesTask:
        """The modes of the layer."""
        return LayerModesTask(self.run, self.layer, self.tap)

    @property
    def name(self) -> str:
        """The layer and its network."""
        return f"{self.run.architecture}/{self.layer}"

    def unit(self, index: int) -> UnitId:
        """A unit of the layer."""
        return UnitId(self.run.architecture, self.layer, index)


def controls(run: Run) -> View:
    """The choice of layer, tap and order."""
    described = {of.name: of for of in run.layers}
    dense = [name for name, of in described.items() if of.hidden_dense]
    layer = layer_option(tuple(described), (dense or list(described))[0])
    left, middle, right = st.columns([2, 3, 2])
    # another layer has other units, and may be read elsewhere
    choose(layer, "Layer", where=left, resets=("tap", "unit", "width"))
    known = taps(described[layer.value()])
    tap = links.one_of("tap", known)
    of = described[layer.value()]
    names = TAP_NAMES if len(known) > 1 else {known[0]: of.tap.capitalize()}
    pick(
        tap,
        "Values",
        where=middle,
        names=names.__getitem__,
        help=DEFINITIONS["tap"],
        resets=("width",),  # a bandwidth chosen before would mislead
    )
    choose(ORDER, "Order", where=right, names=ORDERS.__getitem__)
    read = "after the ReLU" if tap.value() == TAPS[1] else of.tap
    if of.map is not None:
        read = f"maximum over the map, {read}"
    return View(run, layer.value(), tap.value(), read, ORDER.value())


def report(view: View, layer: ModesOfLayer) -> None:
    """The answer, its controls, every unit's density, and a table of all."""
    _headline(view, layer)
    _controls_beside(layer)
    _glance(view, layer.discovery)
    with st.expander("Every unit as a table"):
        _table(view, layer)
        download(
            partial(units_table, view, layer),
            f"modes-{file_name(view.run)}-{view.layer}-{view.tap}",
        )


@recorded
def _table(view: View, layer: ModesOfLayer) -> None:
    """Every unit, in the view's order."""
    table = units_table(view, layer)
    helps = {
        name: column(COLUMNS[name], DEFINITIONS.get(name, DEFINITIONS["sensitive_p"]))
        for name in table.columns
        if name in COLUMNS
    }
    st.dataframe(table, hide_index=True, column_config=helps, height=380)


@recorded
def _headline(view: View, layer: ModesOfLayer) -> None:
    """How many units have more than one mode, in a sentence."""
    of = layer.discovery
    claimed, units = of.claimed, len(of)
    untested = units - int(of.tested.sum())
    if claimed.any():
        st.markdown(
            f"**{int(claimed.sum())} of {units} units** of {view.name} have more than one mode at "
            f"a false discovery rate of {RATE:.0%}; **{layer.confirmed}** of them are confirmed on "
            "the other half of the digits.",
            help=DEFINITIONS["q"],
        )
    else:
        st.markdown(
            f"**None of the {units} units** of {view.name} can be claimed to have more than one "
            f"mode at a false discovery rate of {RATE:.0%}. This is a result too.",
            help=DEFINITIONS["q"],
        )
    apart = int(of.apart.sum())
    zeros = (
        f" {_units(apart)} with many values at exactly 0, which are reported separately."
        if apart
        else ""
    )
    left = f" {_units(untested)} can't be tested: constant, or too few values." if untested else ""
    st.caption(f"Read: {view.read}. Units were chosen on the discovery half.{zeros}{left}")


def _units(count: int) -> str:
    """A number of units, with the right plural."""
    return f"{count} unit{'' if count == 1 else 's'}"


@recorded
def _controls_beside(layer: ModesOfLayer) -> None:
    """The same tests on the other half, and on the network before training."""
    networks = [
        "this network, discovery half",
        "this network, confirmation half",
        "untrained, discovery half",
    ]
    table = layer.counts().rename(columns={"suspected": "critical width"})
    table.insert(0, "network", networks)
    whole = st.column_config.NumberColumn
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "claimed": whole("claimed: dip, q < .05", help=DEFINITIONS["q"]),
            "critical width": whole("critical width, q < .05", help=DEFINITIONS["sensitive_p"]),
            "tested": whole(
                "units tested", help="Units with at least 50 values, of which at least 11 differ."
            ),
        },
    )
    st.caption(
        "The critical bandwidth test also detects small modes, but mistakes flat tops for modes: "
        "it only lists candidates. " + DEFINITIONS["untrained"]
    )


def _glance(view: View, of: LayerModes) -> None:
    """Every unit's density as a small picture; a click opens the unit."""
    st.subheader("Overview of the layer")
    picked = image_grid(
        _densities(of, view.order),
        key="grid of densities",
        label=f"densities of {view.name}, {view.read}, {view.order}, {view.run}",
        scale=1,
        max_height=430,
    )
    if picked is not None:
        links.put(unit=view.unit(int(of.order(view.order)[picked])), width=None)
        st.rerun()
    st.caption(
        "Each picture: the density of one unit's activation over 5,000 digits, scaled to its "
        "highest peak; the thin line is 0. Below: unit · modes. Blue: claimed to have more than "
        "one mode. Stripes: not tested. Click one to open it below."
    )


@drawn_once
def _densities(of: LayerModes, by: str) -> Grid:
    """The density of every unit, in an order."""
    order = of.order(by)
    tiles = figures.density_tiles(
        of.heights[order], of.first[order], of.step[order], of.claimed[order]
    )
    words = [
        f"unit {unit}: {_said(of, unit)}, dip {of.dip[unit]:.3f}, q {of.q[unit]:.4f}"
        for unit in order
    ]
    return gallery(tiles, words, [f"{unit} · {of.modes[unit] or '–'}" for unit in order])


def _said(of: LayerModes, unit: int) -> str:
    """A unit's modes in words."""
    if not of.tested[unit]:
        return str(of.state[unit])
    atom = f"{of.zeros[unit]:.0%} exactly 0 + " if of.apart[unit] else ""
    return f"{atom}{of.modes[unit]} mode{'' if of.modes[unit] == 1 else 's'}"


def units_table(view: View, layer: ModesOfLayer) -> pd.DataFrame:
    """A row for each unit, in the view's order."""
    of, again, before = layer.discovery, layer.confirmation, layer.untrained
    order = of.order(view.order)
    columns = {
        "unit": [str(view.unit(index)) for index in range(len(of))],
        "found": [_said(of, unit) for unit in range(len(of))],
        "dip": of.dip,
        "q": of.q,
        "p_confirmed": again.p,
        "sensitive_q": of.sensitive_q,
        "sensitive_confirmed": again.sensitive_p,
        "untrained_p": before.p,
        "zeros": of.zeros,
        "modes": of.modes,
        "bandwidth": of.bandwidth,
        "bimodality": of.bimodality,
    }
    return pd.DataFrame(columns).iloc[order]
