"""The one place that reads or edits a layer.

A model is shared by everybody, and a hook set on it by one visitor would fire for all. So no hook
is ever set on it: each call makes a replica, module by module, that shares every weight, and hooks
the replica. When the call ends, also by an exception, the replica is gone and nothing was touched.

A layer is read as its module gives it, before the nonlinearity. An edit happens there too, so
setting a rectified unit to 0 is the same before and after its ReLU. A layer that runs row by row
is read as a map of all its rows, and edited at each row as it comes, so that later rows follow.

Works for any module with `.layers`, a sequence of submodule names in order.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from core.arguments import real, whole
from core.models.inspectable import Inspectable, Layer
from core.surroundings import undisturbed
from core.text import literal
from core.units import UnitId

__all__ = [
    "DenseReading",
    "Edit",
    "all_peaks",
    "batches_of",
    "behind",
    "check_unit",
    "collect",
    "collect_layers",
    "dense_reading",
    "layer_names",
    "layer_of",
    "logits_with",
    "peaks",
    "reader",
    "run",
    "weight_reader",
]

Images: TypeAlias = Tensor | NDArray[np.float32]
Edit: TypeAlias = float | Literal["mean"] | Callable[[Tensor], Tensor]
Reduce: TypeAlias = Callable[[Tensor], Tensor]

BATCH = 500  # images at once: the maps of a layer then stay near the processor cache


class _Reached(Exception):
    """Ends a replica's forward pass at the last layer that is wanted."""


def layer_names(model: nn.Module) -> tuple[str, ...]:
    """The model's layers in order. Raises `ValueError` when it has no `.layers`."""
    names = getattr(model, "layers", None)
    if not names:
        raise ValueError(
            f"{type(model).__name__} has no layers to read: give it `.layers`, the names of its "
            "submodules in order."
        )
    return tuple(names)


def layer_of(model: nn.Module, name: str) -> Layer:
    """What the model tells about layer `name`. Raises `ValueError` naming the layers it has."""
    names = layer_names(model)
    if name not in names:
        known = ", ".join(names)
        raise ValueError(f"{literal(name)} is not a layer of this model: choose one of {known}.")
    if isinstance(model, Inspectable):
        return model.described[names.index(name)]
    module = model.get_submodule(name)
    units = int(getattr(module, "out_channels", getattr(module, "out_features", 0)))
    return Layer(name, units, rectified=name != names[-1])


def check_unit(model: nn.Module, unit: UnitId | tuple[str, int] | str) -> tuple[str, int]:
    """The (layer, index) of a unit of this model, index as Python's own whole number.

    unit: its name, or layer and index, a whole number of any library.

    Raises `ValueError` for a unit of another model, an unknown layer, or an index that the layer
    doesn't have: a list of units ranked in one layer must never be used on another.
    """
    if isinstance(unit, str):
        unit = UnitId.parse(unit)
    if isinstance(unit, UnitId):
        name = getattr(model, "name", unit.model)
        if unit.model != name:
            raise ValueError(f"{literal(unit)} is not a unit of this model, which is {name}.")
        unit = (unit.layer, unit.index)
    if not isinstance(unit, tuple | list) or len(unit) != 2:
        raise ValueError(f"{literal(unit)} is not a unit: give a pair such as ('linear_0', 58).")
    layer, index = str(unit[0]), whole(unit[1], "the index of a unit")
    _check_index(layer, index, layer_of(model, layer).units or None)
    return layer, index


def collect(
    model: nn.Module,
    images: Images,
    layer: str,
    *,
    reduce: Reduce | None = None,
    batch: int = BATCH,
) -> Tensor:
    """Activations of every unit of `layer`: (n, units), or (n, units, height, width) for maps.

    images: (n, 1, 28, 28) in 0..1. reduce: applied to each batch, so that big maps need not be
    held: `lambda maps: maps.amax((2, 3))`. No gradient is kept.

    Raises `ValueError` for an unknown layer or images that aren't floating point.
    """
    return collect_layers(model, images, (layer,), reduce=reduce, batch=batch)[layer]


@undisturbed()
def collect_layers(
    model: nn.Module,
    images: Images,
    layers: Sequence[str] | None = None,
    *,
    reduce: Reduce | None = None,
    batch: int = BATCH,
) -> dict[str, Tensor]:
    """`collect` for several layers (None: all) in one forward pass, by layer."""
    names = tuple(layers) if layers is not None else layer_names(model)
    read = _layers_reader(model, names)
    kept: dict[str, Tensor] = {}
    at = 0
    with torch.no_grad():
        for some in batches_of(images, batch):
            for name, values in read(some).items():
                part = reduce(values) if reduce else values
                if name not in kept:
                    kept[name] = _room(part, len(images))
                kept[name][at : at + len(part)] = part
            at += len(some)
    return kept


def peaks(model: nn.Module, images: Images, layer: str) -> NDArray[np.float32]:
    """(n, units): one number an image, as the ReLU passes it on where one follows; a map's maximum.

    Raises as `collect`.
    """
    return all_peaks(model, images, (layer,))[layer]


def all_peaks(
    model: nn.Module, images: Images, layers: Sequence[str] | None = None
) -> dict[str, NDArray[np.float32]]:
    """`peaks` for several layers (None: all) in one forward pass, by layer."""
    found = collect_layers(model, images, layers, reduce=_peak)
    return {
        name: (values.relu() if layer_of(model, name).rectified else values).numpy()
        for name, values in found.items()
    }


def _peak(values: Tensor) -> Tensor:
    """(batch, units): each map's maximum."""
    return values.amax((2, 3)) if values.ndim == 4 else values


@undisturbed()
def reader(model: nn.Module, layer: str) -> Callable[[Tensor], Tensor]:
    """A function from images to the activations of `layer`, through which gradients flow."""
    read = _layers_reader(model, (layer,))
    return lambda images: read(images)[layer]


@undisturbed()
def weight_reader(
    model: nn.Module, layer: str
) -> Callable[[Mapping[str, Tensor], Tensor, Mapping[str, Tensor]], Tensor]:
    """A function from weights, images and earlier layers' activations to those of `layer`.

    Weights are parameters and buffers by name, in any type, that of the images. An earlier layer
    gives what it is said to give, before its ReLU, else what it gives anyway. Either way no
    gradient flows through it: that by a weight is what the weight does between there and `layer`.

    Raises `ValueError` for an unknown layer.
    """
    layer_of(model, layer)
    replica, names = _replica(model), layer_names(model)
    given: dict[str, Tensor] = {}
    turns: dict[str, Iterator[int]] = {}  # rows of layers that run row by row

    def holding(earlier: str) -> Callable[[nn.Module, Any, Tensor], Tensor]:
        by_row = layer_of(model, earlier).steps

        def hook(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
            held = given.get(earlier)
            if held is None:
                return output.detach()
            return held[:, :, next(turns[earlier]), 0] if by_row else held

        return hook

    for earlier in names[: names.index(layer)]:
        replica.get_submodule(earlier).register_forward_hook(holding(earlier))

    def call(weights: Mapping[str, Tensor], images: Tensor, held: Mapping[str, Tensor]) -> object:
        given.clear()
        given.update(held)
        turns.update({name: itertools.count() for name in names})
        return functional_call(replica, dict(weights), (images,))

    read = _read_by(replica, model, (layer,), call)
    return lambda weights, images, held: read(weights, images, held)[layer]


@undisturbed()
def behind(
    model: nn.Module, layer: str, images: Images | None = None
) -> Callable[[Tensor], Tensor]:
    """A function from the activations of `layer`, before its ReLU, to the logits (batch, classes).

    Only what lies behind the layer is computed, and gradients flow: many interventions on it cost
    little more than their differences. images: those whose activations will be given, all at once;
    a model that isn't made of stages needs them, and is run as a whole.

    Raises `ValueError` for an unknown layer, and for a model without stages when images are None.
    """
    layer_of(model, layer)
    if isinstance(model, Inspectable) and tuple(model.stages()) == model.layers:
        return _later_stages(model, layer)
    if images is None:
        raise ValueError(
            f"{type(model).__name__} isn't made of stages: give the images too, to run it whole."
        )
    replica, given = _replica(model), _fitting(model, _usable(torch.as_tensor(images)))
    if layer_of(model, layer).steps:
        return _held(replica, given, layer, collect(model, given, layer, batch=len(given)))
    now: list[Tensor] = []
    replica.get_submodule(layer).register_forward_hook(lambda module, inputs, output: now[0])

    def replaced(values: Tensor) -> Tensor:
        now[:] = [values]
        logits: Tensor = replica(given)
        return logits

    return replaced


def _held(
    replica: nn.Module, images: Tensor, layer: str, known: Tensor
) -> Callable[[Tensor], Tensor]:
    """`behind` for a layer that runs row by row, whose own later rows depend on its earlier ones.

    Activations given other than `known`, (n, units, rows, 1), are held at what is given; the rest
    of the layer follows from them, as it does for `run`. Gradients are total: through later rows
    too.
    """
    rows: list[tuple[Tensor, Tensor]] = []  # still to come, of what is given and what is known

    def hook(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        given, own = rows.pop(0)
        same = torch.isclose(given, own, rtol=1e-4, atol=1e-5)  # batches of other sizes round so
        return torch.where(same, output + (given - own), given)

    replica.get_submodule(layer).register_forward_hook(hook)

    def replaced(values: Tensor) -> Tensor:
        rows[:] = zip(values[..., 0].unbind(2), known[..., 0].unbind(2), strict=True)
        logits: Tensor = replica(images)
        return logits

    return replaced


def _later_stages(model: Inspectable, layer: str) -> Callable[[Tensor], Tensor]:
    """All that follows `layer`, one stage after the other."""
    later = list(_replica(model).stages().values())[model.layers.index(layer) + 1 :]

    def follow(values: Tensor) -> Tensor:
        for stage in later:
            values = stage(values)
        return values

    return follow


@dataclass(frozen=True)
class DenseReading:
    """How a dense layer reads the layer before it: each of its units by columns of its own.

    layer: the dense one. weights: (units, columns, outputs), of the layer before and of the dense
    one. bias: (outputs,). inputs: from activations of the layer before, (n, units[, height,
    width]), to what the dense one reads, (n, units, columns), through which gradients flow.
    """

    layer: str
    weights: Tensor = field(repr=False)
    bias: Tensor = field(repr=False)
    inputs: Callable[[Tensor], Tensor] = field(repr=False)

    def outputs(self, inputs: Tensor) -> Tensor:
        """The dense layer's activations (n, outputs) of inputs (n, units, columns)."""
        return torch.addmm(self.bias, inputs.flatten(1), self.weights.flatten(0, 1))


@undisturbed()
def dense_reading(model: nn.Module, layer: str) -> DenseReading | None:
    """How the next layer reads `layer`, if it is dense and reads each unit by columns of its own.

    None where that can't be told: of the last layer, of a model that isn't made of stages, and
    where what stands between both layers mixes units. It is told by trying, on activations drawn
    at random: no two units share a column, and the columns' weights give the next layer.

    Raises `ValueError` for an unknown layer.
    """
    described, names = layer_of(model, layer), layer_names(model)
    staged = isinstance(model, Inspectable) and tuple(model.stages()) == names
    if not staged or layer == names[-1]:
        return None
    replica: Any = _replica(model)
    following = names[names.index(layer) + 1]
    dense = replica.get_submodule(following)
    if type(dense) is not nn.Linear or dense.in_features % described.units:
        return None
    next_stage = replica.stages()[following]
    shape = described.units, *(described.map or ())
    generator = torch.Generator().manual_seed(0)
    first, second = torch.randn(2, 1, *shape, generator=generator).to(dense.weight)
    with torch.no_grad():
        expected = next_stage(first)
    replica.set_submodule(following, nn.Identity())
    stage = replica.stages()[following]
    weights = dense.weight.T.unflatten(0, (described.units, -1))
    bias = weights.new_zeros(weights.shape[2]) if dense.bias is None else dense.bias
    reading = DenseReading(
        following, weights, bias, lambda values: stage(values).unflatten(1, (described.units, -1))
    )
    with torch.no_grad():
        found = reading.outputs(reading.inputs(first))
        known = torch.allclose(found, expected, rtol=1e-4, atol=1e-4)
        return reading if known and _read_apart(reading, first, second) else None


def _read_apart(reading: DenseReading, first: Tensor, second: Tensor) -> bool:
    """Whether each unit has columns of its own. first, second: activations (1, units, …).

    Units whose number has a certain bit take their second activation, for each bit: of any two
    units one then changes without the other, so a shared column is seen.
    """
    number = torch.arange(first.shape[1])
    before, after = reading.inputs(first), reading.inputs(second)
    for bit in range(max(1, (len(number) - 1).bit_length())):
        chosen = (number >> bit) % 2 == 1
        mixed = torch.where(chosen.view(1, -1, *[1] * (first.ndim - 2)), second, first)
        expected = torch.where(chosen[None, :, None], after, before)
        if not torch.equal(reading.inputs(mixed), expected):
            return False
    return True


@undisturbed()
def logits_with(
    model: nn.Module, values: Mapping[tuple[str, int], float | Tensor]
) -> Callable[[Tensor], Tensor]:
    """A function from images to logits, through which gradients flow, with some units held.

    values: by layer and index; a number, or what a map is held at, (height, width). The whole
    network is run, as it is by `run`.

    Raises `ValueError` for an unknown unit.
    """
    by_layer: dict[str, dict[int, Edit | Tensor]] = {}
    for unit, value in values.items():
        layer, index = check_unit(model, unit)
        by_layer.setdefault(layer, {})[index] = value
    replica = _replica(model)
    for layer, held in by_layer.items():
        hook = _editing(layer, held, layer_of(model, layer).steps)
        replica.get_submodule(layer).register_forward_hook(hook)
    return lambda images: replica(_fitting(replica, images))


@undisturbed()
def run(
    model: nn.Module,
    images: Images,
    edits: Mapping[UnitId | tuple[str, int], Edit] | None = None,
    *,
    batch: int = BATCH,
) -> Tensor:
    """Logits (n, classes) with some units edited on the way, the model itself untouched.

    edits: unit -> a finite number that its activation becomes, of any library; "mean", its mean
    over these images (for a map, position by position; of what its ReLU passes on, where one
    follows); or a function of the unit's activations, (n,) or (n, height, width), that gives
    tensors of the same shape. Functions see all the images at once, so that they may exchange
    activations between images; of a layer that runs row by row they see a row (n,) at a time.

    Raises `ValueError` for an unknown unit or an edit that gives another shape.
    """
    by_layer = _checked_edits(model, edits or {})
    means = _mean_values(model, images, by_layer, batch)
    replica = _replica(model)
    for layer, changes in by_layer.items():
        known = {i: means.get((layer, i), edit) for i, edit in changes.items()}
        by_row = layer_of(model, layer).steps
        replica.get_submodule(layer).register_forward_hook(_editing(layer, known, by_row))
    together = any(callable(edit) for changes in by_layer.values() for edit in changes.values())
    with torch.no_grad():
        size = max(1, len(images)) if together else batch
        return torch.cat([replica(_fitting(replica, some)) for some in batches_of(images, size)])


def batches_of(images: Images, size: int = BATCH) -> Iterator[Tensor]:
    """`images` as tensors of at most `size` of them, at least one, in order.

    Raises `ValueError` for images that are none or aren't floating point.
    """
    given, size = torch.as_tensor(images), whole(size, "batch", 1)
    if not given.is_floating_point():
        raise ValueError(f"images are {given.dtype}: pass floating point values in 0..1.")
    if not len(given):
        raise ValueError("there are no images: pass at least one.")
    yield from _usable(given).split(size)


_Model = TypeVar("_Model", bound=nn.Module)


def _replica(model: _Model) -> _Model:
    """A copy of the model's modules, in eval mode, that shares weights, history and settings.

    Of a model made in inference mode weights are copied too, for theirs can have no gradient behind
    them.
    """
    shared: dict[int, Any] = {id(of): _usable(of) for of in (*model.parameters(), *model.buffers())}
    for kept in ("history", "described", "settings"):
        value = getattr(model, kept, None)
        shared[id(value)] = value
    return copy.deepcopy(model, shared).eval()


def _usable(value: Tensor) -> Tensor:
    """The tensor, or a copy of one made in inference mode."""
    if not value.is_inference():
        return value
    copied = value.detach().clone()
    return nn.Parameter(copied, value.requires_grad) if isinstance(value, nn.Parameter) else copied


def _fitting(model: nn.Module, images: Tensor) -> Tensor:
    """Images in the type of the model's weights: it may have been made where another is usual."""
    weight = next((of for of in model.parameters() if of.is_floating_point()), images)
    return images.to(weight.dtype)


def _layers_reader(
    model: nn.Module, layers: Sequence[str]
) -> Callable[[Tensor], dict[str, Tensor]]:
    """A function from images to activations by layer, which stops at the last layer needed."""
    replica = _replica(model)
    return _read_by(replica, model, layers, lambda images: replica(_fitting(replica, images)))


def _read_by(
    replica: nn.Module, model: nn.Module, layers: Sequence[str], call: Callable[..., object]
) -> Callable[..., dict[str, Tensor]]:
    """A function of what `call` takes, which runs the replica, to activations by layer."""
    for layer in layers:
        layer_of(model, layer)
    wanted = {layer: _calls(model, layer) for layer in layers}
    seen: dict[str, list[Tensor]] = {}

    def keep(layer: str) -> Callable[[nn.Module, Any, Tensor], None]:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            seen[layer].append(output)
            if all(len(seen[name]) == calls for name, calls in wanted.items()):
                raise _Reached

        return hook

    for layer in layers:
        replica.get_submodule(layer).register_forward_hook(keep(layer))

    def read(*args: Any) -> dict[str, Tensor]:
        seen.update({layer: [] for layer in layers})
        try:
            call(*args)
        except _Reached:
            return {
                layer: torch.stack(seen[layer], 2)[..., None] if calls > 1 else seen[layer][0]
                for layer, calls in wanted.items()
            }
        missed = ", ".join(name for name, calls in wanted.items() if len(seen[name]) < calls)
        raise ValueError(f"the model's forward pass never reaches {missed}.")

    return read


def _calls(model: nn.Module, layer: str) -> int:
    """How often the layer runs in one forward pass: once, or once for each row of its map."""
    described = layer_of(model, layer)
    return described.map[0] if described.steps and described.map else 1


def _room(part: Tensor, n: int) -> Tensor:
    """An unfilled tensor for `n` rows like those of `part`.

    NumPy asks the system for huge pages, without which the first touch of each 4 KiB page takes
    a third of the time of the whole forward pass.
    """
    if part.device.type != "cpu":
        return part.new_empty((n, *part.shape[1:]))
    like = part[:0].numpy()
    return torch.from_numpy(np.empty((n, *like.shape[1:]), dtype=like.dtype))


def _checked_edits(
    model: nn.Module, edits: Mapping[UnitId | tuple[str, int], Edit]
) -> dict[str, dict[int, Edit]]:
    """The edits by layer and index, or `ValueError`."""
    by_layer: dict[str, dict[int, Edit]] = {}
    for unit, edit in edits.items():
        layer, index = check_unit(model, unit)
        by_layer.setdefault(layer, {})[index] = _checked_edit(edit)
    return by_layer


def _checked_edit(edit: Edit) -> Edit:
    """The edit, a number as Python's own float, or `ValueError`."""
    if callable(edit) or (isinstance(edit, str) and edit == "mean"):
        return edit
    try:
        return real(edit, "an edit")
    except ValueError:
        raise ValueError(
            f'{literal(edit)} is not an edit: give a finite number, "mean" or a function.'
        ) from None


def _mean_values(
    model: nn.Module, images: Images, by_layer: Mapping[str, Mapping[int, Edit]], batch: int
) -> dict[tuple[str, int], Tensor]:
    """What "mean" stands for, by layer and index, measured in the unedited model."""
    wanted = {
        layer: units
        for layer, changes in by_layer.items()
        if (units := [i for i, edit in changes.items() if isinstance(edit, str)])
    }
    means: dict[tuple[str, int], Tensor] = {}
    for layer, units in wanted.items():
        rectified = layer_of(model, layer).rectified
        some = collect(model, images, layer, reduce=lambda a, u=units: a[:, u], batch=batch)  # type: ignore[misc]
        mean = (some.relu() if rectified else some).mean(0)
        means |= {(layer, index): mean[at] for at, index in enumerate(units)}
    return means


def _editing(
    layer: str, changes: Mapping[int, Edit | Tensor], by_row: bool
) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    """A forward hook that gives the layer's output with some units changed."""
    rows = itertools.count()  # of a layer that runs row by row; each batch begins anew

    def hook(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        edited, row = output.clone(), next(rows)
        for index, edit in changes.items():
            _check_index(layer, index, output.shape[1])
            unit = output[:, index]
            value = edit(unit) if callable(edit) else torch.as_tensor(edit, dtype=output.dtype)
            if callable(edit) and value.shape != unit.shape:
                raise ValueError(
                    f"the edit of {layer}/{index} gave shape {tuple(value.shape)}: "
                    f"{tuple(unit.shape)} is expected."
                )
            if by_row and not callable(edit) and value.ndim:  # a mean, (rows, 1)
                value = value[row % len(value), 0]
            edited[:, index] = value
        return edited

    return hook


def _check_index(layer: str, index: int, units: int | None) -> None:
    """Raise `ValueError` unless the layer has a unit `index`."""
    if index < 0 or (units is not None and index >= units):
        last = "" if units is None else f": choose 0 to {units - 1}"
        raise ValueError(f"{layer} has no unit {index}{last}.")
