"""The loop: all units of a layer at once, each climbing in an image of its own.

Two budgets keep an image finite. "box": pixels in 0..1, by a sigmoid, climbed with Adam; for the
covariance by clipping, and a ball of latents. "l2": a ball of latents, climbed along the normalized
gradient and projected back. Adam isn't used on a ball: it takes equal steps in all pixels, and its
fixed point for a linear unit w is sign(w), which has a cosine of .80 with the true optimum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from core.activations import check_unit, reader
from core.analyses.maximize.objectives import OBJECTIVES, Objective
from core.analyses.maximize.parameterizations import (
    PARAMETERIZATIONS,
    Covariance,
    Fourier,
    Parameterization,
    Pixel,
)
from core.analyses.maximize.transforms import Jitter
from core.arguments import real, seeded, whole
from core.surroundings import undisturbed
from core.text import literal
from core.units import UnitId

__all__ = ["BUDGETS", "RADII", "Maximized", "Settings", "maximize"]

BUDGETS = ("box", "l2")
RADII = {  # of the ball of latents, unless told
    "pixel": 9.2,  # the mean norm of MNIST's training images
    "fourier": 9.2,
    "covariance": 5.0,  # standard deviations; a unit's best digit is about 4 above its mean
}
MOST_STEPS = 2000
MOST_JITTER = 4  # pixels
_LOOKS = 8  # how often the plain image is looked at on the way
_ADAM_RATE = 0.15  # of logits
_FIRST_STEP, _LAST_STEP = 0.5, 0.02  # of the radius, along the normalized gradient
_STARTS = (1.0, 4.0, 16.0, 64.0)  # spreads that are tried until a gradient is found

Read = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Settings:
    """How to climb.

    parameterization: "pixel", "fourier" or "covariance". budget: "box" or "l2". radius: of the ball
    of latents; None takes `RADII`; unused by a box of pixels or waves. steps: 1 to 2000. jitter:
    pixels. seed: of the starts and shifts. objective: "neuron" or "channel". minimize: go down.

    Numbers of any library are taken and kept as Python's own. Raises `ValueError` naming the valid
    values.
    """

    parameterization: str = "covariance"
    budget: str = "box"
    radius: float | None = None
    steps: int = 128
    jitter: int = 1
    seed: int = 0
    objective: str = "neuron"
    minimize: bool = False

    def __post_init__(self) -> None:
        for name, value, valid in (
            ("parameterization", self.parameterization, PARAMETERIZATIONS),
            ("budget", self.budget, BUDGETS),
            ("objective", self.objective, tuple(OBJECTIVES)),
        ):
            if value not in valid:
                raise ValueError(
                    f"{literal(value)} is not a {name}: choose one of {', '.join(valid)}."
                )
        numbers: dict[str, object] = {
            "steps": whole(self.steps, "steps", 1, MOST_STEPS),
            "jitter": whole(self.jitter, "jitter", 0, MOST_JITTER),
            "seed": seeded(self.seed),
            "radius": None if self.radius is None else real(self.radius, "radius"),
            "minimize": bool(self.minimize),
        }
        if self.radius is not None and not numbers["radius"] > 0:  # type: ignore[operator]
            raise ValueError(f"radius is {literal(self.radius)}: choose a number above 0.")
        for name, number in numbers.items():
            object.__setattr__(self, name, number)


@dataclass(frozen=True)
class Maximized:
    """What was reached, for each of n units.

    images: (n, 1, 28, 28), the best image seen; not a number where the unit is stuck. activations:
    (n,), what the objective is on it, without any transform. looks: (k,), steps; trace: (k, n), the
    objective at them. stuck: (n,), no start gave any gradient, so there is no picture of the unit.
    """

    units: tuple[tuple[str, int], ...]
    images: Tensor
    activations: Tensor
    looks: Tensor
    trace: Tensor
    stuck: Tensor


@undisturbed()
def maximize(
    model: nn.Module,
    units: Sequence[UnitId | tuple[str, int] | str],
    *,
    settings: Settings | None = None,
    natural: Tensor | Covariance | None = None,
    objective: Objective | str | None = None,
    on_step: Callable[[int, int], object] | None = None,
    **changes: object,
) -> Maximized:
    """An image for each unit that makes its objective as large as the budget allows.

    units: of one layer. natural: digits (n, 1, 28, 28), or their covariance, which the covariance
    parameterization needs. objective: by name, or one of your own instead of the settings'.
    on_step: called with steps done and in all; an exception from it ends the work. changes: fields
    of `Settings`, such as steps=64, seed=3. A unit's image doesn't depend on the others in the
    list.

    Raises `ValueError` for units of several layers or none, unknown units, and other settings.
    """
    if isinstance(objective, str):
        changes["objective"], objective = objective, None
    how = replace(settings or Settings(), **changes)  # type: ignore[arg-type]
    places = tuple(check_unit(model, unit) for unit in units)
    layers = sorted({layer for layer, _ in places})
    if len(layers) != 1:
        raise ValueError(f"the units are of {len(layers)} layers {layers}: give units of one.")
    climb = _Climb(
        reader(model, layers[0]),
        torch.tensor([index for _, index in places]),
        _parameterization(how, natural),
        _signed(objective or OBJECTIVES[how.objective], how.minimize),
        how,
    )
    images, trace, looks, stuck = climb.run(on_step or (lambda done, steps: None))
    values = climb.plain(images)
    sign = -1.0 if how.minimize else 1.0
    images[stuck], values[stuck] = float("nan"), float("nan")
    return Maximized(places, images, sign * values, looks, sign * trace, stuck)


def _parameterization(how: Settings, natural: Tensor | Covariance | None) -> Parameterization:
    """The parameterization by name."""
    if how.parameterization == "pixel":
        return Pixel()
    if how.parameterization == "fourier":
        return Fourier()
    if natural is None:
        raise ValueError("the covariance needs digits to be taken from: pass natural=images.")
    if not isinstance(natural, Covariance):
        return Covariance.of(torch.as_tensor(natural))
    parts = (natural.mean, natural.root)  # of one made in inference mode, copies
    mean, root = (of.clone() if of.is_inference() else of for of in parts)
    return replace(natural, mean=mean, root=root)


def _signed(objective: Objective, minimize: bool) -> Objective:
    """The objective, turned round to go down."""
    if not minimize:
        return objective
    return lambda activations, units: -objective(activations, units)


class _Climb:
    """One run of the loop."""

    def __init__(
        self,
        read: Read,
        units: Tensor,
        parameterization: Parameterization,
        objective: Objective,
        how: Settings,
    ) -> None:
        self.read, self.units, self.objective, self.how = read, units, objective, how
        self.parameterization = parameterization
        self.squashed = how.budget == "box" and not parameterization.natural
        self.radius = how.radius or RADII[how.parameterization]
        self.jitter = Jitter(how.jitter)
        self.shifts = torch.Generator().manual_seed(how.seed)

    def images(self, latents: Tensor) -> Tensor:
        """The images of the latents, within the budget."""
        images = self.parameterization.images(latents)
        if self.squashed:
            return (images * self.parameterization.gain).sigmoid()
        return images.clamp(0, 1) if self.how.budget == "box" else images

    def plain(self, images: Tensor) -> Tensor:
        """(batch,): the objective without any transform."""
        with torch.no_grad():
            return self.objective(self.read(images), self.units)

    def gradient(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        """The gradient of the objective at the latents, each image's own."""
        varied = latents.detach().requires_grad_()
        images = self.jitter(self.images(varied), generator)
        value = self.objective(self.read(images), self.units).sum()
        return torch.autograd.grad(value, varied)[0]

    def run(self, on_step: Callable[[int, int], object]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The best images seen, the trace, the steps that it was taken at, and who is stuck."""
        latents, stuck = self.start()
        step = self.adam if self.squashed else self.ascent
        looks = sorted({round(self.how.steps * k / _LOOKS) for k in range(_LOOKS + 1)})
        best, highest, trace = latents, torch.full((len(latents),), -torch.inf), []
        moments = (torch.zeros_like(latents), torch.zeros_like(latents))
        for done in range(self.how.steps + 1):
            if done in looks:
                trace.append(self.plain(self.images(latents)))
                better = trace[-1] > highest
                best = torch.where(_like(better, latents), latents, best)
                highest = torch.where(better, trace[-1], highest)
            if done < self.how.steps:
                latents = step(latents, self.gradient(latents, self.shifts), done, moments)
                on_step(done + 1, self.how.steps)
        return self.images(best), torch.stack(trace), torch.tensor(looks), stuck

    def start(self) -> tuple[Tensor, Tensor]:
        """Latents where every unit has a gradient, and which units have none anywhere tried."""
        latents = self.noise(_STARTS[0])
        for spread in _STARTS[1:]:
            flat = self.flat(latents)
            if not flat.any():
                return latents, flat
            latents = torch.where(_like(flat, latents), self.noise(spread), latents)
        return latents, self.flat(latents)

    def flat(self, latents: Tensor) -> Tensor:
        """(batch,): whether the gradient is exactly zero, whatever the shift."""
        generator = torch.Generator().manual_seed(self.how.seed)
        norms: Tensor = self.gradient(latents, generator).flatten(1).norm(dim=1)
        return norms == 0

    def noise(self, spread: float) -> Tensor:
        """Random latents, each unit's from the seed and its own index."""
        shape = self.parameterization.shape
        drawn = torch.stack(
            [
                torch.randn(
                    shape, generator=torch.Generator().manual_seed(_mixed(self.how.seed, u))
                )
                for u in self.units.tolist()
            ]
        )
        if self.squashed:
            return spread * drawn
        # half of the radius: inside the ball, and far enough from its middle to be no blank image
        return self.inside(drawn / _norm(drawn) * self.radius * min(0.5 * spread, 1.0))

    def adam(
        self, latents: Tensor, gradient: Tensor, done: int, moments: tuple[Tensor, Tensor]
    ) -> Tensor:
        """One step of Adam (Kingma & Ba 2015), upwards."""
        first, second = moments
        first.lerp_(gradient, 0.1)
        second.lerp_(gradient.square(), 0.001)
        up = first / (1 - 0.9 ** (done + 1))
        spread = (second / (1 - 0.999 ** (done + 1))).sqrt_()
        return latents + _ADAM_RATE * up / (spread + 1e-8)

    def ascent(
        self, latents: Tensor, gradient: Tensor, done: int, moments: tuple[Tensor, Tensor]
    ) -> Tensor:
        """One step along the normalized gradient, and back into the ball."""
        share = done / max(self.how.steps - 1, 1)
        step = self.radius * (_FIRST_STEP + share * (_LAST_STEP - _FIRST_STEP))
        return self.inside(latents + step * gradient / _norm(gradient))

    def inside(self, latents: Tensor) -> Tensor:
        """The nearest latents in the ball."""
        return latents * (self.radius / _norm(latents)).clamp(max=1)


def _norm(latents: Tensor) -> Tensor:
    """Each image's norm, ready to divide by."""
    return _like(latents.flatten(1).norm(dim=1).clamp(min=1e-30), latents)


def _like(of_each: Tensor, latents: Tensor) -> Tensor:
    """(batch,) with as many axes as the latents."""
    return of_each.view(-1, *(1,) * (latents.ndim - 1))


def _mixed(seed: int, index: int) -> int:
    """A seed of its own for each unit of each seed."""
    return (seed * 1_000_003 + index * 7_919 + 17) % 2**63
