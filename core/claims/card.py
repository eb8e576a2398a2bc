"""The evidence as a page of its own: one HTML file that needs nothing else, to keep or to send."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from html import escape

import numpy as np

from core import colours
from core.claims.evidence import INCONCLUSIVE, NOT_SUPPORTED, SUPPORTED, Controls, Evidence
from core.claims.findings import OperatorFinding
from core.claims.operators import IN_WORDS, WITHIN_CLASSES
from core.data.concepts import CONCEPTS
from core.interventions.bootstrap import Change

__all__ = ["group_name", "html"]

_COLOURS = {
    SUPPORTED: colours.SUPPORTED,
    NOT_SUPPORTED: colours.NOT_SUPPORTED,
    INCONCLUSIVE: colours.INCONCLUSIVE,
}
_LIGHT = f"--ink:{colours.INK};--paper:{colours.PAPER};--line:{colours.EDGE}"
_DARK = f"--ink:{colours.LIGHT_INK};--paper:{colours.DARK_PAPER};--line:{colours.LINE_AT_ZERO}"
_VARIABLES = f"""
:root{{{_LIGHT};--note:{colours.WORDS}}}
@media(prefers-color-scheme:dark){{:root{{{_DARK}}}}}
"""
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;
color:var(--ink);background:var(--paper)}
h1{font-size:1.6rem;line-height:1.25}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.9rem}
td,th{padding:.3rem .6rem;border-bottom:1px solid var(--line);text-align:right}
td:first-child,th:first-child{text-align:left}
.finding{border-left:5px solid;padding:.1rem 1rem;margin:.8rem 0}
.finding b{text-transform:capitalize}code{font-size:.85rem;word-break:break-all}
.note{color:var(--note);font-size:.9rem}
"""


def group_name(group: str) -> str:
    """A group of digits in words: "7, not crossed 7"."""
    return ", ".join(_name(part) for part in group.split(", "))


def html(evidence: Evidence) -> str:
    """The page; all that comes from the evidence is escaped."""
    card = evidence
    data = base64.b64encode(card.to_json().encode()).decode()
    findings = "".join(
        f'<div class="finding" style="border-color:{_COLOURS[of.verdict]}"><b>{escape(name)}: '
        f'<span style="color:{_COLOURS[of.verdict]}">{of.verdict}</span></b>'
        f"<br>{escape(of.reason)} <span class=note>n = {of.n:,}</span></div>"
        for name, of in card.findings.items()
    )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width">'
        f"<title>{escape(card.question)}</title><style>{_VARIABLES}{_STYLE}</style>"
        f"<h1>{escape(card.question)}</h1>"
        f"<p class=note>{_conditions(card)}</p>{findings}{_carrier(card)}"
        f"<h2>What changes without the units</h2>{_table(card.changes)}"
        f"<h2>Compared with random units</h2>{_controls(card.controls)}"
        f"{_controls(card.kept_controls)}{_untrained(card)}{_operators(card)}"
        f"<h2>To repeat the test</h2>{_facts(card)}"
        f'<p><a download="evidence.json" href="data:application/json;base64,{data}">This card '
        "as JSON</a>; the page Ask can load it and repeat the test.</p></html>"
    )


def _name(part: str) -> str:
    """One concept, or its negation, in words."""
    known = part.removeprefix("not ")
    text = CONCEPTS[known].text if known in CONCEPTS else known
    return ("not " if part != known else "") + text.removeprefix("class ")


def _conditions(card: Evidence) -> str:
    """How the claim was tested, in a sentence."""
    return escape(
        f"{len(card.units)} unit(s) of {card.model}/{card.layer}, removed by ablation "
        f"“{card.ablation}”. Everything was chosen on one half of the test digits and judged on "
        f"the other, {card.confirmation:,} digits ({card.data}), of which {card.n:,} have the "
        "concept."
    )


def _carrier(card: Evidence) -> str:
    """What carries the concept in the layer, where that was tested."""
    if card.carrier is None:
        return ""
    return f"<p><b>Carried in {escape(card.layer)} by:</b> {escape(card.carrier)}.</p>"


def _untrained(card: Evidence) -> str:
    """What the best units of untrained networks score, beside these units."""
    rows = "".join(
        f"<tr><td>{escape(name)}<td>{card.scores[name]:.3f}<td>{np.median(of):.3f}"
        f"<td>{np.quantile(of, 0.95, method='higher'):.3f}<td>{len(of)}"
        for name, of in card.untrained.items()
        if name in card.scores and len(of)
    )
    if not rows:
        return ""
    return (
        "<h2>Compared with untrained networks</h2><table><tr><th>score<th>these units<th>the best "
        f"units of untrained networks, median<th>95th percentile<th>networks</tr>{rows}</table>"
    )


def _table(changes: Sequence[Change]) -> str:
    """Accuracy of every group before and after."""
    rows = "".join(
        f"<tr><td>{escape(group_name(of.group))}<td>{of.n:,}<td>{_share(of.before)}"
        f"<td>{_share(of.after)}<td>{_share(of.change, '+')}"
        f"<td>{_share(of.low, '+')} to {_share(of.high, '+')}"
        for of in changes
        if of.measure == "accuracy"
    )
    return (
        "<table><tr><th>digits<th>n<th>accuracy<th>without the units<th>change"
        f"<th>95 % interval</tr>{rows}</table>"
    )


def _share(value: float, sign: str = "") -> str:
    """A share in percent, a dash where nothing could be measured."""
    return f"{value:{sign}.1%}" if math.isfinite(value) else "–"


def _controls(controls: Controls) -> str:
    """The claim beside its controls, in a sentence."""
    if not len(controls):
        return "<p>The layer has too few other units for control sets.</p>"
    ranked = sorted(controls.effects)
    middle, high = ranked[len(ranked) // 2], ranked[int(0.95 * (len(ranked) - 1))]
    return (
        f"<p>{escape(controls.measure.capitalize())}: these units {controls.own:.3f}; "
        f"{len(controls)} sets of units of similar strength ({controls.distinct} different) have "
        f"a median of {middle:.3f} and a 95th percentile of {high:.3f}; p = "
        f"{controls.p_value:.4f}.</p>"
    )


def _operators(card: Evidence) -> str:
    """What each operator says of the claim, where they were compared."""
    if not card.operators:
        return ""
    rows = "".join(
        f"<tr><td>{escape(IN_WORDS[kind])}<td>{of.necessary.verdict}"
        f"<td>{_share(_number(of.necessary.value))}<td>{of.p_value:.4f}"
        f"<td>{_share(_number(of.necessary.detectable))}"
        + ("<td>–" * 3 if kind in WITHIN_CLASSES else _alone(of))
        for kind, of in card.operators.items()
    )
    return (
        "<h2>Under each replacement value</h2><table><tr><th>units replaced by<th>necessary"
        "<th>loss of accuracy<th>p<th>smallest loss found with 80 % power<th>sufficient"
        f"<th>kept alone<th>p</tr>{rows}</table>"
    )


def _alone(of: OperatorFinding) -> str:
    """What the units keep alone, as cells."""
    kept = _share(_number(of.sufficient.value))
    return f"<td>{of.sufficient.verdict}<td>{kept}<td>{of.kept_p_value:.4f}"


def _number(value: float | None) -> float:
    """A number, none where there is none."""
    return math.nan if value is None else value


def _facts(card: Evidence) -> str:
    """Everything that the result depends on."""
    facts = {
        "units": ", ".join(card.names),
        "digits": f"{card.data}, hash {card.data_hash}",
        "weights": f"hash {card.weights_hash}",
        "trained": ", ".join(f"{key} {value}" for key, value in card.training.items()) or "unknown",
        "split": f"discovery {card.discovery:,}, confirmation {card.confirmation:,}",
        "seed of controls and bootstrap": str(card.seed),
        "procedure": str(card.procedure),
        "made with": ", ".join(f"{key} {value}" for key, value in card.made_with.items()),
    }
    rows = "".join(
        f"<tr><td>{escape(name)}<td><code>{escape(value)}</code>" for name, value in facts.items()
    )
    return f"<table>{rows}</table>"
