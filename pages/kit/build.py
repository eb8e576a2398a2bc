"""Build your own: a form with all settings of the architecture, for another network of it."""

from __future__ import annotations

import streamlit as st

from core.models import registry
from core.models.settings import Settings
from core.runs import Run
from core.text import shown
from pages.kit import controls, links

__all__ = ["SETTINGS", "build_your_own", "settings_option"]

SETTINGS = "settings"  # the key of those that aren't at their default


def settings_option(model: str) -> links.Option[Settings]:
    """The settings of a model, all at their default unless the address says which aren't."""

    def parse(text: str) -> Settings:
        kind = registry.MODELS[model]
        try:
            return registry.check(model, settings=kind.from_text(text))
        except ValueError as error:
            raise ValueError(f"{model} can't have these settings: {error}") from None

    return links.Option(SETTINGS, registry.check(model), parse, Settings.to_text)


def build_your_own(run: Run, resets: tuple[str, ...]) -> None:
    """What is set otherwise, a way back, and the form. resets: keys that another network clears."""
    words = run.settings.in_words()
    if words:
        st.caption(f"Settings: {words}.")
        st.button(
            "Back to the default settings",
            key="default settings",
            on_click=links.put,
            kwargs=dict.fromkeys((SETTINGS, *resets)),
        )
    _form(run, resets)


# A fragment: opened, it is drawn by itself, and closed, it costs the page nothing.
@st.fragment
def _form(run: Run, resets: tuple[str, ...]) -> None:
    """A field for each setting, and a button that opens the network with these settings."""
    box = st.expander("Build your own", icon=":material/tune:", key="build", on_change="rerun")
    if not box.open:
        return
    settings = run.settings
    with box, st.form("settings", border=False):
        now = settings.to_text()
        given = {
            option.name: controls.entry(
                option, getattr(settings, option.name), f"{option.name} of {run.architecture} {now}"
            )
            for option in settings.options()
        }
        asked = st.form_submit_button(
            "Train this network", icon=":material/model_training:", type="primary"
        )
        st.caption(f"Now: {registry.parameters(run.architecture, settings):,} learned parameters.")
        if asked:
            _open(settings, given, resets)


def _open(settings: Settings, given: dict[str, object], resets: tuple[str, ...]) -> None:
    """Open the network with these settings, or say in a sentence which of them can't be."""
    kind = type(settings)
    try:
        values = {
            name: kind.option(name).read(value) if isinstance(value, str) else value
            for name, value in given.items()
        }
        wanted = registry.check(kind.architecture, settings=kind.of(values))
    except ValueError as error:
        st.error(shown(str(error)))
        return
    gone = dict.fromkeys(resets) if wanted != settings else {}
    links.put(model=kind.architecture, **{SETTINGS: wanted.to_text() or None}, **gone)
    st.rerun()
