"""A result as arrays by name and a text's worth of structure, and back: written once for all.

What a result may be made of: frozen dataclasses and named tuples of this package, lists, tuples,
mappings, numbers, text, bytes, None, arrays, tensors, data frames, and what somebody has registered
with `packs`, such as trained models. An array is named by its place, such as
"profiles/linear_0/edges".

Nothing is unpickled, and nothing is imported for a name in a file: only classes that are loaded
already, of this package, are made.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.text import literal

__all__ = ["FORMAT", "Packed", "frozen", "pack", "packs", "size", "unpack"]

FORMAT = 1  # raised when files of the last form can't be read any more
Array: TypeAlias = NDArray[Any]
Leaf: TypeAlias = Array | Tensor
Node: TypeAlias = Any  # JSON
_PACKAGE = "core"


class Packed(NamedTuple):
    """The arrays and tensors of a result by name, and JSON that says where each belongs."""

    leaves: dict[str, Leaf]
    structure: Node


@dataclass(frozen=True)
class _Codec:
    """How values of one class become others that can be packed, and back."""

    of: type
    taken_apart: Callable[[Any], Mapping[str, Any]]
    put_together: Callable[[Mapping[str, Any]], Any]


_CODECS: dict[str, _Codec] = {}


def packs(
    name: str,
    of: type,
    taken_apart: Callable[[Any], Mapping[str, Any]],
    put_together: Callable[[Mapping[str, Any]], Any],
) -> None:
    """From now on pack instances of `of` as the mapping that `taken_apart` gives of them."""
    _CODECS[name] = _Codec(of, taken_apart, put_together)


def pack(value: object) -> Packed:
    """The parts of `value`; raises `TypeError` for what a result may not be made of."""
    leaves: dict[str, Leaf] = {}
    return Packed(leaves, _packed(value, (), leaves))


def unpack(packed: Packed) -> Any:
    """What `pack` was given. Raises anything when the parts don't belong together."""
    return _unpacked(packed.structure, packed.leaves)


def size(value: object) -> int:
    """Bytes of the arrays, tensors, frames and text in `value`."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, Tensor):
        return value.numel() * value.element_size()
    if isinstance(value, pd.DataFrame):
        return int(value.memory_usage(deep=True).sum())
    if isinstance(value, str | bytes):
        return len(value)
    return sum(size(part) for part in _parts(value))


def frozen(value: Any) -> Any:
    """`value`, of which no array can be written to any more."""
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    for part in _parts(value):
        frozen(part)
    return value


def _parts(value: object) -> list[Any]:
    """What a container holds."""
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, torch.nn.Module):
        history = vars(value).get("history")
        return [*value.state_dict().values(), *([] if history is None else [history])]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    return []


def _packed(value: Any, at: tuple[str, ...], leaves: dict[str, Leaf]) -> Node:
    """The node of `value`, whose arrays are put among `leaves` under names that begin with `at`."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return {"number": _leaf(np.asarray(value), at, leaves)}
    if isinstance(value, np.ndarray):
        return {"array": _leaf(value, at, leaves)}
    if isinstance(value, bytes):
        return {"bytes": _leaf(np.frombuffer(value, np.uint8), at, leaves)}
    if isinstance(value, Tensor):
        return {"tensor": _leaf(value, at, leaves)}
    if isinstance(value, pd.DataFrame):
        return {"frame": _frame(value, at, leaves)}
    for name, codec in _CODECS.items():
        if isinstance(value, codec.of):
            return {"as": name, "parts": _mapped(codec.taken_apart(value), at, leaves)}
    if isinstance(value, Mapping):
        return {"mapping": _mapped(value, at, leaves)}
    return _built(value, at, leaves)


def _built(value: Any, at: tuple[str, ...], leaves: dict[str, Leaf]) -> Node:
    """The node of a list, a tuple, a named tuple or a dataclass."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
        return {"of": _name_of(type(value)), "parts": _mapped(fields, at, leaves)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {"of": _name_of(type(value)), "parts": _mapped(value._asdict(), at, leaves)}
    if isinstance(value, list | tuple):
        items = [_packed(item, (*at, str(place)), leaves) for place, item in enumerate(value)]
        return {type(value).__name__: items}
    raise TypeError(f"{'/'.join(at) or 'the result'} is a {type(value).__name__}: give arrays.")


def _mapped(values: Mapping[Any, Any], at: tuple[str, ...], leaves: dict[str, Leaf]) -> Node:
    """Pairs of keys and nodes, in order."""
    return [
        [_packed(key, at, leaves), _packed(value, (*at, _word(key)), leaves)]
        for key, value in values.items()
    ]


def _frame(frame: pd.DataFrame, at: tuple[str, ...], leaves: dict[str, Leaf]) -> Node:
    """Columns in order: numbers as arrays, anything else as a list. The index isn't kept."""
    columns = []
    for name in frame.columns:
        column = frame[name]
        plain = column.dtype.kind in "biuf" and isinstance(column.dtype, np.dtype)
        values = column.to_numpy() if plain else [_cell(cell) for cell in column]
        columns.append([name, _packed(values, (*at, str(name)), leaves)])
    return columns


def _cell(cell: Any) -> Any:
    """A cell as Python has it."""
    return cell.item() if isinstance(cell, np.generic) else cell


def _leaf(value: Leaf, at: tuple[str, ...], leaves: dict[str, Leaf]) -> str:
    """The name under which the leaf is put."""
    first = name = "/".join(at) or "value"
    while name in leaves:
        name = f"{first}~{len(leaves)}"
    leaves[name] = value
    return name


def _word(key: object) -> str:
    """A key as a part of an array's name."""
    return ",".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _name_of(kind: type) -> str:
    """The name of a class of this package."""
    if kind.__module__.split(".")[0] != _PACKAGE:
        raise TypeError(f"{kind.__module__}.{kind.__name__} can't be kept: give classes of ours.")
    return f"{kind.__module__}:{kind.__qualname__}"


def _unpacked(node: Node, leaves: Mapping[str, Leaf]) -> Any:
    """The value of a node."""
    if not isinstance(node, dict):
        return node
    if "list" in node or "tuple" in node:
        ((form, nodes),) = node.items()
        items = [_unpacked(item, leaves) for item in nodes]
        return items if form == "list" else tuple(items)
    if "frame" in node:
        return pd.DataFrame({name: _unpacked(of, leaves) for name, of in node["frame"]})
    if "mapping" in node:
        return _pairs(node["mapping"], leaves)
    if "as" in node:
        return _CODECS[node["as"]].put_together(_pairs(node["parts"], leaves))
    if "of" in node:
        return _class_of(node["of"])(**_pairs(node["parts"], leaves))
    return _value(node, leaves)


def _value(node: Node, leaves: Mapping[str, Leaf]) -> Any:
    """The array, tensor, bytes or number of a leaf."""
    ((form, name),) = node.items()
    leaf = leaves[name]
    if form == "tensor":  # a copy, because torch has no tensors that can't be written to
        return leaf if isinstance(leaf, Tensor) else torch.from_numpy(np.array(leaf))
    array = leaf.numpy() if isinstance(leaf, Tensor) else leaf
    if form == "bytes":
        return array.tobytes()
    return array[()] if form == "number" else array


def _pairs(parts: Node, leaves: Mapping[str, Leaf]) -> dict[Any, Any]:
    """A mapping of its nodes."""
    return {_unpacked(key, leaves): _unpacked(value, leaves) for key, value in parts}


def _class_of(name: str) -> Any:
    """A loaded dataclass or named tuple of this package; raises `ValueError` for anything else."""
    module, _, qualified = str(name).partition(":")
    found: Any = sys.modules.get(module) if module.split(".")[0] == _PACKAGE else None
    for part in qualified.split("."):
        found = getattr(found, part, None)
    plain = isinstance(found, type) and found.__module__ == module
    if not plain or not (dataclasses.is_dataclass(found) or hasattr(found, "_asdict")):
        raise ValueError(f"{literal(name)} is no class of results.")
    return found
