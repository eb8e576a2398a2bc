"""The evidence card: to download, to load again, and to compare with a test made anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.claims.agreement import disagreements, values
from core.claims.card import html
from core.claims.evidence import CARD_LIMIT, PROCEDURE, Evidence
from core.claims.operators import OperatorFindings, operators_for
from core.data import SOURCES
from core.data.concepts import CONCEPTS
from core.interventions.operators import KINDS
from core.models.registry import MODELS
from core.runs import Run
from core.text import literal, shown
from pages.kit import links, place
from pages.kit.tables import download_file
from pages.parts.ask import verdict as verdict_view
from pages.parts.ask.claim import name_units, write_units
from pages.parts.ask.operators import COMPARED, panel

__all__ = ["compared", "downloads", "load", "with_operators"]

_CARD = "the card that was loaded"
_FEW = 12  # differences that are listed at once


def with_operators(evidence: Evidence, found: OperatorFindings | None) -> Evidence:
    """The evidence as its card keeps it: with what each operator says, where that is known."""
    return evidence if found is None else replace(evidence, operators=found.by_kind)


def downloads(evidence: Evidence) -> None:
    """The card as JSON and as a page, and a new question."""
    name = f"evidence-{evidence.model}-{evidence.layer}-{write_units(evidence.units)[:40]}"
    with st.container(horizontal=True):
        download_file(
            "Evidence card (HTML)", f"{name}.html", "text/html", lambda: html(evidence),
            icon=":material/badge:",
        )  # fmt: skip
        download_file(
            "Evidence card (JSON)", f"{name}.json", "application/json", evidence.to_json,
            icon=":material/data_object:",
        )  # fmt: skip
        st.button(
            "Other candidates", icon=":material/search:", key="ask again",
            on_click=links.put, kwargs={"units": None},
        )  # fmt: skip


def load() -> None:
    """Read a card that somebody saved; its test is then made again here."""
    with st.expander("Load an evidence card", icon=":material/upload_file:"):
        file = st.file_uploader("A JSON file downloaded from this page", type="json", key="card")
        if file is None:
            return
        if file.size > CARD_LIMIT:
            st.error(f"The file has {file.size:,} bytes: a card has at most {CARD_LIMIT:,}.")
            return
        try:
            card = Evidence.from_json(file.getvalue())
            address = _address(card)
        except ValueError as error:
            st.error(shown(str(error)))
            return
        _shown(card)
        st.button("Repeat this test", type="primary", on_click=_repeat, args=(card, address))


def _shown(card: Evidence) -> None:
    """What a card says, and by which procedure; nothing of it is computed here."""
    st.markdown(f"**{card.question}** According to the card:")
    if card.procedure < PROCEDURE:
        st.info(
            f"This card was made with an older procedure, {card.procedure}; today's is "
            f"{PROCEDURE}. What it says is shown as it was written. Repeat the test to see what "
            "today's procedure says.",
            icon=":material/history:",
        )
    verdict_view.verdict(card)
    if card.operators:
        whole = card.concept in CONCEPTS and set(card.operators) == set(operators_for(card.concept))
        panel(OperatorFindings(card.operators), whole=whole and len(card.operators) < len(KINDS))


def compared(evidence: Evidence) -> None:
    """Whether the test agrees with the card that was loaded, if it is of the same question."""
    card: Evidence | None = st.session_state.get(_CARD)
    if card is None or _question(card) != _question(evidence):
        return
    if not (card.operators and evidence.operators):  # what only one of them has been asked
        card, evidence = (replace(of, operators={}) for of in (card, evidence))
    differences = disagreements(card, evidence)
    every = len(values(card, card.procedure))
    older = (
        f" The card was made with an older procedure, {card.procedure}; today's is {PROCEDURE}, "
        "and only what both say is compared."
        if card.procedure < PROCEDURE
        else ""
    )
    if not differences:
        st.success(
            f"The test was repeated and agrees with the card in all {every:,} values.{older}",
            icon=":material/verified:",
        )
        return
    st.warning(
        f"The test was repeated and disagrees with the card in {len(differences):,} of {every:,} "
        f"values.{older}\n\n{_listed(differences[:_FEW])}",
        icon=":material/difference:",
    )
    if len(differences) > _FEW:
        with st.expander(f"{len(differences) - _FEW:,} more"):
            st.markdown(_listed(differences[_FEW:]))


def _listed(sentences: Sequence[str]) -> str:
    """Sentences, one below the other."""
    return "\n".join(f"- {shown(sentence)}" for sentence in sentences)


def _question(card: Evidence) -> tuple[object, ...]:
    """What two cards have in common when they answer the same."""
    return card.model, card.layer, card.units, card.concept, card.ablation


def _repeat(card: Evidence, address: dict[str, str | None]) -> None:
    """Open the card's question with the card's own data, model and seed."""
    st.session_state[_CARD] = card
    links.put(**address)


def _address(card: Evidence) -> dict[str, str | None]:
    """Where the card's question is asked. Raises `ValueError` for what can't be asked here."""
    data, seed = card.training.get("data"), card.training.get("seed")
    own = isinstance(seed, int) and not isinstance(seed, bool) and 0 <= seed <= place.LAST_SEED
    if card.model not in MODELS or data not in SOURCES or not isinstance(seed, int) or not own:
        raise ValueError(
            f"This card is about {literal(card.model)}, trained on {literal(data)} with seed "
            f"{literal(seed)}: this app can repeat cards of its own models, {', '.join(MODELS)}, "
            f"on {' or '.join(SOURCES)}, with seed 0 to {place.LAST_SEED}."
        )
    settings = MODELS[card.model].from_text(str(card.training.get("settings", "")))
    run = Run(str(data), card.model, settings, seed)
    _check_claim(card, run)
    return {
        "data": run.data,
        **place.network(run.settings),
        "seed": str(seed),
        "layer": card.layer,
        "units": name_units(card.model, card.layer, card.units),
        "concept": card.concept,
        "kind": card.ablation,
        COMPARED.key: COMPARED.write(True) if card.operators else None,
    }


def _check_claim(card: Evidence, run: Run) -> None:
    """Raise `ValueError` for a layer, units or a concept that the card's network doesn't have."""
    layers = {layer.name: layer.units for layer in run.layers}
    if card.layer not in layers:
        raise ValueError(
            f"The card is about layer {literal(card.layer)} of {card.model}, which has "
            f"{', '.join(layers)}: load another card."
        )
    if max(card.units) >= layers[card.layer]:
        raise ValueError(
            f"The card is about unit {literal(max(card.units))}, and {card.model}/{card.layer} has "
            f"units 0 to {layers[card.layer] - 1}: load another card."
        )
    if card.concept not in CONCEPTS:
        raise ValueError(
            f"The card is about the concept {literal(card.concept)}, which is not known here: load "
            "another card."
        )
