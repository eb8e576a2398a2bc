"""What all charts share: colours that say the same everywhere, and axes."""

from __future__ import annotations

import altair as alt
import numpy as np
from numpy.typing import ArrayLike, NDArray

MODEL, CONTROL, MARK = "#2563eb", "#94a3b8", "#ea580c"
SERIES = ("#2563eb", "#ea580c", "#0d9488", "#9333ea", "#ca8a04")  # told apart by colour-blind eyes
HEIGHT = 220  # pixels
PHONE = 288  # pixels that a chart may be wide on the narrowest phone, of 320, axes and all
INSIDE = 254  # the same within an expander
LINE = 2.0
STEP = alt.Scale(type="symlog", constant=1)  # steps are log-spaced and begin at 0


def finite(values: ArrayLike) -> NDArray[np.float64]:
    """The values that are numbers, flat."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    return flat[np.isfinite(flat)]


def log_axis() -> alt.Axis:
    """Powers of ten, and 0, which a plain logarithmic axis can't show."""
    return alt.Axis(values=[0, 1, 10, 100, 1000, 10_000], format=",d", grid=False)


def legend(title: str) -> alt.Legend:
    """A legend above the chart, where it costs no width."""
    return alt.Legend(title=title, orient="top", columns=3)
