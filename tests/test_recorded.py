"""Sections that are shown again: what is drawn anew, what is sent, and what is refused."""

from __future__ import annotations

from itertools import count
from types import FunctionType

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from core.runtime.drawings import Drawings
from pages.kit.charts import _narrow
from pages.kit.recorded import recorded

DRAWN: list[str] = []
NAMES = count()


@recorded
def section(name: str, table: pd.DataFrame) -> None:
    DRAWN.append(name)
    left, right = st.columns(2)
    left.markdown(f"**{name}**", help="a name")
    with right:
        st.dataframe(table, hide_index=True)
        with st.expander("More"):
            st.image(np.zeros((2, 2, 3), np.uint8))


def shown(name: str) -> AppTest:
    """A script that shows the section in a container, after it has run twice."""

    def script(name: str) -> None:
        import pandas as pd
        import streamlit as st

        from tests.test_recorded import section

        with st.container():
            section(name, pd.DataFrame({"value": [1.0, 2.0]}))
        st.caption("below")

    return AppTest.from_function(script, args=(name,)).run().run()


def elements(app: AppTest) -> list[object]:
    """All that is on the screen, from top to bottom."""
    return [app.markdown[0].proto, app.dataframe[0].proto, *_protos(app.expander[0])]


def _protos(block: Block) -> list[object]:
    """What is in a block."""
    return [child.proto for child in block.children.values()]


def test_a_section_is_drawn_once_and_shown_to_everybody_in_its_place() -> None:
    name = f"section {next(NAMES)}"
    first, second = shown(name), shown(name)
    assert DRAWN.count(name) == 1
    assert not second.exception
    assert second.columns[0].markdown[0].value == f"**{name}**"
    assert second.columns[1].dataframe[0].value["value"].tolist() == [1.0, 2.0]
    assert second.expander[0].label == "More"
    assert second.caption[0].value == "below"
    assert len(elements(first)) == 3
    assert elements(first) == elements(second)


def test_other_arguments_are_another_section() -> None:
    one, other = (f"section {next(NAMES)}" for _ in range(2))
    assert shown(one).markdown[0].value == f"**{one}**"
    assert shown(other).markdown[0].value == f"**{other}**"
    assert shown(one).markdown[0].value == f"**{one}**"


def test_a_function_of_a_page_is_refused() -> None:
    """A page is a script: its functions are made anew at each run."""
    spoilt = FunctionType(elements.__code__, {"__name__": "__main__"}, "elements")
    with pytest.raises(TypeError, match="made anew at each call"):
        Drawings().get(spoilt)


def test_a_chart_sends_the_same_numbers_in_fewer_bytes() -> None:
    table = pd.DataFrame(
        {
            "small": [1, -2, 3],
            "large": [1, 2, 2**40],
            "exact": [0.5, np.nan, -np.inf],
            "third": [1 / 3, 2 / 3, 1.0],
            "name": ["a", None, "c"],
            "flag": [True, False, True],
        }
    )
    whole = pa.Table.from_pandas(table)
    narrow = _narrow(whole)
    types = {field.name: str(field.type) for field in narrow.schema}
    assert types == {
        "small": "int8",
        "large": "int64",
        "exact": "float",
        "third": "double",
        "name": "string",
        "flag": "bool",
    }
    assert narrow.cast(whole.schema).equals(whole)
