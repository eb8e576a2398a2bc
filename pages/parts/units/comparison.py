"""Up to five units side by side: their class profiles, and what each does on the same digits."""

from __future__ import annotations

import base64

import numpy as np
import pandas as pd
import streamlit as st

from core import charts, pictures
from core.activations import collect
from core.analyses.profiles.task import Study
from core.runtime import cache
from core.runtime.drawings import DRAWINGS, drawn_once
from core.units import UnitId
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import several

__all__ = ["compare"]

_MOST = 5  # units, the page's own included
_EACH = 4  # digits from the top of each unit


def compare(study: Study, unit: UnitId) -> None:
    """The choice of other units, and the comparison with them."""
    every = _names(study)
    option = links.several("compare", every, most=_MOST - 1)
    own, others = str(unit), option.value()
    several(
        option,
        f"Compare {own} with",
        among=[name for name in every if name != own or name in others],
        most=_MOST - 1,
        hint="Choose up to four others",
    )
    names = list(dict.fromkeys([own, *others]))
    if len(names) == 1:
        st.caption("Choose another unit to see the class profiles and digits of both side by side.")
        return
    units = [UnitId.parse(name) for name in names]
    means = [study.profiles[of.layer].class_means[of.index] for of in units]
    st.vega_lite_chart(finished_chart(charts.comparison, names, np.stack(means)), key="comparison")
    _same_digits(study, units)


@drawn_once
def _names(study: Study) -> tuple[str, ...]:
    """The name of every unit of the model."""
    return tuple(
        str(UnitId(study.run.architecture, layer, index))
        for layer, of in study.profiles.items()
        for index in range(len(of))
    )


def _same_digits(study: Study, units: list[UnitId]) -> None:
    """A row for each digit at the top of any of the units, a column for each unit."""
    digits = cache.digits(study.run.data, "confirmation")
    numbers = list(
        dict.fromkeys(
            int(number)
            for unit in units
            for number in study.profiles[unit.layer].examples[unit.index, 0, :_EACH]
        )
    )
    images = digits.images[numbers]
    tiles = pictures.enlarged(pictures.ink(images[:, 0].numpy()), 2)
    table = pd.DataFrame({"digit": [_address(tile) for tile in tiles]})
    ids = digits.ids
    table["image"] = [ids[number] for number in numbers]
    table["class"] = digits.labels[numbers].tolist()
    for unit in units:
        values = DRAWINGS.get(collect, study.model, images, unit.layer)[:, unit.index]
        table[str(unit)] = (values.amax((1, 2)) if values.ndim == 3 else values).numpy()
    st.dataframe(
        table,
        hide_index=True,
        row_height=60,
        column_config={
            "digit": st.column_config.ImageColumn("Digit", width="small"),
            "image": st.column_config.TextColumn(
                "Image", help="Its name: the file that it is from, and its place there."
            ),
            "class": "Class",
            **{str(unit): st.column_config.NumberColumn(format="%.2f") for unit in units},
        },
    )
    st.caption(
        "The four highest digits of each unit. Activations before any ReLU; of a map, its maximum."
    )


def _address(tile: pictures.Bytes) -> str:
    """A picture as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(pictures.png(tile)).decode()
