"""What each dimension of a class's capsule draws, of one digit and over many."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from core import pictures
from core.architectures.capsules import charts as figures
from core.architectures.capsules.pose_meanings import DRAWN, PoseMeanings
from core.architectures.capsules.poses import PROPERTIES
from core.architectures.capsules.poses_task import OBSERVED, PoseMeaningsTask
from core.architectures.capsules.trace import SHIFTS, Followed, strips
from core.models.capsules import POSE, Capsules
from core.runs import Run
from core.runtime.drawings import DRAWINGS
from core.units import UnitId
from pages.kit import digit, halves, place
from pages.kit.charts import finished_chart
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of

__all__ = ["dimensions"]

DEFINITIONS = {
    "property": (
        "The one of slant, thickness, width, height and ink that changes most, in standard "
        "deviations, when this dimension is shifted and digits of the discovery half are decoded. "
        "All other numbers are from the confirmation half."
    ),
    "effect": (
        "Change of the property of the decoded digit from a shift of −0.25 to one of +0.25, by a "
        "straight line fitted to five shifts, in standard deviations of the property over real "
        f"digits of the class. Mean of {DRAWN} digits. Positive slant leans to the right."
    ),
    "monotony": (
        "Spearman's correlation of shift and property within a digit, mean over digits: 1 or −1 "
        "if the property always rises or always falls."
    ),
    "null": (
        "The 95th percentile of the largest |monotony| of all 16 dimensions and 5 properties, "
        "under 500 shuffles of each digit's shifts."
    ),
    "purity": (
        "The largest squared effect as a share of the sum of the dimension's five: 1 if the "
        "dimension changes this property and no other. Width and ink also change with slant and "
        "thickness, so they cannot reach 1."
    ),
    "along": (
        "Spearman's correlation of the dimension with the property as measured on real digits of "
        f"the class, up to {OBSERVED} of the confirmation half. Nothing is shifted for this "
        "number."
    ),
    "along null": (
        "The 95th percentile of the largest |correlation| of 16 dimensions and 5 properties, "
        "under 500 permutations of the digits."
    ),
    "random axis": (
        "The largest |effect| on the property along 16 orthogonal axes in random directions, "
        "chosen on the discovery half just as the dimension was. A dimension that represents a "
        "property should have a larger effect than a mixture of all dimensions."
    ),
    "same": (
        "The dimension with the largest effect on the property is also the one most correlated "
        "with it in real digits, both chosen on the discovery half, and effect and correlation "
        "have the same sign on the confirmation half."
    ),
    "untrained": (
        "The largest |correlation| of the property with a dimension of the same network before "
        "training, chosen on the discovery half."
    ),
}


def dimensions(run: Run, model: Capsules, one: digit.Followed, seen: Followed) -> None:
    """Strips of the followed digit with what each dimension means, then all classes."""
    label = seen.answer
    found: PoseMeanings = result_of(PoseMeaningsTask(run))
    table = found.dimensions(label)
    halves.chosen_and_judged("Dimensions and their properties were chosen")
    st.markdown(
        f"**The capsule of class {label}, one dimension shifted at a time, and decoded**",
        help=DEFINITIONS["effect"],
    )
    _strips(table, DRAWINGS.get(strips, model, seen.poses[-1, label], label))
    st.caption(
        f"{one.name}: one of its 16 numbers is shifted by {SHIFTS[0]:g} (left) to "
        f"+{SHIFTS[-1]:g} (right) in steps of 0.05 as by Sabour et al. (2017), with the unshifted "
        "digit in the middle. Dimensions are named and sorted by the property that they change "
        "most in other digits of the class, in standard deviations over the whole shift."
    )
    _table(run, found, table, label)
    _all_classes(run, found)


def _strips(table: pd.DataFrame, drawn: np.ndarray) -> None:
    """A strip of decoded digits for each dimension, two beside each other where there is room."""
    columns = st.columns(2)
    for at, row in enumerate(table.to_dict("records")):
        tiles = pictures.enlarged(pictures.ink(drawn[int(row["dimension"])]), 2)
        words = (
            f"{row['property']} {row['effect']:+.2f} SD" if row["draws"] else "no consistent effect"
        )
        with columns[at * 2 // POSE]:
            st.markdown(f"dimension {row['dimension']} · {words}")
            st.image(DRAWINGS.get(pictures.png, pictures.sheet(tiles, len(tiles))))


def _table(run: Run, found: PoseMeanings, table: pd.DataFrame, label: int) -> None:
    """The numbers of every dimension of the class."""
    null, along = found.null[1, 0, label], found.along_null[1, 0, label]
    st.markdown(
        f"**The dimensions of class {label} in numbers.** {int(table['draws'].sum())} of {POSE} "
        f"change their property beyond chance (|monotony| above {null:.2f}); "
        f"{int(table['reads'].sum())} are correlated with it in real digits (|correlation| above "
        f"{along:.2f}).",
        help=f"{DEFINITIONS['null']}\n\n{DEFINITIONS['along null']}",
    )
    names = {"effect": "effect (SD)", "along": "correlation in real digits"}
    shown = {
        name: column(names.get(name, name), DEFINITIONS[name])
        for name in ("effect", "monotony", "purity", "along")
    }
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            **shown,
            "property": st.column_config.TextColumn(help=DEFINITIONS["property"]),
            "draws": st.column_config.CheckboxColumn("draws it", help=DEFINITIONS["null"]),
            "reads": st.column_config.CheckboxColumn("reads it", help=DEFINITIONS["along null"]),
        },
    )
    with st.container(horizontal=True):
        download(table, f"capsule-dimensions-{file_name(run)}-class{label}")
        first = int(table["dimension"].iloc[0])
        place.link(
            "units",
            f"Dimension {first} on the page Units",
            unit=UnitId("capsules", "pose", label * POSE + first),
        )


def _all_classes(run: Run, found: PoseMeanings) -> None:
    """For each class and property the dimension with the largest effect, with its controls."""
    table = found.properties()
    st.markdown("**All classes: the dimension with the largest effect on each property**")
    st.vega_lite_chart(finished_chart(figures.effects, table), key="effects of dimensions")
    st.caption(
        "“d5 +1.2”: dimension 5 of the class's capsule moves the property of decoded digits by "
        "1.2 standard deviations of real digits over the whole shift; red: increase, blue: "
        "decrease. Chosen on the discovery half, measured on the other. Numbers are per class: "
        "dimension 5 of another class is another unit.",
        help=DEFINITIONS["effect"],
    )
    _verdicts(run, found)
    with st.expander("Every class and property"):
        st.dataframe(table, hide_index=True, column_config=_columns())
        download(table, f"capsule-properties-{file_name(run)}")
    st.caption(
        f"{len(PROPERTIES)} properties, measured as by Morpho-MNIST (Castro et al. 2019). The "
        "shift is an intervention: it shows how the decoder uses the dimension. The correlation "
        "shows whether the dimension also reflects the property in real digits."
    )


def _verdicts(run: Run, found: PoseMeanings) -> None:
    """In how many classes a property has a dimension of its own, by each control."""
    table = found.summary()
    own, random = found.purities()
    slant = table.set_index("property").loc["slant"]
    st.markdown(
        f"**In how many of {slant['classes']} classes a dimension represents a property.** Slant: "
        f"consistent effect in {slant['steady']}, larger than along random axes in "
        f"{slant['above random']}, and largest effect and largest correlation in the same "
        f"dimension, with the same sign, in {slant['same']}."
    )
    st.dataframe(
        table.drop(columns="classes"),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(title, help=DEFINITIONS[about])
            for name, (title, about) in _VERDICTS.items()
        },
    )
    st.caption(
        "A consistent effect says little by itself: a smooth decoder shows one along almost any "
        "axis. A dimension represents a property only if its effect is larger than along random "
        "axes, and if it is also correlated with the property in real digits. Purity is "
        f"{own:.2f} (median) for the capsules' dimensions and {random:.2f} for random axes."
    )
    download(table, f"capsule-verdicts-{file_name(run)}")


_VERDICTS = {
    "steady": ("steady", "null"),
    "above random": ("more than random axes", "random axis"),
    "read": ("correlated in real digits", "along null"),
    "above untrained": ("better than untrained", "untrained"),
    "same": ("same dimension and sign", "same"),
}


def _columns() -> dict[str, ColumnConfig]:
    """The columns of the table of all classes with their definitions."""
    named = {
        "effect": "effect",
        "random axis": "random axis",
        "monotony": "monotony",
        "null": "null",
        "along": "along",
        "best along": "along",
        "along null": "along null",
        "untrained": "untrained",
    }
    read = st.column_config.NumberColumn(
        help="The dimension most correlated with the property, chosen on the discovery half."
    )
    return {
        "best read": read,
        **{name: column(name, DEFINITIONS[about]) for name, about in named.items()},
    }
