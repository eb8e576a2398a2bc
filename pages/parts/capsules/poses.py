"""What each dimension of a class's capsule draws, of one digit and over many."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from core import pictures
from core.architectures.capsules import charts as figures
from core.architectures.capsules.poses import PROPERTIES
from core.architectures.capsules.poses_task import DRAWN, OBSERVED, Meanings, Meant
from core.architectures.capsules.trace import SHIFTS, Followed, strips
from core.models.capsules import POSE, Capsules
from core.runtime.drawings import DRAWINGS
from core.runtime.task import Choice
from pages.kit import digit, place
from pages.kit.charts import finished_chart
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of

__all__ = ["dimensions"]

DEFINITIONS = {
    "property": (
        "Of slant, thickness, width, height and ink, the one that a shift of this dimension "
        "changes most in decoded digits of the discovery half, in standard deviations. All other "
        "numbers are of the confirmation half."
    ),
    "effect": (
        "How far the property of the decoded digit moves from a shift of −0.25 to one of +0.25, "
        "along a straight line through five shifts, in standard deviations of the property over "
        f"real digits of the class. Mean of {DRAWN} digits. Positive slant leans to the right."
    ),
    "monotony": (
        "Spearman's correlation of shift and property within a digit, mean over digits: 1 or −1 "
        "when the property only ever grows or falls."
    ),
    "null": (
        "What the largest |monotony| of all 16 dimensions and 5 properties stays below in 95 % of "
        "500 shuffles of each digit's shifts."
    ),
    "purity": (
        "Share of the largest squared effect among the dimension's five: 1 when the dimension "
        "changes this property and no other. Width and ink also change with slant and thickness, "
        "so 1 is out of reach for them."
    ),
    "along": (
        "Spearman's correlation of the dimension with the property as measured on real digits of "
        f"the class, up to {OBSERVED} of the confirmation half. Nothing is shifted here."
    ),
    "along null": (
        "What the largest |correlation| of 16 dimensions and 5 properties stays below in 95 % of "
        "500 permutations of the digits."
    ),
    "random axis": (
        "The largest |effect| on the property along 16 axes at right angles that were turned at "
        "random, chosen on the discovery half as the dimension was. A dimension that stands for a "
        "property should do more than a mixture of all."
    ),
    "same": (
        "The dimension that draws the property most is also the one that goes along with it most "
        "in real digits, both chosen on the discovery half, and effect and correlation have the "
        "same sign on the other."
    ),
    "untrained": (
        "The largest |correlation| of the property with a dimension of the same network before "
        "training, chosen on the discovery half."
    ),
}


def dimensions(choice: Choice, model: Capsules, one: digit.Followed, seen: Followed) -> None:
    """Strips of the followed digit with what each dimension means, then all classes."""
    label = seen.answer
    found: Meant = result_of(Meanings(choice))
    table = found.dimensions(label)
    st.markdown(
        f"**The capsule of class {label}, one dimension shifted at a time, and decoded**",
        help=DEFINITIONS["effect"],
    )
    _strips(table, DRAWINGS.get(strips, model, seen.poses[-1, label], label))
    st.caption(
        f"Test digit {one.number}: its 16 numbers, one of them shifted by {SHIFTS[0]:g} (left) to "
        f"+{SHIFTS[-1]:g} (right) in steps of 0.05 as by Sabour et al. (2017), the middle as it "
        "is. Named and sorted by the property that the dimension changes most in other digits of "
        "the class, in standard deviations over the whole shift."
    )
    _table(choice, found, table, label)
    _all_classes(choice, found)


def _strips(table: pd.DataFrame, drawn: np.ndarray) -> None:
    """A strip of decoded digits for each dimension, two beside each other where there is room."""
    columns = st.columns(2)
    for at, row in enumerate(table.to_dict("records")):
        tiles = pictures.enlarged(pictures.ink(drawn[int(row["dimension"])]), 2)
        words = f"{row['property']} {row['effect']:+.2f} SD" if row["draws"] else "nothing steady"
        with columns[at * 2 // POSE]:
            st.markdown(f"dimension {row['dimension']} · {words}")
            st.image(DRAWINGS.get(pictures.png, pictures.sheet(tiles, len(tiles))))


def _table(choice: Choice, found: Meant, table: pd.DataFrame, label: int) -> None:
    """The numbers of every dimension of the class."""
    null, along = found.null[1, 0, label], found.along_null[1, 0, label]
    st.markdown(
        f"**The dimensions of class {label} in numbers.** {int(table['draws'].sum())} of {POSE} "
        f"change their property beyond chance (|monotony| above {null:.2f}); "
        f"{int(table['reads'].sum())} go along with it in real digits (|correlation| above "
        f"{along:.2f}).",
        help=f"{DEFINITIONS['null']}\n\n{DEFINITIONS['along null']}",
    )
    names = {"effect": "effect (SD)", "along": "goes along with it"}
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
        download(table, f"capsule-dimensions-{file_name(choice)}-class{label}")
        first = int(table["dimension"].iloc[0])
        unit = label * POSE + first
        place.link(
            "units",
            f"Dimension {first} on the page Units",
            model="capsules",
            layer="pose",
            unit=unit,
        )


def _all_classes(choice: Choice, found: Meant) -> None:
    """For each class and property the dimension that draws it most, beside its controls."""
    table = found.properties()
    st.markdown("**All classes: the dimension that draws a property most**")
    st.vega_lite_chart(finished_chart(figures.effects, table), key="effects of dimensions")
    st.caption(
        "“d5 +1.2”: dimension 5 of the class's capsule moves the property of decoded digits by 1.2 "
        "standard deviations of real digits over the whole shift; red up, blue down. Chosen on the "
        "discovery half, measured on the other. A number belongs to one class: dimension 5 of "
        "another class is another unit.",
        help=DEFINITIONS["effect"],
    )
    _verdicts(choice, found)
    with st.expander("Every class and property"):
        st.dataframe(table, hide_index=True, column_config=_columns())
        download(table, f"capsule-properties-{file_name(choice)}")
    st.caption(
        f"{len(PROPERTIES)} properties, measured as by Morpho-MNIST (Castro et al. 2019). The "
        "shift is an intervention, and what it shows is what the decoder makes of the dimension; "
        "whether the network reads the same from a digit is what the correlation tells."
    )


def _verdicts(choice: Choice, found: Meant) -> None:
    """In how many classes a property has a dimension of its own, by each control."""
    table = found.summary()
    own, random = found.purities()
    slant = table.set_index("property").loc["slant"]
    st.markdown(
        f"**In how many of {slant['classes']} classes a dimension holds up.** Slant: drawn "
        f"steadily in {slant['steady']}, more than along random axes in {slant['above random']}, "
        f"and drawn and read by one and the same dimension, with the same sign, in "
        f"{slant['same']}."
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
        "That a shift changes a property steadily says little by itself: a smooth decoder does so "
        "along almost any axis. A dimension is a carrier of its own where it does more than axes "
        "turned at random, and where real digits have it too. Purity is "
        f"{own:.2f} (median) for the capsules' own dimensions and {random:.2f} for random axes."
    )
    download(table, f"capsule-verdicts-{file_name(choice)}")


_VERDICTS = {
    "steady": ("steady", "null"),
    "above random": ("more than random axes", "random axis"),
    "read": ("read from digits", "along null"),
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
        help="The dimension that goes along with the property most, chosen on the discovery half."
    )
    return {
        "best read": read,
        **{name: column(name, DEFINITIONS[about]) for name, about in named.items()},
    }
