"""What a test asks of any view: its link is complete, and opens the same again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

from streamlit.testing.v1 import AppTest

from core.runtime.jobs import QueueFull
from pages.kit import links, place

FRAME = set(place.FRAME)
NAMING_UNITS = {"unit", "units", "pins"}
Opening = Callable[[Mapping[str, str]], AppTest]


def written(at: AppTest) -> dict[str, str]:
    """Every choice that the run has read, as the address has it."""
    return {key: option.write(value) for key, (option, value) in at.session_state[_CHOICES].items()}


def link(at: AppTest) -> dict[str, str]:
    """What the link to this view says."""
    (text,) = [code.value for code in at.code if "seed=" in code.value]
    return dict(parse_qsl(urlsplit(text).query, keep_blank_values=True))


def others(at: AppTest, base: Mapping[str, str]) -> dict[str, str]:
    """Each choice of the view that can be another, as another valid one."""
    found = {}
    for key, (option, value) in at.session_state[_CHOICES].items():
        another = next(
            (each for each in option.values if each not in (value, option.default)), None
        )
        if another is not None and key not in FRAME and key not in base:
            found[key] = option.write(another)
    return found


def check_link(opened: Opening, base: Mapping[str, str], *, read: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """Change every choice of a view: the link has it, and a fresh session shows the same by it.

    base: the view's address. read: choices that must be among those of the view.
    """
    at = opened(base)
    assert not at.exception
    assert link(at).items() >= written(at).items()
    before, changed = set(written(at)), others(at, base)
    assert read <= before, sorted(before)
    with patch("core.runtime.cache.start", side_effect=no_work):
        if "layer" in changed and changed.keys() & NAMING_UNITS:
            # a unit's name says its layer, so of another layer there would be other units
            layer = changed.pop("layer")
            assert _reopens(opened, {**base, "layer": layer})["layer"] == layer
        if not before <= set(_reopens(opened, {**base, **changed})):
            # a changed choice asks for what is not computed: each is changed alone
            for key, text in changed.items():
                assert _reopens(opened, {**base, key: text}).get(key) == text
            return
        assert _reopens(opened, {**base, **changed}).items() >= changed.items()


def _reopens(opened: Opening, address: Mapping[str, str]) -> dict[str, str]:
    """The choices of a view, once its own link is seen to open it again."""
    first = opened(address)
    assert not first.exception
    values, said = written(first), link(first)
    assert said.items() >= values.items()
    again = opened(said)
    assert written(again) == values
    assert link(again) == said
    assert not any("is not" in warning.value for warning in again.warning if "=" in warning.value)
    return values


def no_work(*args: object) -> Any:
    """Instead of computing what another choice asks for."""
    raise QueueFull("8 computations are waiting already, and no more can: try again in a minute.")


_CHOICES = links._CHOICES
