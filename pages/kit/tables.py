"""Tables: columns of numbers with their definition, and a button that gives a table away."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from core.csv_text import csv_text
from core.runs import Choice

__all__ = ["column", "download", "file_name"]


def column(title: str, about: str) -> ColumnConfig:
    """A column of numbers with their definition."""
    return st.column_config.NumberColumn(title, format="%.3f", help=about)


def file_name(choice: Choice) -> str:
    """The choice as part of a file's name."""
    return f"{choice.data}-{choice.model}-seed{choice.seed}"


def download(frame: pd.DataFrame, name: str, label: str = "Download as CSV") -> None:
    """A button that gives the table."""
    data, icon = csv_text(frame).encode(), ":material/download:"
    st.download_button(label, data, f"{name}.csv", "text/csv", icon=icon, key=f"csv of {name}")
