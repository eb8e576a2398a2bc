"""Whether load, importance, entropy or information of an expert tells what its removal costs."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from core.architectures.mixture.charts import importance as figures
from core.architectures.mixture.importance import FEWEST, STATISTICS, LoadAndCost
from core.architectures.mixture.tasks.importance import LoadAndCostTask
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import pick
from pages.kit.recorded import recorded
from pages.kit.tables import column, download, file_name
from pages.kit.waiting import result_of
from pages.parts.mixture.controls import View
from pages.parts.mixture.words import GATES

__all__ = ["view"]

STATISTIC = links.one_of("statistic", STATISTICS)
DEFINITIONS = {
    "load": GATES["load"],
    "importance": GATES["importance"],
    "entropy": (
        "Entropy of the gate's weights in bits, mean over digits weighed by the expert's weight: "
        "how undecided the gate is where it runs this expert. Always 0 if one expert is run per "
        "digit."
    ),
    "information": (
        "Mutual information in bits of a digit's class and whether this expert takes the digit."
    ),
    "cost": (
        "Accuracy on all digits of the confirmation half with the expert minus accuracy without "
        "it. Its digits go to the expert with the next highest score; nothing is retrained."
    ),
    "interval": "95 % interval of the cost, paired by digit (Bonett & Price 2012).",
    "rho": (
        "Spearman's rank correlation of the statistic with the cost, over the experts of all seeds "
        "together: 1 or −1 if both sort the experts alike or in reverse."
    ),
    "bounds": (
        "95 % bootstrap interval of ρ: seeds are resampled, and then experts within them. With "
        "three seeds it is rough."
    ),
    "chance": (
        "95 % of the correlations when the costs are shuffled among the experts of each network, "
        "2,000 times. Not across networks, because the experts of one depend on one another."
    ),
    "p": "Share of these shuffles in which ρ is as far from their mean, two-sided.",
    "corrected": (
        "The same for the statistic that is farthest out in each shuffle, which corrects for all "
        "that were tried (Westfall & Young 1993)."
    ),
    "untrained": "ρ in the same networks before training, by the same procedure.",
    "untrained p": "Corrected p of the networks before training.",
    "tells": ("Whether corrected p is at most .05 and ρ is farther from 0 than before training."),
    "class": "The class that loses most accuracy without the expert.",
    "class cost": "Accuracy that this class loses; the largest of ten, so above 0 by chance too.",
    "used": "Whether the gate runs the expert on any digit of the discovery half.",
}
_AXES = {
    "load": "load",
    "importance": "importance",
    "entropy": "entropy, bits",
    "information": "information, bits",
}


def view(view: View) -> None:
    """The answer in words, a chart of one statistic, and both tables."""
    if view.routing.experts == 1:
        st.info(
            "A single expert can't be removed, because nothing would be left to classify the "
            "digits, and there is nothing to compare its load with. Choose at least 2 experts.",
            icon=":material/do_not_disturb_on:",
        )
        return
    found: LoadAndCost = result_of(LoadAndCostTask(view.run, view.gate))
    st.caption(
        "What the gate does was measured on one half of the test digits (the *discovery half*), "
        "the cost of removal on the other (the *confirmation half*)."
    )
    _say(view, found)
    statistic = pick(STATISTIC, "Statistic", help="What is plotted against the cost of removal.")
    _charts(view, found, statistic)
    name = f"{view.gate.replace('_', '-')}-{file_name(view.run)}"
    _correlation_table(found)
    download(found.verdicts, f"{name}-load-correlations", "Download correlations as CSV")
    _expert_table(view, found)
    download(found.experts, f"{name}-load-experts", "Download experts as CSV")


@recorded
def _say(view: View, found: LoadAndCost) -> None:
    """Which statistics tell what removal costs, which don't, and what is missing, in words."""
    table = found.verdicts()
    seeds = ", ".join(map(str, found.trained))
    told = table[table["tells"]]
    which = ", ".join(f"{row['statistic']} {_number(row)}" for _, row in told.iterrows())
    load = table[table["statistic"] == "load"].iloc[0]
    if math.isnan(load["rho"]):
        st.markdown(
            "**Does load tell which expert matters?** That can't be said: fewer than "
            f"{FEWEST} experts are run, or all of them have the same load or cost the same."
        )
    else:
        st.markdown(
            f"**Does load tell which expert matters?** {_answer(load)} Over {load['experts']} "
            f"experts of {len(found.trained)} networks (seeds {seeds}), load and the accuracy that "
            f"removal costs have the rank correlation {_number(load)}, 95 % interval "
            f"{load['low']:+.2f} to {load['high']:+.2f}; before training "
            f"{_value(load['untrained'])}."
        )
        tried = int(table["rho"].notna().sum())
        st.markdown(
            f"Of {tried} statistics {len(told)} predict the cost: {which}."
            if which
            else f"None of the {tried} statistics in the table predicts the cost: their "
            "ranks agree with those of the cost no more than shuffled ones, or than before "
            "training."
        )
    _exceptions(view, found)
    _missing(found, table)


def _answer(load: pd.Series) -> str:
    """Yes or no, by the corrected p-value and the networks before training."""
    if not load["tells"]:
        return "Not shown."
    return "Yes, roughly." if load["rho"] > 0 else "The other way round."


def _number(row: pd.Series) -> str:
    """A correlation with its p-value."""
    p = "p < .001" if row["corrected"] < 0.001 else f"p = {row['corrected']:.3f}"
    return f"ρ = **{row['rho']:+.2f}** (corrected {p})"


def _value(rho: float) -> str:
    """A correlation, or that there is none."""
    return "there is none" if math.isnan(rho) else f"it is {rho:+.2f}"


def _exceptions(view: View, found: LoadAndCost) -> None:
    """The experts with an even load or more that nothing is lost without."""
    spared = found.exceptions()
    if len(spared):
        first = spared.iloc[0]
        st.markdown(
            f"{len(spared)} experts take an equal share of digits or more, and yet removing them "
            "costs no accuracy for sure, because others classify their digits as well: first "
            f"`{_unit(view, first['expert'])}` of seed {first['seed']}, load {first['load']:.0%}, "
            f"cost {100 * first['cost']:+.2f} points."
        )


def _missing(found: LoadAndCost, table: pd.DataFrame) -> None:
    """What has no correlation, which experts are never run, and which networks failed."""
    unused, same = found.unused(), table[table["rho"].isna()]["statistic"]
    if len(unused):
        st.caption(
            f"{len(unused)} experts are never run on the discovery half and are left out of the "
            "correlations: they have no entropy, and removing what is not run costs nothing "
            f"whatever it has learned (at most {100 * unused['cost'].max():.2f} points here)."
        )
    if 0 < len(same) < len(table):
        st.caption(f"No rank correlation of {' and '.join(same)}: it is the same for all experts.")
    for seed, why in found.failed.items():
        st.info(f"Seed {seed} is missing: {why}", icon=":material/warning:")


def _unit(view: View, expert: int) -> str:
    """An expert by the full name of the gate's unit."""
    return f"{view.run.architecture}/{view.gate}/{expert}"


def _named(view: View, found: LoadAndCost) -> pd.DataFrame:
    """A row for each expert, with its name in full."""
    table = found.experts()
    return table.assign(name=[_unit(view, expert) for expert in table["expert"]])


@recorded
def _charts(view: View, found: LoadAndCost, statistic: str) -> None:
    """The statistic against the cost of removal: trained networks beside untrained ones."""
    table, rows = _named(view, found), found.verdicts().set_index("statistic")
    st.caption(f"{statistic.capitalize()}: {DEFINITIONS[statistic]}")
    words = {"trained": rows["rho"][statistic], "untrained": rows["untrained"][statistic]}
    for place, (network, rho) in zip(st.columns(2), words.items(), strict=True):
        said = "no rank correlation" if math.isnan(rho) else f"ρ = {rho:+.2f}"
        of = table[table["network"] == network]
        with place:
            st.markdown(f"**{network.capitalize()}**: {said}", help=DEFINITIONS["rho"])
            chart = finished_chart(figures.against_cost, of, statistic, _AXES[statistic])
            st.vega_lite_chart(chart, key=f"{network} load and cost")
    st.caption(
        "One point per expert, colour and shape by seed; lines: 95 % interval of the cost, paired "
        "by digit. Before training a network guesses, so there removal costs or gains by luck: the "
        "two charts have scales of their own."
    )


@recorded
def _correlation_table(found: LoadAndCost) -> None:
    """The rank correlation of every statistic."""
    st.markdown("**Rank correlation with the cost of removal**", help=DEFINITIONS["rho"])
    helps = {
        "statistic": st.column_config.TextColumn("statistic", help="What the gate does."),
        "experts": st.column_config.NumberColumn("experts", help="How many are compared."),
        "rho": column("ρ", DEFINITIONS["rho"]),
        **{key: column(key, DEFINITIONS["bounds"]) for key in ("low", "high")},
        **{key: column(key, DEFINITIONS["chance"]) for key in ("chance low", "chance high")},
        **{key: _finely(key) for key in ("p", "corrected")},
        "untrained": column("untrained ρ", DEFINITIONS["untrained"]),
        "untrained p": _finely("untrained p"),
        "tells": st.column_config.CheckboxColumn("tells", help=DEFINITIONS["tells"]),
    }
    st.dataframe(found.verdicts()[list(helps)], hide_index=True, column_config=helps)


def _finely(name: str) -> ColumnConfig:
    """A column of p-values, to be told from the limit of .05."""
    return st.column_config.NumberColumn(name, format="%.4f", help=DEFINITIONS[name])


@recorded
def _expert_table(view: View, found: LoadAndCost) -> None:
    """Every expert of every network."""
    st.markdown("**All experts**")
    table = _named(view, found)
    shown = ["network", "seed", "name", *STATISTICS, "cost", "low", "high", "class", "class cost"]
    helps = {
        **{key: column(key, DEFINITIONS[key]) for key in (*STATISTICS, "cost", "class cost")},
        **{key: column(key, DEFINITIONS["interval"]) for key in ("low", "high")},
        "class": st.column_config.NumberColumn("class", help=DEFINITIONS["class"]),
        "used": st.column_config.CheckboxColumn("used", help=DEFINITIONS["used"]),
    }
    st.dataframe(table[[*shown, "used"]], hide_index=True, column_config=helps)
    st.caption(
        "Experts are numbered arbitrarily, in each network by itself. Accuracy on the confirmation "
        "half: "
        + ", ".join(f"seed {seed} {of.accuracy:.1%}" for seed, of in found.trained.items())
        + "."
    )
