"""Maximized inputs of a whole layer, and the covariance of digits that they vary along."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch

from core.activations import layer_of
from core.analyses.maximize import Covariance, Maximized, Settings, maximize
from core.data import load_digits
from core.runtime.store import Store, StoredArrays
from core.runtime.task import Choice, Report
from core.training.task import Training

__all__ = ["Maximizing"]


@dataclass(frozen=True)
class Maximizing:
    """Maximized inputs of all units of a layer of a trained model."""

    choice: Choice
    layer: str
    settings: Settings

    @property
    def title(self) -> str:
        """What it does."""
        return f"Maximizing {self.choice.model}/{self.layer}"

    def kept(self, store: Store) -> Maximized | None:
        """The images, where the store has them."""
        found = store.load_arrays("maximized", self._key())
        return None if found is None else self._result(found)

    def compute(self, store: Store, report: Report) -> Maximized:
        """The images, all units at once."""
        found = store.computed_arrays(
            "maximized",
            self._key(),
            lambda: self._maximized(store, report),
            on_wait=lambda: report(0.0, "Another server is maximizing these units"),
        )
        return self._result(found)

    def _maximized(self, store: Store, report: Report) -> StoredArrays:
        """The images, climbed to now."""
        training = Training(self.choice)
        model = training.kept(store) or training.compute(store, report)
        units = [(self.layer, index) for index in range(layer_of(model, self.layer).units)]
        report(0.0, "Measuring how digits vary")
        natural = _covariance(self.choice.data, store, report)

        def told(done: int, steps: int) -> None:
            report(done / steps, f"{self.title}: step {done} of {steps}")

        found = maximize(model, units, settings=self.settings, natural=natural, on_step=told)
        names = ("images", "activations", "looks", "trace", "stuck")
        return StoredArrays({name: getattr(found, name).numpy() for name in names})

    def _key(self) -> dict[str, str | int | float | bool | None]:
        """All that the images depend on."""
        return {**asdict(self.choice), "layer": self.layer, **asdict(self.settings)}

    def _result(self, found: StoredArrays) -> Maximized:
        """What the store kept."""
        arrays = {name: torch.from_numpy(np.array(of)) for name, of in found.arrays.items()}
        units = tuple((self.layer, index) for index in range(len(arrays["stuck"])))
        return Maximized(units=units, **arrays)


def _covariance(data: str, store: Store, report: Report) -> Covariance:
    """How the fit digits vary, kept because it takes longer than the climb."""

    def compute() -> StoredArrays:
        found = Covariance.of(load_digits(data, "fit").images)
        return StoredArrays({"mean": found.mean.numpy(), "root": found.root.numpy()})

    found = store.computed_arrays(
        "covariance", {"data": data}, compute, on_wait=lambda: report(0.0)
    )
    mean, root = (torch.from_numpy(np.array(found.arrays[name])) for name in ("mean", "root"))
    return Covariance(mean, root)
