"""Tables: columns of numbers with their definition, and a button that gives a table away."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from core.csv_text import csv_text
from core.runs import Run

__all__ = ["column", "download", "download_file", "file_name"]


_LONGEST = 80  # characters of settings in a file's name


def column(title: str, about: str) -> ColumnConfig:
    """A column of numbers with their definition."""
    return st.column_config.NumberColumn(title, format="%.3f", help=about)


def file_name(run: Run) -> str:
    """The run as part of a file's name."""
    settings = run.settings.to_text().replace("=", "-").replace(",", "-")
    network = f"{run.architecture}-{settings[:_LONGEST]}" if settings else run.architecture
    return f"{run.data}-{network}-seed{run.seed}"


def download(
    table: pd.DataFrame | Callable[[], pd.DataFrame],
    name: str,
    label: str = "Download as CSV",
    *,
    index: bool = False,
) -> None:
    """A button that gives the table. index: whether its index is a column.

    table: it, or what makes it when the button is clicked.
    """

    def text() -> str:
        return csv_text(table() if callable(table) else table, index=index)

    download_file(label, f"{name}.csv", "text/csv", text)


def download_file(
    label: str,
    name: str,
    mime: str,
    make: Callable[[], str | bytes],
    icon: str = ":material/download:",
) -> None:
    """A button that gives a file, which `make` makes when it is clicked, not with every run."""
    st.download_button(
        label, make, name, mime, icon=icon, key=f"download {name}", on_click="ignore"
    )
