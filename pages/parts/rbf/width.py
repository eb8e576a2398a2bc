"""What the width of the radial units does, and what goes wrong without care for it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.architectures.rbf import charts as figures
from core.architectures.rbf.measure import bitmap_outputs
from core.architectures.rbf.results import RBFMeasures
from core.data.bitmaps import BITMAPS
from core.runs import Run
from pages.kit.charts import finished_chart
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.parts.rbf.centres import RESPONDING, WITHIN, ZEROS

__all__ = ["code_distances", "defects", "widths"]

ACCURACY = (
    "On the confirmation half. Kept: the weights learned at the network's own width. Refitted: a "
    "ridge regression on the training digits at each width."
)


def widths(run: Run, opened: RBFMeasures, factor: float) -> None:
    """Accuracy and responses over widths, the chosen one marked, and as numbers."""
    _over_widths(opened, factor)
    with st.expander("As numbers"):
        _numbers(opened)
        download(opened.widths, f"widths-{file_name(run)}")


@recorded
def _over_widths(opened: RBFMeasures, factor: float) -> None:
    """Accuracy and responses over widths, the chosen one marked."""
    frame = opened.widths
    now = frame[frame["factor"] == factor].set_index("read_out")["accuracy"]
    once = frame[frame["read_out"] == "fitted"]
    st.markdown(
        f"At {factor:g} times the network's own width, accuracy is **{now['kept']:.1%}** with the "
        f"read-out kept and **{now['fitted']:.1%}** with it refitted. If the width is too small, "
        "most digits are far from every centre; if it is too large, all centres respond equally.",
        help=ACCURACY,
    )
    chart = finished_chart(figures.over_widths, frame, "accuracy", factor, title="accuracy")
    st.vega_lite_chart(chart, key="accuracy over widths")
    left, right = st.columns(2)
    left.markdown("**Centres that respond to a digit**", help=RESPONDING)
    chart = finished_chart(
        figures.over_widths, once, "responding", factor, title="effective number", percent=False
    )
    left.vega_lite_chart(chart, key="responding over widths")
    right.markdown("**Responses that are exactly 0**", help=ZEROS)
    chart = finished_chart(figures.over_widths, once, "zeros", factor, title="share of responses")
    right.vega_lite_chart(chart, key="zeros over widths")
    st.caption("Orange: the width chosen at the top of this section. Confirmation half.")


@recorded
def _numbers(opened: RBFMeasures) -> None:
    """The same as a table."""
    st.dataframe(
        opened.widths,
        hide_index=True,
        column_config={
            "accuracy": column("accuracy", ACCURACY),
            "zeros": column("exact zeros", ZEROS),
            "silent": column("silent digits", "Share of digits to which all responses are 0."),
            "within": column("within σ", WITHIN),
            "responding": column("responding", RESPONDING),
        },
    )


@recorded
def defects(opened: RBFMeasures) -> None:
    """What the common mistake's layer did, measured on these digits."""
    sets = opened.sets.set_index("centres")
    wrong, right = sets.loc["normal"], sets.loc["k-means"]
    with st.expander("Common mistakes, and what to do instead"):
        st.markdown(
            "A common choice is to draw centres from N(0, 1) and start with σ = 1. Pixels lie in "
            "0..1, so in 784 dimensions every digit is far from every centre: φ is smaller than "
            "any positive 32-bit number, and all gradients are 0. Training cannot start."
        )
        rows = [
            ("centres", "N(0, 1), σ = 1", "k-means, σ = mean distance to the nearest centre"),
            ("responses exactly 0", f"{wrong['zeros']:.1%}", f"{right['zeros']:.1%}"),
            ("digits without any response", f"{wrong['silent']:.1%}", f"{right['silent']:.1%}"),
            ("mean distance to a centre", f"{wrong['distance']:.1f}", f"{right['distance']:.1f}"),
            ("accuracy, read-out fitted", f"{wrong['accuracy']:.1%}", f"{right['accuracy']:.1%}"),
            ("σ = 0", "0 / 0, which is not a number", "σ = exp(log σ), always above 0"),
            ("distances", "a tensor digits × centres × pixels", "‖x‖² + ‖c‖² − 2 x·c, at least 0"),
        ]
        table = pd.DataFrame(rows, columns=["", "common mistake", "here"])
        st.dataframe(table, hide_index=True)
        st.caption(
            "Measured on the confirmation half, except for the last two rows, which describe the "
            "code."
        )


def code_distances() -> pd.DataFrame:
    """The outputs for activations that are the bitmaps, (classes, classes)."""
    return pd.DataFrame(bitmap_outputs(BITMAPS))
