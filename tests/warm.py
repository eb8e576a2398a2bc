"""What a page does again that it has done before."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import altair as alt
from streamlit.testing.v1 import AppTest

__all__ = ["charts_built_again"]


def charts_built_again(at: AppTest) -> int:
    """How many charts one more run builds, of a page that has been drawn: there should be none."""
    built = 0
    build = alt.Chart.__init__

    def counting(chart: alt.Chart, *args: Any, **options: Any) -> None:
        nonlocal built
        built += 1
        build(chart, *args, **options)

    with patch.object(alt.Chart, "__init__", counting):
        at.run()
    return built
