"""LSTM and GRU over many digits: saturation, memory, what is held by class, and early reading."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import ArrayLike
from streamlit.elements.lib.column_types import ColumnConfig

from core.architectures.recurrent import charts as figures
from core.architectures.recurrent import early_reading
from core.architectures.recurrent import gates as recurrent
from core.architectures.recurrent.early_reading import EarlyReading
from core.architectures.recurrent.gate_measures import NETWORKS, GateMeasures
from core.architectures.recurrent.task import HELD, EarlyReadingTask
from core.models.lstm import shuffled_order
from core.runtime.drawings import drawn_once
from core.units import UnitId
from pages.kit import links
from pages.kit.charts import finished_chart
from pages.kit.controls import toggle
from pages.kit.gallery import gallery
from pages.kit.grid import Grid, image_grid
from pages.kit.recorded import recorded
from pages.kit.tables import download, file_name
from pages.kit.waiting import result_of
from pages.parts.recurrent.state import View

__all__ = ["HELD", "course", "held_by_class", "percents", "read_early", "remembered", "saturated"]

SATURATION = (
    "Left-saturated: share of all (digit, row) pairs in which the unit's gate is below 0.1. "
    "Right-saturated: above 0.9 (Karpathy, Johnson & Fei-Fei 2016, arXiv:1506.02078)."
)
TAU = (
    "τ = −1 / ln E[f], in rows: the number of rows after which a state decays to 1/e if nothing "
    "is added. E[f] is the mean, over all digits and rows, of the gate that retains the state: "
    "the forget gate of an LSTM, the update gate z of a GRU. It ignores what is written in the "
    "meantime."
)
SHARE = "η²: how much of the state's variance over digits lies between classes, 0 to 1."
PROBE = (
    "Multinomial logistic regression on the hidden state after this row (L-BFGS; L2 penalty "
    f"{early_reading.PENALTY:g} on standardized units), fitted separately for each row on the "
    "discovery half and judged on the confirmation half. It shows what could be read from the "
    "state, not what the network uses."
)


SHUFFLED = links.switch("cell_shuffled")


def percents(frame: pd.DataFrame) -> dict[str, ColumnConfig]:
    """All columns of shares but the first as percentages."""
    return {
        name: st.column_config.NumberColumn(format="percent") for name in list(frame.columns)[1:]
    }


def saturated(view: View) -> None:
    """A scatter for each gate, beside the untrained network, and all numbers to download."""
    _saturation(view.opened, view.gates, view.unit)
    download(partial(GateMeasures.table, view.opened), f"gates-{file_name(view.run)}")


@recorded
def _saturation(opened: GateMeasures, gates: tuple[str, ...], unit: int) -> None:
    """A scatter for each gate, beside the untrained network."""
    for column, gate in zip(st.columns(len(gates)), gates, strict=True):
        parts = []
        for network in reversed(NETWORKS):
            shares = opened.saturation[network, gate]
            columns = {"unit": np.arange(len(shares)), "shut": shares[:, 0], "open": shares[:, 1]}
            parts.append(pd.DataFrame(columns).assign(network=network))
        frame = pd.concat(parts)
        frame["chosen"] = frame["unit"] == unit
        with column:
            st.markdown(f"**{gate} gate**", help=SATURATION)
            st.vega_lite_chart(
                finished_chart(figures.saturation, frame), key=f"saturation of {gate}"
            )
            own = opened.saturation["trained", gate][unit]
            st.caption(f"Unit {unit}: closed {own[0]:.0%}, open {own[1]:.0%} of the time.")
    st.caption(
        "One dot per unit, over the confirmation half and all 28 rows; grey: the same network "
        f"before training. Orange ring: unit {unit}. The gate of a unit at the lower left is "
        "rarely fully open or closed: it is a soft weight, not a switch."
    )


@recorded
def remembered(view: View) -> None:
    """Time constants, beside the untrained network."""
    parts = []
    for network in reversed(NETWORKS):
        tau = view.opened.tau(network)
        place_ = tau.argsort().argsort()
        columns = {"place": place_, "unit": np.arange(len(tau)), "tau": tau}
        parts.append(pd.DataFrame(columns).assign(network=network))
    frame = pd.concat(parts)
    frame["chosen"] = frame["unit"] == view.unit
    st.vega_lite_chart(finished_chart(figures.memory, frame), key="time constants")
    trained, untrained = (view.opened.tau(network) for network in NETWORKS)
    kept = recurrent.keeping(view.model.described)
    st.caption(
        f"τ of each unit, from the mean of its {kept} gate: unit {view.unit} remembers for "
        f"{trained[view.unit]:.1f} rows. Median unit: {np.median(trained):.1f} rows, before "
        f"training {np.median(untrained):.1f}; the slowest: {trained.max():.1f}, before training "
        f"{untrained.max():.1f}.",
        help=TAU,
    )


def held_by_class(view: View) -> None:
    """All units as tiles of classes by rows, and one unit's state on each class with intervals."""
    found, order = view.opened.state, view.opened.order("row")
    limit = recurrent.largest(found.mean)
    picked = image_grid(
        _states(view.opened, f"{view.run.architecture}/{view.carried}"),
        key=f"grid of states of {view.run.architecture}",
        label=f"Units of {view.run.architecture}/{view.carried}, early writers first",
        selected=int(np.flatnonzero(order == view.unit)[0]),
        scale=1,
    )
    if picked is not None and order[picked] != view.unit:
        links.put(cell_unit=int(order[picked]))
        st.rerun()
    st.caption(
        f"Each tile is a unit of {view.carried}: classes 0 to 9 from left to right, rows from top "
        f"to bottom, the mean over the confirmation half; blue −{limit:.1f}, white 0, red "
        f"{limit:.1f}. Click one to select it."
    )
    _one_state(view)
    download(partial(_state_frame, view), f"state-{file_name(view.run)}-{view.carried}-{view.unit}")


@drawn_once
def _states(opened: GateMeasures, layer: str) -> Grid:
    """A picture of each unit's mean state, early writers first."""
    found, order = opened.state, opened.order("row")
    limit = recurrent.largest(found.mean)
    names = [f"{layer}/{unit}: mean state, classes across, rows down" for unit in order]
    return gallery(figures.unit_tiles(found.mean[order], limit), names, [str(u) for u in order])


@recorded
def _one_state(view: View) -> None:
    """The chosen unit's mean state on each class, and its state on the digit."""
    found, frame = view.opened.state, _state_frame(view)
    name = str(UnitId(view.run.architecture, view.carried, view.unit))
    own = view.values[view.carried][view.unit]
    digit = pd.DataFrame({"row": np.arange(len(own)), "value": own})
    chart = finished_chart(figures.by_class, frame, digit, view.row, name)
    st.vega_lite_chart(chart, key="state by class")
    share, untrained = found.share[view.unit], view.opened.untrained[view.unit]
    at = int(share.argmax())
    st.caption(
        f"Mean state of {name} on each class with its 95 % interval, "
        f"{int(found.count.min())} to {int(found.count.max())} digits per class; dashed: "
        f"{view.digit.name}, a {view.digit.label}; orange: row {view.row}. Share of the "
        f"variance at this row that lies between classes: {share[view.row]:.0%}; highest: "
        f"{share[at]:.0%} (row {at}); highest before training: {untrained.max():.0%}.",
        help=SHARE,
    )


def _state_frame(view: View) -> pd.DataFrame:
    """A row for each row and class of the chosen unit."""
    found = view.opened.state
    rows, classes = np.indices(found.mean.shape[1:])
    columns = {"row": rows.ravel(), "class": classes.ravel().astype(str)}
    ends = {name: getattr(found, name)[view.unit].ravel() for name in ("mean", "low", "high")}
    return pd.DataFrame({**columns, **ends, "digits": found.count[classes.ravel()].astype(int)})


def read_early(view: View) -> None:
    """Accuracy by row of the final head and of probes, and this digit's answer by row."""
    found: EarlyReading = result_of(EarlyReadingTask(view.run))
    beside = toggle(
        SHUFFLED,
        "Compare with a network that reads the rows in shuffled order",
        help="The same kind of network, trained on the rows in one random order, the same for all "
        "digits. It is trained the first time, which takes a minute or two.",
    )
    chart = st.container()
    _answers(view, found)
    shuffled: EarlyReading | None = None
    if beside:
        shuffled = result_of(EarlyReadingTask(view.run.with_settings(shuffled=True)))
    with chart:
        _reading(view.row, found, shuffled)
        download(
            partial(EarlyReading.table, found, shuffled), f"early-reading-{file_name(view.run)}"
        )


@recorded
def _reading(row: int, found: EarlyReading, shuffled: EarlyReading | None) -> None:
    """The accuracy by row, and at one of them in words."""
    table = found.table(shuffled)
    st.vega_lite_chart(finished_chart(figures.reading, table, row), key="early reading")
    at = {name: curve[row] for name, curve in found.accuracy.items()}
    st.caption(
        f"Accuracy on {found.digits:,} digits of the confirmation half with 95 % intervals. "
        f"At row {row}: the network's own last layer {at['head']:.1%}, a probe fitted "
        f"for that row {at['probe']:.1%}, a probe of the network before training "
        f"{at['untrained']:.1%}. The last layer was trained on row 27 alone: applied earlier, "
        "it misreads information that the state already contains.",
        help=PROBE,
    )
    if shuffled is not None:
        order = ", ".join(str(row) for row in shuffled_order().tolist())
        st.caption(f"Shuffled: step 0 to 27 reads the rows {order}.")


@recorded
def _answers(view: View, found: EarlyReading) -> None:
    """The classes' probabilities for the followed digit behind each row, by head and probe."""
    hidden = view.values["hidden"][None].copy()  # what is kept is read-only, which torch minds
    logits: dict[str, ArrayLike] = {
        "The network's last layer, applied at each row": recurrent.head(view.model, hidden),
        "A probe fitted for each row": early_reading.scores(found.probes, hidden),
    }
    for column, (title, each) in zip(st.columns(2), logits.items(), strict=True):
        with column:
            st.markdown(f"**{title}**", help=PROBE)
            shares = early_reading.probabilities(each)[0]
            st.vega_lite_chart(
                finished_chart(figures.answers, shares, view.row), key=f"answers of {title}"
            )
    st.caption(
        f"Probability of each class for {view.digit.name}, a {view.digit.label}, "
        f"after each row; orange: row {view.row}."
    )


def course(view: View) -> None:
    """Common mistakes in LSTM and GRU code, with their effect on this network."""
    with st.expander("Common mistakes, and what is done here"):
        if view.run.architecture == "lstm":
            st.markdown(_LSTM)
            return
        other = {name: f"{value:.1%}" for name, value in view.opened.other.items()}
        st.markdown(
            _GRU.format(
                now=f"{view.opened.accuracy:.1%}", n=HELD, form=other["form"], z=other["update"]
            )
        )


_LSTM = """
| | often | here |
| --- | --- | --- |
| formulas | correct | the same; `torch.nn.LSTMCell` agrees to 10⁻⁶ |
| gates | computed and discarded, so they can't be examined | each gate is a layer whose values can be read and clamped |
| forget bias | 0: an untrained gate keeps σ(0) = 0.50, τ = 1.4 rows | 1: it keeps σ(1) = 0.73, τ = 3.2 rows (Gers et al. 2000) |
| biases | one per gate | one per gate; PyTorch's second is simply added to it |
"""  # noqa: E501
_GRU = """
| | often | here |
| --- | --- | --- |
| z | the text says that z is the share of the old state that is kept, but the code multiplies the **new** one by z | z is the share of the old state, in text and code |
| r | applied before the matrix product, without saying which variant this is | both variants, named |

The two conventions for z can be converted into each other by flipping the sign of its weights. Using
this network's weights with the other convention, unflipped, classifies **{z}** of {n:,} digits correctly
instead of {now}. The two positions of r can't be converted: using these weights in the other variant gives
**{form}**. The variants are equal only if U_n is diagonal and b_hn is 0, so that no unit is mixed with
another.
"""  # noqa: E501
