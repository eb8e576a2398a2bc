"""Exercise: the same question to a network trained on photographs, over the visitor's pictures."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from core.analyses.modality.makeup import members
from core.analyses.modality.photographs import PhotographModes, PhotographModesTask
from core.charts import modality as figures
from core.models.pretrained import FEWEST, FILE_LIMIT, MOST, NETWORKS, shrunk
from core.statistics.modes import RATE, Modality, find_modes
from core.text import literal, shown
from pages.kit import controls, links
from pages.kit.charts import finished_chart
from pages.kit.gallery import gallery
from pages.kit.grid import image_grid
from pages.kit.tables import download
from pages.kit.waiting import result_of
from pages.parts.multimodality.words import DEFINITIONS

__all__ = ["exercise"]

_SIDE = 56  # pixels of a picture on the screen
OPEN = links.switch("exercise")
NETWORK = links.one_of("network", tuple(NETWORKS))
TRAINED = links.one_of("weights", ("trained", "untrained"))


def exercise() -> None:
    """The exercise, once it is asked for; the pictures themselves are no part of a link."""
    st.subheader("Exercise: a network trained on photographs")
    if not controls.toggle(OPEN, "Open the exercise"):
        return
    st.markdown(
        f"Upload {FEWEST} to {MOST} pictures, for example of two kinds: cats and dogs, or day and "
        "night. Which channels have a mode for each kind? Your pictures are neither stored nor "
        "passed on."
    )
    network, layer = _controls()
    given = st.file_uploader(
        f"PNG, JPEG or WebP, at most {FILE_LIMIT // 2**20} MB each",
        type=("png", "jpg", "jpeg", "webp"),
        accept_multiple_files=True,
        key="pictures",
    )
    files = _read([(file.name, file.getvalue()) for file in given[:MOST]])
    if len(given) > MOST:
        st.warning(f"{len(given)} pictures: only the first {MOST} are used.")
    if len(files) < FEWEST:
        st.info(
            f"{len(files)} pictures so far: the tests need at least {FEWEST}.",
            icon=":material/photo_library:",
        )
        return
    task = PhotographModesTask(network, layer, TRAINED.value() == "trained", tuple(files))
    _found(task, result_of(task))


def _controls() -> tuple[str, str]:
    """The network and the layer."""
    left, middle, right = st.columns(3)
    network = controls.choose(
        NETWORK,
        "Network",
        where=left,
        names=lambda name: NETWORKS[name].title,
        resets=("network_layer", "channel"),
    )
    layers = NETWORKS[network].layers
    layer = links.one_of("network_layer", layers, layers[-1])
    controls.choose(layer, "Layer", where=middle, resets=("channel",))
    controls.pick(
        TRAINED,
        "Weights",
        where=right,
        help="Trained on ImageNet (weights from torchvision), or untrained as a control.",
    )
    return network, layer.value()


def _read(given: list[tuple[str, bytes]]) -> list[bytes]:
    """The pictures that could be read; a sentence for the first few that could not."""
    files, wrong = [], []
    known = st.session_state.setdefault("shrunk pictures", {})
    for name, data in given:
        try:
            if data not in known:
                known[data] = shrunk(data)
            files.append(known[data])
        except ValueError as error:
            wrong.append(f"{literal(name)}: {error}")
    for data in set(known) - {data for _, data in given}:
        del known[data]
    for sentence in wrong[:5]:
        st.warning(shown(sentence), icon=":material/broken_image:")
    if len(wrong) > 5:
        st.warning(f"{len(wrong) - 5} more files couldn't be read.", icon=":material/broken_image:")
    return files


def _found(task: PhotographModesTask, found: PhotographModes) -> None:
    """The densities of all channels, and one channel in detail."""
    of = found.modes
    order = of.order("evidence")
    name = f"{NETWORKS[task.network].title}, {task.layer}"
    st.markdown(
        f"**{int(of.claimed.sum())} of {len(of)} channels** of {name} have more than one mode at a "
        f"false discovery rate of {RATE:.0%}.",
        help=DEFINITIONS["q"],
    )
    tiles = figures.density_tiles(
        of.heights[order], of.first[order], of.step[order], of.claimed[order]
    )
    picked = image_grid(
        gallery(
            tiles,
            [f"channel {unit}: dip {of.dip[unit]:.3f}, q {of.q[unit]:.4f}" for unit in order],
            [f"{unit} · {of.modes[unit] or '–'}" for unit in order],
        ),
        key="grid of channels",
        label=f"densities of {name}",
        scale=1,
        max_height=330,
    )
    if picked is not None:
        links.put(channel=int(order[picked]))
        st.rerun()
    st.caption(
        f"{name}, {TRAINED.value()}: mean of each channel over positions, after its ReLU, on "
        f"{len(found.values)} pictures. Below: channel · modes. Blue: more than one mode claimed. "
        "With so few pictures only large, well separated modes can be claimed. Channels are "
        "chosen and judged on the same pictures: q corrects for the number of channels, but "
        "other pictures would be a fairer test."
    )
    _channel(task, found, links.integer("channel", 0, len(of) - 1, int(order[0])).value())
    table = pd.DataFrame({"channel": range(len(of)), "dip": of.dip, "p": of.p, "q": of.q})
    download(table.assign(modes=of.modes), f"modes-{task.network}-{task.layer}")


def _channel(task: PhotographModesTask, found: PhotographModes, unit: int) -> None:
    """One channel: its density, and the pictures in each of its modes."""
    of: Modality = find_modes(found.values[:, unit], seed=unit)
    p = "< 0.001" if of.p_value < 0.001 else f"{of.p_value:.3f}"
    st.markdown(f"**Channel {unit}: {of.said}** · dip {of.dip:.3f}, p {p}")
    if of.density is None:
        return
    names, colours = figures.mode_names(of.n_modes, False)
    place = members(of.density.grid, of.modes, apart=False)
    frame = pd.DataFrame({"value": of.density.grid, "density": of.density.heights})
    frame["mode"] = [names[at] for at in place]
    modes = pd.DataFrame([vars(mode) for mode in of.modes]).assign(name=names)
    chart = finished_chart(
        figures.unit_density, frame, modes, title="mean over positions", colours=colours
    )
    st.vega_lite_chart(chart, key="density of a channel")
    where = members(found.values[:, unit], of.modes, of.apart)
    for mode in np.unique(where):
        inside = np.flatnonzero(where == mode)
        inside = inside[np.argsort(found.values[inside, unit], kind="stable")]
        name = names[mode] if mode >= 0 else "exactly 0"
        st.markdown(f"**{name.capitalize()}**: {len(inside)} pictures")
        tiles = np.stack([_thumbnail(task.files[at]) for at in inside])
        words = [f"picture {at}: {found.values[at, unit]:.3f}" for at in inside]
        image_grid(
            gallery(tiles, words), key=f"pictures {mode}", label=f"{name}, channel {unit}", scale=1
        )
    st.caption("All pictures of each mode, lowest value first.")


def _thumbnail(file: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A picture, small: (56, 56, 3)."""
    return np.asarray(Image.open(io.BytesIO(file)).resize((_SIDE, _SIDE)))
