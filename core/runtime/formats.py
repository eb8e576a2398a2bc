"""The two file formats of the store: safetensors for weights, npz for arrays; neither is unpickled.

What is read may be of anybody's making: sizes are checked before memory is taken.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
from typing import IO, Any, Protocol, TypeAlias, TypeVar

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.text import literal

__all__ = ["FACTS", "FACTS_LIMIT", "NPZ", "SAFETENSORS", "Format"]

T = TypeVar("T")
Array: TypeAlias = NDArray[Any]

FACTS = "__facts__"  # the name under which a file holds the text of its facts
FACTS_LIMIT = 16 * 2**20  # bytes of names, shapes and facts in one file


class Format(Protocol[T]):
    """A file format for values by name and one text of facts."""

    ending: str

    def clean(self, name: str, value: T) -> T:
        """`value` as the format can hold it, or `ValueError`."""

    def raw(self, value: T) -> tuple[str, bytes]:
        """Its type and shape in words, and its bytes in C order."""

    def encode(self, values: dict[str, T], facts: str) -> bytes:
        """The file."""

    def decode(self, data: bytes) -> tuple[dict[str, T], str]:
        """The values and facts of a file, in no more memory than it has bytes, or an exception."""


class Npz:
    """Arrays as numpy's own archive, uncompressed: `numpy.load` opens it."""

    ending = "npz"

    def clean(self, name: str, value: Array) -> Array:
        array = np.asarray(value)
        if array.dtype.hasobject:
            raise ValueError(
                f"array {literal(name)} is {array.dtype}: give numbers, bools or text."
            )
        return array

    def raw(self, value: Array) -> tuple[str, bytes]:
        return f"{value.dtype.str} {value.shape}", value.tobytes()

    def encode(self, values: dict[str, Array], facts: str) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, value in {**values, FACTS: np.array(facts)}.items():
                # a ZipInfo of its own has no date, so the same values give the same bytes
                with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                    np.lib.format.write_array(member, value, allow_pickle=False)
        return buffer.getvalue()

    def decode(self, data: bytes) -> tuple[dict[str, Array], str]:
        end = data[-22:]  # the end record of a plain archive; its directory's size is at byte 12
        too_long = int.from_bytes(end[12:16], "little") > FACTS_LIMIT
        if end[:4] != b"PK\5\6" or data[-42:-38] == b"PK\6\7" or too_long:
            raise ValueError("it doesn't end as an archive of the store's does")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            # members are stored as they are, so one that would swell gives itself away
            if sum(member.file_size for member in members) > len(data):
                raise ValueError("it declares more bytes than it has")
            values = {}
            for member in members:
                with archive.open(member) as file:
                    name = member.filename.removesuffix(".npy")
                    values[name] = _read_array(file, member.file_size)
        return values, str(values.pop(FACTS))


class Safetensors:
    """Tensors as safetensors, the facts in its metadata."""

    ending = "safetensors"

    def clean(self, name: str, value: Tensor) -> Tensor:
        # a copy, because safetensors refuses tensors that share memory
        return value.detach().cpu().clone(memory_format=torch.contiguous_format)

    def raw(self, value: Tensor) -> tuple[str, bytes]:
        flat = value.reshape(-1).view(torch.uint8)
        return f"{value.dtype} {tuple(value.shape)}", flat.numpy().tobytes()

    def encode(self, values: dict[str, Tensor], facts: str) -> bytes:
        return safetensors.torch.save(values, {FACTS: facts})

    def decode(self, data: bytes) -> tuple[dict[str, Tensor], str]:
        length = int.from_bytes(data[:8], "little")
        if length > min(FACTS_LIMIT, len(data) - 8):
            raise ValueError(f"its header declares {length} bytes")
        header = json.loads(data[8 : 8 + length])
        return safetensors.torch.load(data), header["__metadata__"][FACTS]


NPZ, SAFETENSORS = Npz(), Safetensors()


def _read_array(file: IO[bytes], size: int) -> Array:
    """The read-only array in a member of `size` bytes; raises `ValueError` when it is another."""
    version = np.lib.format.read_magic(file)
    header = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }[version]
    shape, fortran, dtype = header(file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are never unpickled")
    declared, left = math.prod(shape) * dtype.itemsize, size - file.tell()
    if declared != left:
        raise ValueError(f"an array declares {declared} bytes and has {left}")
    # numpy can't write into a `bytes`, so nobody can make the array writable
    return np.ndarray(shape, dtype, file.read(left), order="F" if fortran else "C")
