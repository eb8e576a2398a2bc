"""Networks beside one another: other seeds, with dropout, and with layers from another task."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from core.ablation.verdicts import FEWEST
from core.digits.concepts import CONCEPTS
from core.figures import training as figures
from core.models.registry import MODELS
from core.tasks.base import Choice
from core.tasks.comparing import (
    DIGITS,
    DROPOUTS,
    EPOCHS,
    ORDERS,
    PART,
    SILENCED,
    TRANSFER_DIGITS,
    TRANSFER_EPOCHS,
    Correspondence,
    Corresponding,
    Dropped,
    Dropping,
    Emergence,
    Emerging,
    InTurn,
    Transfer,
    Transferring,
    hidden_dense,
    seeds_of,
)
from pages.parts import emergence_view, links, place
from pages.parts.waiting import result_of

__all__ = ["DEFINITIONS", "dropout", "dropout_address", "seeds", "transfer"]

WITHIN = 0.8  # AUC above which a unit is called a conditional detector, as on the page Ask
DEFINITIONS = {
    "matching": (
        "Units of two networks have no common order. Each is given a partner in the other network, "
        "one to one, so that the sum of |correlation| of their activations on the same digits is "
        "the largest possible (Hungarian assignment, Li et al. 2015). The sign is free, since the "
        "next layer can turn it."
    ),
    "matching null": (
        "The same matching with the digits of one network shuffled: 95 % of units stay below. What "
        "is above shares something about the digits, which may be no more than their classes."
    ),
    "matching untrained": (
        "The same matching of the networks before training, same seeds: units correlate because "
        "digits of a class look alike, without anything being learned."
    ),
    "accuracy": "Share of the digits of the confirmation half that the network classifies right.",
    "selectivity": (
        "Class selectivity index of the layer's median unit, after the ReLU: (mean on its top "
        "class − mean on the others) / (their sum). The top class is chosen on the discovery half "
        "(Morcos et al. 2018)."
    ),
    "correlation": (
        "Mean |correlation| of the activations of two different units of the layer, 0 (each its "
        "own) to 1 (copies)."
    ),
    "participation": (
        "Participation ratio, (Σλ)² / Σλ² of the eigenvalues of the units' covariance: in how many "
        "dimensions the layer varies, 1 to its number of units (Gao et al. 2017)."
    ),
    "active": (
        "Share of the layer's units above zero, mean over digits; low is sparse. Srivastava et al. "
        "(2014) saw sparser activations with dropout."
    ),
    "auc": (
        "How often a crossed 7 activates the unit more than another 7, ties counting half. The "
        "layer's best unit, chosen on the discovery half."
    ),
    "ablation": (
        "Mean accuracy while 0 to 90 % of the layer's units are set to 0 in random order "
        "(Morcos et al. 2018). Units that are left aren't scaled up."
    ),
    "transfer": (
        "AnB: the first n layers from the network for 0 to 4, frozen; the others learned anew on 5 "
        "to 9. AnB+: the same, fine-tuned. BnB and BnB+: the first layers from the network for 5 "
        "to 9, which tells what freezing and learning anew cost by themselves. random: the first "
        "layers frozen as they were drawn, the floor. base: all learned on 5 to 9 (Yosinski et al. "
        "2014)."
    ),
    "drift": (
        "1 − correlation of a unit's mean activations on the classes 0 to 4, before and after: 0 "
        "is the same tuning, whatever its scale, 1 unrelated, 2 turned around. The median unit of "
        "the layer."
    ),
    "survival": (
        "A unit's label is the class among 0 to 4 that it tells best from the other four (AUC). "
        "Share of the units that keep theirs. By chance: if labels after were dealt to units at "
        "random."
    ),
}
_NAMES = {
    "accuracy": "Accuracy",
    "selectivity": "Median selectivity",
    "correlation": "Mean |correlation|",
    "participation": "Participation ratio",
    "active": "Active units",
    "auc": "AUC, crossed 7",
    "ablation": "Accuracy under ablation",
    "drift": "Median drift",
    "survival": "Labels that survive",
    "chance": "by chance",
}


def dropout_address() -> dict[str, object]:
    """Every choice of `dropout`; `seeds` has those of `emergence_view.address`, `transfer` none."""
    layers = hidden_dense(place.asked().model)
    return {"layer": links.one_of("layer", layers, layers[-1]).value()} if layers else {}


def seeds(choice: Choice) -> None:
    """Whether three networks that differ in seed alone have the same units."""
    every = seeds_of(choice)
    numbers = f"{every[0].seed} to {every[-1].seed}"
    emerging = InTurn(tuple(map(Emerging, every)), f"Training and reading seeds {numbers}")
    found: tuple[Emergence, ...] = result_of(emerging)
    layer, concept = emergence_view.controls(choice, found[0].concepts)
    matched = result_of(Corresponding(choice, layer))
    table = _each_seed(matched, found, layer, concept)
    st.markdown(_always(table, layer, concept))
    _over_training(matched, found, layer, concept)
    _download(table, f"seeds-{_name(choice)}-{layer}-{concept}")
    _matched(choice, matched, found, layer, concept)


def _each_seed(
    matched: Correspondence, found: Sequence[Emergence], layer: str, concept: str
) -> pd.DataFrame:
    """A row for each seed: its best unit for the concept."""
    rows = [of.table(layer).set_index("concept").loc[[concept]] for of in found]
    return pd.concat(rows).assign(seed=matched.seeds)


def _always(table: pd.DataFrame, layer: str, concept: str) -> str:
    """The answer in a sentence, from the numbers of each seed."""
    n, text = len(table), CONCEPTS[concept].text
    above = int((table["auc"] > table["chance"]).sum())
    strong = int((table["confirmed"] > WITHIN).sum())
    learned = int((table["auc"] > table["untrained"]).sum())
    digits = int(table["digits"].iloc[0])
    few = f"Only {digits} digits have it, too few for an answer. " * (digits < FEWEST)
    return (
        f"**Is there always a unit for “{text}” in {layer}?** {few}In {above} of {n} networks the "
        f"best unit is better (AUC {_values(table, 'auc')} for seeds "
        f"{_values(table, 'seed', 'd')}) than the best of 95 % of shuffles "
        f"({_values(table, 'chance')}); in {learned} of {n} it is better than any untrained unit "
        f"({_values(table, 'untrained')}); on the other half of the digits it is above {WITHIN} in "
        f"{strong} of {n} ({_values(table, 'confirmed')})."
    )


def _values(table: pd.DataFrame, column: str, form: str = ".2f") -> str:
    """One number for each seed."""
    return ", ".join(format(value, form) for value in table[column])


def _over_training(
    matched: Correspondence, found: Sequence[Emergence], layer: str, concept: str
) -> None:
    """The best unit's AUC over training, a line for each seed."""
    frame = pd.concat(
        pd.DataFrame({"seed": str(seed), "step": of.steps, "auc": of.curve(layer, concept)})
        for seed, of in zip(matched.seeds, found, strict=True)
    )
    at = found[0].concepts.index(concept)
    seeds_ = [str(seed) for seed in matched.seeds]
    chance = pd.DataFrame({"seed": seeds_, "auc": [of.chance[layer][at] for of in found]})
    chart = figures.over_steps(frame, "auc", "seed", title="highest AUC", chance=chance)
    st.altair_chart(chart, key="seeds over steps")
    st.caption(
        f"The highest AUC of any unit of {layer} at each checkpoint, a line for each network; "
        f"dashed: what the best unit of 95 % of shuffles stays below, at the end. "
        f"{found[0].present[at]} digits of the discovery half have the concept. That a unit tells "
        "it does not say that the network uses it: only removing the unit can tell.",
        help=f"{emergence_view.DEFINITIONS['concept auc']}\n\n"
        f"{emergence_view.DEFINITIONS['best by chance']}",
    )


def _matched(
    choice: Choice,
    matched: Correspondence,
    found: Sequence[Emergence],
    layer: str,
    concept: str,
) -> None:
    """The partners of the best units, and how well all units match."""
    st.markdown("**The best unit's partners in the other networks**", help=DEFINITIONS["matching"])
    partners = matched.partners(found, layer, concept)
    st.dataframe(
        partners,
        hide_index=True,
        column_config={
            "auc": _column("AUC", emergence_view.DEFINITIONS["concept auc"]),
            "correlation": _column("correlation", DEFINITIONS["matching"]),
            "null": _column("95 % of shuffles", DEFINITIONS["matching null"]),
            "untrained": _column("95 % untrained", DEFINITIONS["matching untrained"]),
            "partner's auc": _column("partner's AUC", emergence_view.DEFINITIONS["concept auc"]),
            "best there": st.column_config.NumberColumn(
                help="The best unit for the concept in the other network: the partner, or another."
            ),
        },
    )
    same = int((partners["partner"] == partners["best there"]).sum())
    st.caption(
        f"{matched.digits:,} digits of the discovery half. In {same} of {len(partners)} rows the "
        "partner is also the other network's best unit. A unit's number means nothing in another "
        "network."
    )
    _download(partners, f"partners-{_name(choice)}-{layer}-{concept}")
    st.markdown("**All units, matched**", help=DEFINITIONS["matching null"])
    table = matched.table()
    st.altair_chart(figures.correspondence(table), key="units matched")
    st.caption(
        f"A tick for each of the {matched.partner.shape[2]} units; blue: the trained networks; "
        "grey: the same networks before training; orange: what 95 % of units stay below when the "
        "digits are shuffled.",
        help=DEFINITIONS["matching untrained"],
    )
    _download(table, f"matching-{_name(choice)}-{layer}")


def dropout(choice: Choice) -> None:
    """What dropout changes in the hidden dense layers of three networks each."""
    layers = hidden_dense(choice.model)
    if not layers:
        st.info(
            f"{MODELS[choice.model].title} has no hidden dense layer, and dropout silences units "
            "of such layers: choose LeNet-5 or the multilayer perceptron.",
            icon=":material/do_not_disturb_on:",
        )
        return
    shares = ", ".join(f"{share:g}" for share in DROPOUTS)
    st.caption(
        f"Dropout {shares}, three seeds each: short trainings of {EPOCHS} epochs on {DIGITS:,} "
        "digits, so accuracies are below those of the dashboard's own models. Every dot and line "
        "is one network; grey: networks before training."
    )
    found: Dropped = result_of(Dropping(choice))
    layer = links.one_of("layer", layers, layers[-1])
    layer.shown()
    st.selectbox("Layer", layers, key=layer.key, on_change=layer.changed)
    table = _named_dropout(found.table, layer.value())
    _measures(table)
    _silenced(_named_dropout(found.curves, layer.value()))
    helps = {name: _column(_NAMES[name], DEFINITIONS[name]) for name in _MEASURED}
    table = table.drop(columns="trained")
    st.dataframe(table, hide_index=True, column_config=helps)
    _download(table, f"dropout-{_name(choice)}-{layer.value()}")


_MEASURED = ("accuracy", "selectivity", "correlation", "participation", "active", "auc", "ablation")


def _named_dropout(frame: pd.DataFrame, layer: str) -> pd.DataFrame:
    """The rows of a layer, dropout in words, trained networks first."""
    mine = frame[frame["layer"] == layer].drop(columns="layer")
    words = [f"{share:g}" if share == share else "untrained" for share in mine["dropout"]]
    named = mine.assign(dropout=words, trained=mine["dropout"].notna())
    return named.sort_values(["trained", "dropout"], ascending=[False, True], kind="stable")


def _measures(table: pd.DataFrame) -> None:
    """A chart of dots for each measure."""
    columns = st.columns(3)
    for at, name in enumerate(name for name in _MEASURED if name != "accuracy"):
        with columns[at % 3]:
            st.markdown(f"**{_NAMES[name]}**", help=DEFINITIONS[name])
            # an untrained network guesses, with and without its units: it would only hide the rest
            shown = table[table["trained"]] if name == "ablation" else table
            st.altair_chart(figures.dots(shown, name), key=f"dots of {name}")
    st.caption(
        f"On the confirmation half of the test digits; the best unit for “{CONCEPTS[PART].text}” "
        "and top classes were chosen on the discovery half."
    )


def _silenced(curves: pd.DataFrame) -> None:
    """Accuracy while units are silenced, also more of them than in training."""
    st.markdown("**Accuracy while units are silenced**", help=DEFINITIONS["ablation"])
    st.altair_chart(figures.over_shares(curves), key="units silenced")
    st.caption(
        f"Units of the layer set to 0 at random, the mean of {ORDERS} orders, on {SILENCED:,} "
        f"digits of the confirmation half. In training at most {max(DROPOUTS):.0%} were silent: "
        "beyond that, no network has practised."
    )


def transfer(choice: Choice) -> None:
    """What layers from digits 0 to 4 are worth for 5 to 9, and what becomes of their units."""
    st.caption(
        f"Short trainings of {TRANSFER_EPOCHS} epochs on the digits 5 to 9, or 0 to 4, among "
        f"{TRANSFER_DIGITS:,} digits; three seeds, a line for each network.",
        help=DEFINITIONS["transfer"],
    )
    found: Transfer = result_of(Transferring(choice))
    left, right = st.columns(2)
    with left:
        _transferred(found.accuracy)
    with right:
        _drift(found)
    _tuning(choice, found)


def _transferred(accuracy: pd.DataFrame) -> None:
    """Accuracy on 5 to 9 by number of layers from elsewhere."""
    st.markdown("**Accuracy on digits 5 to 9**", help=DEFINITIONS["transfer"])
    frame = accuracy[accuracy["kind"] != "base"]
    chart = figures.over_layers(
        frame, "first", "accuracy", title="accuracy", name="layers from elsewhere", percent=True
    )
    st.altair_chart(chart, key="transferred")
    base = accuracy[accuracy["kind"] == "base"]["accuracy"]
    st.caption(
        f"On the 5 to 9 of the confirmation half. Learned on 5 to 9 from scratch: "
        f"{', '.join(f'{value:.2%}' for value in base)}. Grey: first layers frozen as drawn. "
        "Layers from elsewhere bring their own training along, so read A against B, and both "
        "against grey, rather than against learning from scratch."
    )


def _drift(found: Transfer) -> None:
    """How far fine-tuning moves the tuning of units."""
    st.markdown("**Drift of tuning to 0 to 4, in AnB+**", help=DEFINITIONS["drift"])
    chart = figures.over_layers(
        _named_kinds(found.tuning()), "layer", "drift", title="median drift", name="layer"
    )
    st.altair_chart(chart, key="drift")
    st.caption(
        "From the network for 0 to 4 to the same unit after fine-tuning on 5 to 9, by number of "
        "layers that came along; frozen layers (AnB) have 0 by definition. Controls with the same "
        "first weights: before any training (grey), and trained on 5 to 9 alone. On the 0 to 4 of "
        "the discovery half."
    )


_CONTROLS = {"base": "only 5 to 9", "untrained": "untrained"}


def _named_kinds(tuning: pd.DataFrame) -> pd.DataFrame:
    """The same with the kind of network in words."""
    words = [
        f"{first} layer{'s' * (first > 1)}" if kind == "AnB+" else _CONTROLS[kind]
        for kind, first in zip(tuning["kind"], tuning["first"], strict=True)
    ]
    return tuning.assign(kind=words)


def _tuning(choice: Choice, found: Transfer) -> None:
    """Drift and survival of labels as tables to download."""
    st.markdown("**What became of the units of the network for 0 to 4**")
    table = _named_kinds(found.tuning()).drop(columns="first")
    config = {name: _column(_NAMES[name], DEFINITIONS[name]) for name in ("drift", "survival")}
    quantile = "quantile of the drift over units."
    config |= {
        "low": _column("drift, 10 %", f"10 % {quantile}"),
        "high": _column("drift, 90 %", f"90 % {quantile}"),
        "chance": _column(_NAMES["chance"], DEFINITIONS["survival"]),
    }
    st.dataframe(table, hide_index=True, column_config=config)
    with st.container(horizontal=True):
        _download(found.units, f"tuning-{_name(choice)}", "Every unit as CSV")
        _download(table, f"drift-{_name(choice)}", "Layers as CSV")
        _download(found.accuracy, f"transfer-{_name(choice)}", "Accuracies as CSV")


def _column(title: str, about: str) -> ColumnConfig:
    """A column of numbers with their definition."""
    return st.column_config.NumberColumn(title, format="%.3f", help=about)


def _name(choice: Choice) -> str:
    """The choice as part of a file's name."""
    return f"{choice.data}-{choice.model}-seed{choice.seed}"


def _download(frame: pd.DataFrame, name: str, label: str = "Download as CSV") -> None:
    """A button that gives the table."""
    data, icon = frame.to_csv(index=False).encode(), ":material/download:"
    st.download_button(label, data, f"{name}.csv", "text/csv", icon=icon, key=f"csv of {name}")
