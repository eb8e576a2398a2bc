"""A trained model at a glance: its numbers, its most specialized units, and how it learned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core import charts, pictures
from core.analyses.profiles import table
from core.analyses.profiles.task import Study
from core.runtime.drawings import drawn_once
from core.training import PROBE
from core.units import UnitId
from pages.kit import halves
from pages.kit.charts import finished_chart
from pages.kit.gallery import gallery
from pages.kit.glossary import DEFINITIONS
from pages.kit.grid import Grid
from pages.kit.opening import unit_grid
from pages.kit.recorded import recorded

__all__ = ["facts", "learning", "specialized"]

_SHOWN = 12  # units among the most specialized


@recorded
def facts(study: Study) -> None:
    """The model in five numbers."""
    units = table(study.profiles, study.run.architecture)
    hidden = units[units["layer"] != study.model.layers[-1]]
    dead = int(units["dead"].sum())
    parameters = sum(value.numel() for value in study.model.parameters())
    median, untrained = (hidden[name].median() for name in ("selectivity", "selectivity_untrained"))
    columns = st.columns(5)
    columns[0].metric(
        "Accuracy",
        f"{study.accuracy:.2%}",
        help="On the 10,000 test digits, none of which were used in training.",
    )
    columns[1].metric("Parameters", f"{parameters:,}", help="Weights and biases.")
    columns[2].metric("Units", len(units), help="Channels of convolutions, and dense units.")
    columns[3].metric("Dead units", dead, help=DEFINITIONS["dead"])
    columns[4].metric(
        "Median selectivity",
        f"{median:.2f}",
        delta=f"{median - untrained:+.2f} from training",
        help=f"Of the hidden units. {DEFINITIONS['selectivity']}",
    )


def specialized(study: Study) -> None:
    """The hidden units with the highest selectivity, each a picture that opens the unit."""
    grid, units = _most_specialized(study)
    unit_grid(
        grid,
        units,
        key="grid of specialized",
        label=f"Most specialized units of {study.run}",
        scale=4,
    )
    st.caption(
        "Each picture is the mean of the digits, weighted by how strongly each activates the "
        "unit. Below: layer/unit · top class · selectivity. Click one to open the unit. "
        f"{halves.sentence('The units were chosen')} A selective unit need not be an important "
        "one: only removing it shows what the network needs it for."
    )


@drawn_once
def _most_specialized(study: Study) -> tuple[Grid, tuple[UnitId, ...]]:
    """The units with the highest selectivity, and their pictures."""
    units = table(study.profiles, study.run.architecture)
    # A dormant unit answers a few digits only, so its selectivity is an accident.
    silent = units["dead"] | units["dormant"]
    hidden = units[(units["layer"] != study.model.layers[-1]) & ~silent]
    best = hidden.sort_values("selectivity_discovery", ascending=False).head(_SHOWN)
    images = [
        study.profiles[row["layer"]].mean_images[row["index"], -1] for _, row in best.iterrows()
    ]
    grid = gallery(
        pictures.stretched(np.stack(images)),
        [
            f"{name}: top class {row['top_class']}, selectivity {row['selectivity']:.2f}, "
            f"untrained {row['selectivity_untrained']:.2f}, "
            f"permuted labels {row['selectivity_permuted']:.2f}"
            for name, row in best.iterrows()
        ],
        [
            f"{row['layer']}/{row['index']} · {row['top_class']} · {row['selectivity']:.2f}"
            for _, row in best.iterrows()
        ],
    )
    return grid, tuple(UnitId.parse(str(name)) for name in best.index)


@recorded
def learning(study: Study) -> None:
    """Loss and selectivity over training."""
    history = study.model.history
    left, right = st.columns(2)
    left.markdown("**Loss** of each batch")
    steps = np.arange(1, len(history.loss) + 1)
    keep = np.unique(np.geomspace(1, len(steps), 400).astype(int)) - 1
    left.vega_lite_chart(
        finished_chart(charts.learning, steps[keep], np.array(history.loss)[keep]), key="loss"
    )
    rows = [
        {"layer": layer, "step": moment.step, "median": median}
        for moment in history.moments
        for layer, median in moment.median_selectivity().items()
    ]
    right.markdown("**Class selectivity**, the median unit of each layer")
    right.vega_lite_chart(finished_chart(charts.emergence, pd.DataFrame(rows)), key="emergence")
    st.caption(
        f"Measured on {PROBE} digits held back from training, after 0, 1, 2, 3, 4, 6, … batches. "
        "Units are somewhat selective before any training: a random filter already prefers some "
        "shapes."
    )
