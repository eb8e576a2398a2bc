"""Tables: columns of numbers with their definition, and a button that gives a table away."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from core.csv_text import csv_text
from core.runtime.task import Choice

__all__ = ["column", "download", "file_name"]


def column(title: str, about: str) -> ColumnConfig:
    """A column of numbers with their definition."""
    return st.column_config.NumberColumn(title, format="%.3f", help=about)


def file_name(choice: Choice) -> str:
    """The choice as part of a file's name."""
    return f"{choice.data}-{choice.model}-seed{choice.seed}"


def download(frame: pd.DataFrame, name: str, label: str = "Download as CSV") -> None:
    """A button that gives the table, which is written when it is clicked."""
    st.download_button(
        label,
        lambda: csv_text(frame),
        f"{name}.csv",
        "text/csv",
        icon=":material/download:",
        key=f"csv of {name}",
    )
