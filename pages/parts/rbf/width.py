"""What the width of the radial units does, and what goes wrong without care for it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.architectures.rbf import charts as figures
from core.architectures.rbf.measure import bitmap_outputs
from core.architectures.rbf.task import OpenedRBF
from core.data.bitmaps import BITMAPS
from core.runtime.task import Choice
from pages.kit.charts import finished_chart
from pages.kit.tables import column, download, file_name
from pages.parts.rbf.centres import RESPONDING, WITHIN, ZEROS

__all__ = ["code_distances", "defects", "widths"]

ACCURACY = (
    "On the confirmation half. Kept: the weights learned at the network's own width. Fitted anew: "
    "a ridge regression on the training digits at each width."
)


def widths(choice: Choice, opened: OpenedRBF, factor: float) -> None:
    """Accuracy and responses over widths, the chosen one marked."""
    frame = opened.widths
    now = frame[frame["factor"] == factor].set_index("read_out")["accuracy"]
    once = frame[frame["read_out"] == "fitted"]
    st.markdown(
        f"At {factor:g} times the network's own width the answer is right on "
        f"**{now['kept']:.1%}** of digits with the read-out kept, on **{now['fitted']:.1%}** with "
        "it fitted anew. Too narrow, and most digits are far from every centre; too wide, and all "
        "centres answer alike.",
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
    with st.expander("As numbers"):
        st.dataframe(
            frame,
            hide_index=True,
            column_config={
                "accuracy": column("accuracy", ACCURACY),
                "zeros": column("exact zeros", ZEROS),
                "silent": column("silent digits", "Share of digits to which all responses are 0."),
                "within": column("within σ", WITHIN),
                "responding": column("responding", RESPONDING),
            },
        )
        download(frame, f"widths-{file_name(choice)}")


def defects(opened: OpenedRBF) -> None:
    """What the course module's layer did, measured on these digits."""
    sets = opened.sets.set_index("centres")
    wrong, right = sets.loc["normal"], sets.loc["k-means"]
    with st.expander("What the course module did, and what is right"):
        st.markdown(
            "Its layer drew centres from N(0, 1) and began with σ = 1. A digit has pixels in 0..1, "
            "so in 784 dimensions every digit is far from every centre, φ is below the smallest "
            "number that 32 bits can hold, and all gradients are 0 with it. No training can start."
        )
        rows = [
            ("centres", "N(0, 1), σ = 1", "k-means, σ the mean distance to the nearest"),
            ("responses exactly 0", f"{wrong['zeros']:.1%}", f"{right['zeros']:.1%}"),
            ("digits without any response", f"{wrong['silent']:.1%}", f"{right['silent']:.1%}"),
            ("mean distance to a centre", f"{wrong['distance']:.1f}", f"{right['distance']:.1f}"),
            ("accuracy, read-out fitted", f"{wrong['accuracy']:.1%}", f"{right['accuracy']:.1%}"),
            ("σ = 0", "0 / 0, not a number", "σ = exp(log σ), always above 0"),
            ("distances", "a tensor digits × centres × pixels", "‖x‖² + ‖c‖² − 2 x·c, at least 0"),
        ]
        table = pd.DataFrame(rows, columns=["", "course module", "here"])
        st.dataframe(table, hide_index=True)
        st.caption("Measured on the confirmation half; the three last rows say what the code does.")


def code_distances() -> pd.DataFrame:
    """The outputs for activations that are the bitmaps, (classes, classes)."""
    return pd.DataFrame(bitmap_outputs(BITMAPS))
