"""The store gives back what it was given or nothing, whatever happens to its folder."""

from __future__ import annotations

import errno
import io
import json
import os
import pickle
import re
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import platformdirs
import pytest
import safetensors
import torch

import core
from core.runtime import folders
from core.runtime import store as module
from core.runtime.store import Key, Store, StoredArrays, StoredWeights, default_store

KEY: Key = {"data": "strokes", "model": "lenet5", "seed": 0, "rate": 0.1, "aug": None, "fast": True}
ARRAYS = {
    "means": np.arange(6, dtype=np.float32).reshape(2, 3),
    "turned": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "number": np.array(7),
    "none": np.zeros((0, 4), dtype=np.int64),
    "words": np.array(["closed-4", "é"]),
    "file": np.array([True, False]),
    "a/b": np.array([1, -1], dtype=">i2"),
}
WEIGHTS = {
    "weights/conv.weight": torch.linspace(-1, 1, 12).reshape(2, 2, 3).transpose(0, 2),
    "half": torch.tensor([1.5, 2.5], dtype=torch.bfloat16),
    "step": torch.tensor(3),
    "yes": torch.tensor([True, False]),
    "none": torch.zeros(0, 5),
}
ABOUT = {"accuracy": 0.5, "names": ["a", "b"], "nested": {"none": None}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def same_arrays(found: StoredArrays | None, arrays: Mapping[str, Any] = ARRAYS) -> bool:
    assert found is not None
    assert list(found.arrays) == list(arrays)
    for name, value in arrays.items():
        np.testing.assert_array_equal(found.arrays[name], value)
        assert (found.arrays[name].dtype, found.arrays[name].shape) == (value.dtype, value.shape)
    return True


def same_weights(found: StoredWeights | None) -> bool:
    assert found is not None
    assert set(found.weights) == set(WEIGHTS)
    for name, value in WEIGHTS.items():
        assert torch.equal(found.weights[name], value)
        assert found.weights[name].dtype == value.dtype
    return True


def only_file(store: Store) -> Path:
    (path,) = (path for path in store.folder.iterdir() if path.is_file())
    return path


def save(store: Store, ending: str) -> Path:
    if ending == "npz":
        store.save_arrays("profile", KEY, {"x": np.arange(5.0), "y": np.array(["a"])}, ABOUT)
    else:
        store.save_weights("model", KEY, {"x": torch.arange(5.0), "y": torch.tensor(1)}, ABOUT)
    return only_file(store)


def load(store: Store, ending: str) -> dict[str, list[Any]] | None:
    """What `save` saved, as lists."""
    if ending == "npz":
        arrays = store.load_arrays("profile", KEY)
        return arrays and {name: value.tolist() for name, value in arrays.arrays.items()}
    weights = store.load_weights("model", KEY)
    return weights and {name: value.tolist() for name, value in weights.weights.items()}


SOUND = {
    "npz": {"x": [0.0, 1.0, 2.0, 3.0, 4.0], "y": ["a"]},
    "safetensors": {"x": [0.0, 1.0, 2.0, 3.0, 4.0], "y": 1},
}
both = pytest.mark.parametrize("ending", ["npz", "safetensors"])


def test_arrays_come_back_as_they_were(store: Store) -> None:
    assert store.load_arrays("profile", KEY) is None
    store.save_arrays("profile", KEY, ARRAYS, ABOUT)
    found = store.load_arrays("profile", KEY)
    assert same_arrays(found)
    assert found is not None
    assert found.about == ABOUT
    assert store.problems() == []


def test_arrays_from_the_store_cant_be_written(store: Store) -> None:
    store.save_arrays("profile", KEY, ARRAYS)
    found = store.load_arrays("profile", KEY)
    assert found is not None
    for value in found.arrays.values():
        assert not value.flags.writeable
        with pytest.raises(ValueError, match="WRITEABLE"):
            value.setflags(write=True)


def test_weights_come_back_as_they_were(store: Store) -> None:
    tied = {**WEIGHTS, "half": WEIGHTS["half"].clone().requires_grad_()}
    store.save_weights("model", KEY, tied, ABOUT)
    found = store.load_weights("model", KEY)
    assert same_weights(found)
    assert found is not None
    assert found.about == ABOUT
    assert not found.weights["half"].requires_grad


def test_weights_that_share_memory_are_kept(store: Store) -> None:
    shared = torch.ones(3)
    store.save_weights("model", KEY, {"a": shared, "b": shared[:2]})
    found = store.load_weights("model", KEY)
    assert found is not None
    assert found.weights["b"].tolist() == [1, 1]


def test_who_changes_loaded_weights_changes_only_theirs(store: Store) -> None:
    store.save_weights("model", KEY, {"x": torch.zeros(2)})
    for _ in range(2):
        found = store.load_weights("model", KEY)
        assert found is not None
        assert found.weights["x"].tolist() == [0, 0]
        found.weights["x"] += 1


def test_a_later_result_replaces_the_earlier(store: Store) -> None:
    for value in (1, 2):
        store.save_arrays("profile", KEY, {"x": np.array(value)})
    assert same_arrays(store.load_arrays("profile", KEY), {"x": np.array(2)})
    assert re.fullmatch(r"profile-[0-9a-f]{24}\.npz", only_file(store).name)


@both
def test_a_person_reads_the_key_in_the_file(store: Store, ending: str) -> None:
    path = save(store, ending)
    if ending == "npz":
        with np.load(path, allow_pickle=False) as file:
            facts, x = json.loads(str(file["__facts__"])), file["x"].tolist()
    else:
        with safetensors.safe_open(path, "pt") as file:
            facts, x = json.loads(file.metadata()["__facts__"]), file.get_tensor("x").tolist()
    assert facts["key"] == KEY
    assert facts["about"] == ABOUT
    assert x == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"seed": None}, {"seed": False}, {"data": "mnist"}, {"seed": "0"}, {"more": 1}],
)
def test_another_key_is_another_file(store: Store, change: dict[str, Any]) -> None:
    store.save_arrays("profile", KEY, {"x": np.array(1)})
    assert store.load_arrays("profile", {**KEY, **change}) is None
    assert store.load_arrays("profile", dict(reversed(list(KEY.items())))) is not None
    assert store.load_arrays("other", KEY) is None


@both
def test_a_flipped_byte_is_never_read_as_a_result(store: Store, ending: str) -> None:
    path = save(store, ending)
    sound, noticed = path.read_bytes(), 0
    for at in range(len(sound)):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 0x10]) + sound[at + 1 :])
        found = load(store, ending)
        # a zip file has a few bytes that say nothing, such as dates
        assert found is None or found == SOUND[ending], f"byte {at}"
        noticed += found is None
    assert noticed >= (len(sound) if ending == "safetensors" else 0.8 * len(sound))


@both
def test_a_flipped_byte_of_a_value_is_noticed_by_the_checksum(store: Store, ending: str) -> None:
    path = save(store, ending)
    sound, four = path.read_bytes(), {"npz": "<d", "safetensors": "<f"}[ending]
    changed = sound.replace(struct.pack(four, 4), struct.pack(four, 4.5))
    assert changed != sound
    if ending == "npz":  # the archive's own checksum made good again
        with zipfile.ZipFile(path) as old:
            members = {name: old.read(name) for name in old.namelist()}
        members["x.npy"] = members["x.npy"].replace(struct.pack("<d", 4), struct.pack("<d", 4.5))
        changed = zipped(members)
    path.write_bytes(changed)
    assert load(store, ending) is None
    assert "checksum" in store.problems()[-1]


@both
def test_a_truncated_file_is_noticed(store: Store, ending: str) -> None:
    sound = save(store, ending).read_bytes()
    path = only_file(store)
    for length in (0, 1, 7, 8, 9, 50, len(sound) // 2, len(sound) - 22, len(sound) - 1):
        path.write_bytes(sound[:length])
        assert load(store, ending) is None, length
        assert not path.exists()
    path.write_bytes(sound + b"\0")
    assert load(store, ending) is None
    path.write_bytes(sound)
    assert load(store, ending) == SOUND[ending]


@both
def test_a_damaged_file_is_moved_aside_and_computed_again(store: Store, ending: str) -> None:
    path = save(store, ending)
    path.write_bytes(b"broken")
    assert load(store, ending) is None
    (aside,) = (store.folder / "damaged").iterdir()
    assert aside.name.endswith(path.name)
    assert aside.read_bytes() == b"broken"
    (sentence,) = store.problems()
    assert path.name in sentence
    assert str(store.folder / "damaged") in sentence
    save(store, ending)
    assert load(store, ending) == SOUND[ending]


def test_only_the_newest_damaged_files_stay(store: Store) -> None:
    path = save(store, "npz")
    for number in range(25):
        path.write_bytes(f"broken {number}".encode())
        load(store, "npz")
    kept = {file.read_bytes() for file in (store.folder / "damaged").iterdir()}
    assert kept == {f"broken {number}".encode() for number in range(5, 25)}


def test_a_damaged_file_that_cant_be_moved_is_still_no_result(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, "npz").write_bytes(b"broken")
    monkeypatch.setattr(os, "replace", failing(errno.EROFS))
    assert load(store, "npz") is None
    assert "left where it is" in store.problems()[0]
    store.save_arrays("profile", KEY, {"x": np.array(1)})
    assert same_arrays(store.load_arrays("profile", KEY), {"x": np.array(1)})


@both
def test_the_file_of_another_key_is_noticed(store: Store, ending: str) -> None:
    path = save(store, ending)
    other: Key = {**KEY, "seed": 1}
    name = module._Identity(path.name.split("-")[0], other).name
    path.rename(path.with_name(f"{name}.{ending}"))
    if ending == "npz":
        assert store.load_arrays("profile", other) is None
    else:
        assert store.load_weights("model", other) is None
    assert "another key" in store.problems()[0]


def zipped(members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def npy(value: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, value, allow_pickle=True)
    return buffer.getvalue()


def declaring(shape: str, descr: str = "'<f8'") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


class Trap:
    """Whoever unpickles this has a folder `sprung`."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, ("sprung",)


def header(text: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if length is None else length) + text


HOSTILE = {
    "an object": ("npz", zipped({"x.npy": npy(np.array([Trap()], dtype=object))})),
    "a pickle": ("npz", pickle.dumps(Trap())),
    "a pickle inside": ("npz", zipped({"x.npy": pickle.dumps(Trap())})),
    "a bomb": (
        "npz",
        zipped({"x.npy": declaring("(6250000,)") + bytes(50_000_000)}, zipfile.ZIP_DEFLATED),
    ),
    "too much": ("npz", zipped({"x.npy": declaring("(1,)") + bytes(16)})),
    "a huge shape": ("npz", zipped({"x.npy": declaring("(1099511627776,)")})),
    "a negative shape": ("npz", zipped({"x.npy": declaring("(-1,)")})),
    "no shape": ("npz", zipped({"x.npy": declaring("'many'")})),
    "nested text": ("npz", zipped({"x.npy": declaring("(" * 4000)})),
    "no facts": ("npz", zipped({"x.npy": npy(np.array(1))})),
    "facts of another type": ("npz", zipped({"__facts__.npy": npy(np.array("[1]"))})),
    "deep facts": ("npz", zipped({"__facts__.npy": npy(np.array("[" * 100_000))})),
    "nothing inside": ("npz", zipped({})),
    "an absurd header": ("safetensors", header(b"{}", 2**63)),
    "a header past the end": ("safetensors", header(b"{}", 3)),
    "no metadata": ("safetensors", header(b"{}")),
    "a header of another type": ("safetensors", header(b"[]")),
    "a deep header": ("safetensors", header(b"[" * 100_000)),
    "a huge tensor": (
        "safetensors",
        header(b'{"x":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'),
    ),
}


REASONS = {
    "an object": "never unpickled",
    "a bomb": "more bytes than it has",
    "a huge shape": "an array declares 8796093022208 bytes and has 0",
    "too much": "an array declares 8 bytes and has 16",
    "an absurd header": "its header declares 9223372036854775808 bytes",
    "a header past the end": "its header declares 3 bytes",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_does_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ending, data = HOSTILE[what]
    path = save(store, ending)
    path.write_bytes(data)
    began = time.process_time()
    assert load(store, ending) is None
    assert time.process_time() - began < 0.5
    assert not (tmp_path / "sprung").exists()
    assert not path.exists()
    (sentence,) = store.problems()
    assert REASONS.get(what, "was damaged") in sentence


def test_hostile_files_take_no_memory(store: Store) -> None:
    for ending in SOUND:
        load(store, ending)  # what is made once is made now
    for what, (ending, data) in HOSTILE.items():
        save(store, ending).write_bytes(data)
        tracemalloc.start()
        assert load(store, ending) is None
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 3_000_000, what  # bytes; the bomb alone would take 50,000,000


def test_a_file_above_the_limit_is_neither_kept_nor_read(tmp_path: Path) -> None:
    small = Store(tmp_path, file_limit=3000)
    small.save_arrays("profile", KEY, {"x": np.zeros(1000)})
    assert list(tmp_path.iterdir()) == []
    assert "so it isn't kept" in small.problems()[0]
    Store(tmp_path).save_arrays("profile", KEY, {"x": np.zeros(1000)})
    assert small.load_arrays("profile", KEY) is None
    assert "above 3000" in small.problems()[1]
    made = StoredArrays({"x": np.zeros(1000)})
    assert same_arrays(small.computed_arrays("profile", KEY, lambda: made), made.arrays)


def failing(code: int) -> Callable[..., Any]:
    def fail(*arguments: object, **options: object) -> Any:
        raise OSError(code, os.strerror(code))

    return fail


@pytest.mark.parametrize("step", ["mkdir", "open", "fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_folder_that_cant_be_written_costs_only_later_visits(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    place = {"mkdir": Path, "open": folders, "fsync": os, "replace": os}[step]
    with monkeypatch.context() as patched:
        patched.setattr(place, step, failing(code), raising=False)
        store.save_arrays("profile", KEY, ARRAYS, ABOUT)
        store.save_weights("model", KEY, WEIGHTS)
        assert same_arrays(store.load_arrays("profile", KEY))
        assert same_weights(store.load_weights("model", KEY))
    (sentence,) = store.problems()  # one for both
    assert str(store.folder) in sentence
    assert os.strerror(code) in sentence
    assert sentence.endswith("set SPECIALIZED_NEURONS_CACHE to a folder that can be written.")
    assert not store.folder.exists() or list(store.folder.iterdir()) == []  # no half of a file
    assert Store(store.folder).load_arrays("profile", KEY) is None
    store.save_arrays("profile", KEY, ARRAYS)  # there is room again
    assert same_arrays(Store(store.folder).load_arrays("profile", KEY))


def test_a_failed_write_leaves_the_earlier_file(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(store, "npz")
    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", failing(errno.ENOSPC))
        store.save_arrays("profile", KEY, {"x": np.array(1)})
    assert same_arrays(store.load_arrays("profile", KEY), {"x": np.array(1)})
    assert load(Store(store.folder), "npz") == SOUND["npz"]
    store.save_arrays("profile", KEY, {"x": np.array(2)})  # there is room again: memory gives way
    only_file(store).unlink()
    assert store.load_arrays("profile", KEY) is None


def test_an_interrupted_write_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(store, "npz")
    assert list(store.folder.iterdir()) == []


@pytest.mark.parametrize("deep", [False, True])
def test_a_file_in_the_place_of_the_folder(tmp_path: Path, deep: bool) -> None:
    (tmp_path / "file").write_text("mine")
    store = Store(tmp_path / "file" / "store" if deep else tmp_path / "file")
    assert store.load_arrays("profile", KEY) is None
    assert store.problems() == []
    made = store.computed_arrays("profile", KEY, lambda: StoredArrays(ARRAYS))
    assert same_arrays(made)
    assert same_arrays(store.load_arrays("profile", KEY))
    assert len(store.problems()) == 1
    assert (tmp_path / "file").read_text() == "mine"


def test_a_file_that_cant_be_read_is_left_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(store, "npz")
    with monkeypatch.context() as patched:
        patched.setattr(module, "open", failing(errno.EACCES), raising=False)
        assert load(store, "npz") is None
    assert path.exists()
    assert str(path) in store.problems()[0]
    assert load(store, "npz") == SOUND["npz"]


def test_memory_is_bounded_and_drops_the_oldest(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file", memory_limit=40_000)
    for seed in range(5):
        store.save_arrays("profile", {"seed": seed}, {"x": np.full(1000, seed)})  # 8 kB and more
    held = [store.load_arrays("profile", {"seed": seed}) is not None for seed in range(5)]
    assert held == [False, True, True, True, True]
    store.save_arrays("profile", {"seed": 9}, {"x": np.zeros(10_000)})  # alone too much
    assert store.load_arrays("profile", {"seed": 9}) is None


def test_problems_are_few_and_each_is_said_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in [*range(30), 15]:
        store._record(f"problem {number}")
    numbers = [10, 11, 12, 13, 14, *range(16, 30), 15]
    assert store.problems() == [f"problem {number}" for number in numbers]


def test_what_a_dead_server_half_wrote_goes_after_an_hour(tmp_path: Path) -> None:
    old, new, mine = (tmp_path / name for name in (".a.npz.1.tmp", ".b.npz.2.tmp", "notes.tmp"))
    for path in (old, new, mine):
        path.touch()
    for path in (old, mine):
        os.utime(path, (time.time() - 3700,) * 2)
    Store(tmp_path)
    assert [path.exists() for path in (old, new, mine)] == [False, True, True]


@pytest.mark.parametrize("kind", ["", "Model", "../model", "a/b", "a b", "x" * 33])
def test_a_kind_that_is_no_short_word_is_refused(store: Store, kind: str) -> None:
    with pytest.raises(ValueError, match="give a short word"):
        store.load_arrays(kind, KEY)


@pytest.mark.parametrize("key", [{"seed": np.int64(3)}, {"layers": ["a"]}, {1: "x"}])
def test_a_key_that_isnt_plain_is_refused(store: Store, key: Any) -> None:
    with pytest.raises(ValueError, match="values str, int, float, bool or None"):
        store.load_weights("model", key)


def test_objects_are_refused_before_anything_is_written(store: Store) -> None:
    with pytest.raises(ValueError, match="`bad` is object"):
        store.save_arrays("profile", KEY, {"bad": np.array([None])})
    with pytest.raises(ValueError, match="__facts__"):
        store.save_arrays("profile", KEY, {"__facts__": np.array(1)})
    with pytest.raises(TypeError):
        store.save_arrays("profile", KEY, {"x": np.array(1)}, {"set": {1}})
    assert not store.folder.exists()


def test_about_may_hold_what_json_turns_into_something_else(store: Store) -> None:
    about = {"pair": (1, 2), "by number": {10: "a", 9: "b"}, "nan": float("nan")}
    store.save_arrays("profile", KEY, {"x": np.array(1)}, about)
    found = store.load_arrays("profile", KEY)
    assert found is not None
    assert found.about["pair"] == [1, 2]
    assert found.about["by number"] == {"10": "a", "9": "b"}


def test_what_is_kept_isnt_computed_again(store: Store) -> None:
    calls = []

    def compute() -> StoredArrays:
        calls.append(1)
        return StoredArrays(ARRAYS, {"pair": (1, 2)})

    first = store.computed_arrays("profile", KEY, compute)
    again = Store(store.folder).computed_arrays("profile", KEY, compute)
    assert len(calls) == 1
    assert same_arrays(first)
    assert same_arrays(again)
    assert first.about == again.about == {"pair": [1, 2]}  # the first visit sees what later ones do
    assert not first.arrays["means"].flags.writeable


def test_weights_are_computed_once_too(store: Store) -> None:
    first = store.computed_weights("model", KEY, lambda: StoredWeights(WEIGHTS, ABOUT))
    again = store.computed_weights("model", KEY, lambda: pytest.fail("computed again"))
    assert same_weights(first)
    assert same_weights(again)
    assert first.about == again.about == ABOUT


def test_a_failed_computation_keeps_nothing_and_frees_the_lock(store: Store) -> None:
    def fail() -> StoredArrays:
        raise OSError("no digits")

    for _ in range(2):
        with pytest.raises(OSError, match="no digits"):
            store.computed_arrays("profile", KEY, fail, on_wait=lambda: pytest.fail("it waits"))
    assert store.problems() == []


def test_who_waits_can_be_called_away(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    class Cancelled(Exception):
        pass

    def wait() -> None:
        waits.append(1)
        if len(waits) == 3:
            raise Cancelled

    def hold() -> None:
        with Store(store.folder).lock("profile", KEY) as held:
            assert held
            taken.set()
            done.wait(5)

    monkeypatch.setattr(module, "_POLL", 0.01)
    waits: list[int] = []
    taken, done = threading.Event(), threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(5)
    with pytest.raises(Cancelled):
        store.computed_arrays("profile", KEY, lambda: StoredArrays(ARRAYS), on_wait=wait)
    with store.lock("profile", {"seed": 1}, on_wait=lambda: pytest.fail("another key waits")):
        pass
    done.set()
    holder.join(5)
    with store.lock("profile", KEY, on_wait=lambda: pytest.fail("it isn't free")) as held:
        assert held


def test_a_folder_that_cant_lock_computes_without(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filelock.FileLock, "acquire", failing(errno.ENOLCK))
    with store.lock("profile", KEY) as held:
        assert not held
    assert same_arrays(store.computed_arrays("profile", KEY, lambda: StoredArrays(ARRAYS)))


def test_threads_use_one_store_at_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_POLL", 0.01)
    computed: list[int] = []
    wrong: list[object] = []

    def visit(number: int) -> None:
        def compute() -> StoredArrays:
            computed.append(seed)
            return StoredArrays({"x": np.full(100, seed)})

        for seed in range(5):
            found = store.computed_arrays("profile", {"seed": seed}, compute)
            if found.arrays["x"].tolist() != [seed] * 100:
                wrong.append(found)
            store.save_arrays("common", {}, {"x": np.full(100, number)})
            common = store.load_arrays("common", {})
            if common is None or len(set(common.arrays["x"].tolist())) != 1:
                wrong.append(common)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(computed) == [0, 1, 2, 3, 4]
    assert not wrong
    assert store.problems() == []
    assert not list(store.folder.glob(".*.tmp"))


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Another server: a Python process of its own."""
    root = str(Path(core.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": root},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


RACER = """
import sys, time, pathlib, uuid
import numpy as np
from core.runtime.store import Store, StoredArrays
folder = pathlib.Path(sys.argv[1])
def compute():
    (folder / f"computed-{uuid.uuid4().hex}").touch()
    time.sleep(0.5)
    return StoredArrays({"x": np.arange(3)})
store = Store(folder / "store")
print("ready", flush=True)
sys.stdin.readline()
waits = []
found = store.computed_arrays("profile", {"seed": 0}, compute, on_wait=lambda: waits.append(1))
print(found.arrays["x"].tolist(), len(waits) > 0, store.problems(), flush=True)
"""


def test_two_servers_compute_once(tmp_path: Path) -> None:
    servers = [run(RACER, str(tmp_path)) for _ in range(2)]
    for server in servers:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
    said = []
    for server in servers:
        assert server.stdin is not None
        server.stdin.write("go\n")
        server.stdin.flush()
    for server in servers:
        said.append(server.communicate(timeout=30)[0].strip())
    assert sorted(said) == ["[0, 1, 2] False []", "[0, 1, 2] True []"]
    assert len(list(tmp_path.glob("computed-*"))) == 1


CRASHER = """
import sys, filelock
with filelock.FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_a_server_that_died_holds_no_lock(store: Store) -> None:
    with store.lock("profile", {"seed": 0}):
        (path,) = (store.folder / "locks").iterdir()
    server = run(CRASHER, str(path))
    assert server.stdout is not None
    assert server.stdout.readline() == "held\n"
    waits: list[int] = []

    def wait() -> None:
        waits.append(1)
        server.kill()
        server.wait(10)
        assert len(waits) < 3, "the lock outlived its process"

    with store.lock("profile", {"seed": 0}, on_wait=wait) as held:
        assert held
    assert waits
    server.communicate()


def test_the_default_store_is_where_the_environment_says(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert default_store().folder == own_cache
    assert default_store() is default_store()
    monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", str(tmp_path / "other"))
    assert default_store().folder == tmp_path / "other"
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda *names: str(tmp_path / "user"))
    for unset in ("", None):
        if unset is None:
            monkeypatch.delenv("SPECIALIZED_NEURONS_CACHE")
        else:
            monkeypatch.setenv("SPECIALIZED_NEURONS_CACHE", unset)
        assert default_store().folder == tmp_path / "user" / "store"
    assert not (tmp_path / "user").exists()
