"""What all charts share: sizes and axes."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
from numpy.typing import ArrayLike, NDArray

HEIGHT = 220  # pixels
PHONE = 288  # pixels that a chart may be wide on the narrowest phone, of 320, axes and all
INSIDE = 254  # the same within an expander
ROW = 26  # pixels of a row of a heat map or of an interval plot
LINE = 2.0
STEP = alt.Scale(type="symlog", constant=1)  # steps are log-spaced and begin at 0
LEVEL = alt.Axis(labelAngle=0)  # labels below one another can't be read on their side


def every(limit: float = 180) -> alt.Axis:
    """An axis with a label for each row, cut off at `limit` pixels."""
    return alt.Axis(labelOverlap=False, labelFlush=False, labelBound=False, labelLimit=limit)


def layered(*charts: alt.Chart | alt.LayerChart) -> alt.LayerChart:
    """The charts on one another, the first undermost."""
    whole: Any = alt.layer(*charts)
    return whole


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
