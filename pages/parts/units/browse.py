"""Every unit of a model: filtered, sorted, as pictures to click and as a table to download."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core import pictures
from core.analyses.labelling import NONE
from core.analyses.labelling.task import UnitLabelsTask
from core.analyses.maximize import Maximized, Settings
from core.analyses.maximize.task import MaximizedTask
from core.analyses.profiles import table
from core.analyses.profiles.task import Study
from core.data.concepts import CONCEPTS
from core.runtime.drawings import DRAWINGS, drawn_once
from core.units import UnitId
from pages.kit import halves, links
from pages.kit.controls import choose, slide
from pages.kit.gallery import gallery
from pages.kit.glossary import DEFINITIONS, NAMES
from pages.kit.grid import Grid, image_grid
from pages.kit.opening import addresses
from pages.kit.recorded import recorded
from pages.kit.tables import download
from pages.kit.unit import layer_option
from pages.kit.waiting import result_of

__all__ = ["units"]

CLASSES = tuple(map(str, range(10)))
STATES = ("any", "dead", "dormant", "always_on", "saturated", "constant")
SORTS = ("selectivity", "auc", "d_prime", "information", "fraction_active", "maximum", "index")
STATE_NAMES = {"always_on": "always on"}
POLYSEMANTIC = "two labels"
_WORDS = tuple(
    name for name, of in CONCEPTS.items() if not of.generated and of.category != "position"
)
TOP = links.one_of("top", ("any", *CLASSES))
STATE = links.one_of("state", STATES)
SORT = links.one_of("sort", SORTS)
ORDER = links.one_of("order", ("highest", "lowest"))
PICTURE = links.one_of("picture", ("mean", "maximized"))
ANSWERS = links.one_of("answers", ("any", POLYSEMANTIC, NONE, *_WORDS))
SELECTIVITY = links.span("selectivity", 0, 100)
ACTIVE = links.span("active", 0, 100)
_PERCENT = ("fraction_active",)


def units(study: Study) -> None:
    """The page of all units."""
    layer = layer_option(("all", *study.model.layers))
    st.title("Units")
    halves.chosen_and_judged("Top classes and labels were chosen")
    _controls(layer)
    every = DRAWINGS.get(table, study.profiles, study.run.architecture)
    if ANSWERS.value() != "any":
        every = _labelled(study, every)
    chosen = _chosen(every, layer.value())
    st.caption(f"{len(chosen)} of {len(every)} units. Click one to open it.")
    if chosen.empty:
        st.info("No unit matches: widen a range, or choose any top class, layer and state.")
    else:
        _pictures(study, chosen, layer.value())
        _table(chosen)


def _controls(layer: links.Option[str]) -> None:
    """The filters and the order."""
    first = st.columns(4)
    second = st.columns(5)
    sorts = "For definitions, point at the column names of the table below."
    for column, option, name, help_ in (
        (first[0], layer, "Layer", None),
        (first[1], TOP, "Top class", DEFINITIONS["top_class"]),
        (first[2], ANSWERS, "Responds to", DEFINITIONS["label"]),
        (first[3], STATE, "State", _states()),
        (second[0], PICTURE, "Picture", None),
        (second[1], SORT, "Sort by", sorts),
        (second[2], ORDER, "Order", None),
    ):
        resets = ("unit",) if option is layer else ()  # one that no layer has
        choose(option, name, where=column, names=_shown, help=help_, resets=resets)
    slide(SELECTIVITY, "Selectivity, %", where=second[3], help=DEFINITIONS["selectivity"])
    active = DEFINITIONS["fraction_active"]
    slide(ACTIVE, "Active on, % of digits", where=second[4], help=active)


def _shown(value: str) -> str:
    """A value of a filter in words."""
    if value in CONCEPTS:
        return CONCEPTS[value].text
    return NAMES.get(value, STATE_NAMES.get(value, value))


def _states() -> str:
    """What the states mean."""
    return "\n\n".join(
        f"**{STATE_NAMES.get(state, state)}**: {DEFINITIONS[state]}" for state in STATES[1:]
    )


def _labelled(study: Study, every: pd.DataFrame) -> pd.DataFrame:
    """The table with each unit's label."""
    named = result_of(UnitLabelsTask(study.run))
    columns = {
        name: np.concatenate([getattr(of, name) for of in named.labels.values()])
        for name in ("label", "code")
    }
    return every.assign(**columns)


def _answering(codes: pd.Series, wanted: str) -> pd.Series:
    """Which units have a label that includes the concept `wanted`, (units,) of bool."""
    if wanted == NONE:
        return codes == ""
    if wanted == POLYSEMANTIC:
        return codes.str.contains("|", regex=False)
    return codes.map(lambda code: wanted in code.replace("|", ",").split(","))


def _chosen(every: pd.DataFrame, layer: str) -> pd.DataFrame:
    """The units that pass the filters, in order."""
    keep = pd.Series(True, index=every.index)
    if layer != "all":
        keep &= every["layer"] == layer
    if TOP.value() != "any":
        keep &= every["top_class"] == int(TOP.value())
    if STATE.value() != "any":
        keep &= every[STATE.value()]
    if ANSWERS.value() != "any":
        keep &= _answering(every["code"], ANSWERS.value())
    for option, name in ((SELECTIVITY, "selectivity"), (ACTIVE, "fraction_active")):
        low, high = option.value()
        # a selectivity below 0 counts as 0, so that the whole range is every unit
        keep &= every[name].clip(lower=0).between(low / 100, high / 100)
    if SORT.value() == "index":
        rows = every[keep]
        return rows if ORDER.value() == "lowest" else rows[::-1]
    return every[keep].sort_values(SORT.value(), ascending=ORDER.value() == "lowest", kind="stable")


def _pictures(study: Study, chosen: pd.DataFrame, layer: str) -> None:
    """The grid; a click opens the unit."""
    maximized, found = PICTURE.value() == "maximized", None
    if maximized and layer == "all":
        st.info("Choose a layer to see its maximized inputs; mean images are shown here.")
    if maximized and layer != "all":
        found = result_of(MaximizedTask(study.run, layer, Settings()))
    sort = SORT.value() if SORT.value() != "index" else "selectivity"
    grid = _grid(study, chosen, layer, sort, found)
    marked = np.flatnonzero((chosen["dead"] | chosen["dormant"]).to_numpy()).tolist()
    label = (
        f"Units of {study.run}, layer {layer}, top class {TOP.value()}, state {STATE.value()}, "
        f"by {SORT.value()}, {ORDER.value()} first"
    )
    units = [UnitId.parse(name) for name in chosen.index]
    picked = image_grid(
        grid,
        key="grid of units",
        label=label,
        scale=3,
        marked=marked,
        mark="dead or dormant",
        max_height=640,
        addresses=addresses(units),
    )
    _legend(maximized and layer != "all", sort)
    if picked is not None:
        links.put(unit=units[picked])
        st.rerun()


@drawn_once
def _grid(
    study: Study, chosen: pd.DataFrame, layer: str, sort: str, found: Maximized | None
) -> Grid:
    """The pictures of the units, those of `found` if there are any, and the words below them."""
    if found is not None:
        rows = chosen["index"].to_numpy()
        tiles = pictures.ink(found.images[rows, 0].numpy())
        tiles = pictures.hatched(tiles, found.stuck[rows].numpy())
    else:
        images = np.stack([study.profiles[of].mean_images[at, -1] for of, at in _places(chosen)])
        tiles = pictures.stretched(images)
    return gallery(
        tiles,
        [_alt(name, row) for name, row in chosen.iterrows()],
        [
            f"{row['index'] if layer != 'all' else row['layer'] + '/' + str(row['index'])}"
            f" · {row['top_class']} · {_short(sort, row[sort])}"
            for _, row in chosen.iterrows()
        ],
    )


def _legend(maximized: bool, sort: str) -> None:
    """What the pictures and the words below them are."""
    what = "the mean of the digits, weighted by its activation on each"
    st.caption(
        f"The picture of a unit is {'the image that maximizes it' if maximized else what}. Below "
        f"it: unit · top class · {NAMES[sort]}. An orange dot marks a dead or dormant unit."
    )


def _places(chosen: pd.DataFrame) -> list[tuple[str, int]]:
    """(layer, index) of each unit."""
    return list(zip(chosen["layer"], chosen["index"].astype(int), strict=True))


def _alt(name: object, row: pd.Series) -> str:
    """A unit in words."""
    said = f", responds to {row['label']}" if "label" in row else ""
    return (
        f"{name}{said}: top class {row['top_class']}, selectivity {row['selectivity']:.2f} "
        f"(untrained {row['selectivity_untrained']:.2f}, permuted labels "
        f"{row['selectivity_permuted']:.2f}), active on {row['fraction_active']:.0%} of digits"
    )


def _short(name: str, value: float) -> str:
    """A number as short as it can be read."""
    return f"{value:.0%}" if name in _PERCENT else f"{value:.2f}"


def _table(chosen: pd.DataFrame) -> None:
    """All numbers of the units shown, to sort and to download."""
    with st.expander("As a table", icon=":material/table:"):
        _numbers(chosen)
        download(chosen, "units", index=True)


@recorded
def _numbers(chosen: pd.DataFrame) -> None:
    """The table, its columns with their definitions."""
    columns = {
        name: st.column_config.NumberColumn(
            NAMES.get(name, name), format="%.3f", help=DEFINITIONS.get(name)
        )
        for name in chosen.columns[chosen.dtypes == np.float32]
    }
    for name in [name for name in columns if name.endswith(("_untrained", "_permuted"))]:
        base, _, control = name.rpartition("_")
        columns[name] = st.column_config.NumberColumn(
            f"{NAMES[base]}, {control}", format="%.3f", help=DEFINITIONS[control]
        )
    st.dataframe(chosen, column_config=columns, height=360)
