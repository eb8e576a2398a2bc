"""What a network costs: its parameters, and the multiplications that one digit takes."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from core.models.gated import Gated

__all__ = ["multiplications", "parameters"]

_EXPERTS = ("of_experts.", "experts_", "answer")  # what belongs to experts is run if one is chosen


def parameters(model: nn.Module) -> int:
    """How many numbers the network learns."""
    return sum(value.numel() for value in model.parameters())


def multiplications(model: nn.Module) -> int:
    """Weights that a digit is multiplied by: those of gates, of the k experts run, and of the rest.

    For networks without convolutions, in which a digit meets each weight once. Biases and the
    weighing of experts are left out.
    """
    own = {name: value.numel() for name, value in model.named_parameters() if _is_weight(name)}
    if not isinstance(model, Gated):
        return sum(own.values())
    experts = sum(_of(own, _EXPERTS))
    of = model.routing
    return sum(own.values()) - experts + experts * of.k // of.experts


def _is_weight(name: str) -> bool:
    """Whether a parameter multiplies what comes from the digit."""
    return not name.endswith("bias")


def _of(sizes: dict[str, int], prefixes: tuple[str, ...]) -> Iterable[int]:
    """The sizes of the parameters whose names begin so."""
    return (size for name, size in sizes.items() if name.startswith(prefixes))
