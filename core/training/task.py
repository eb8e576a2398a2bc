"""A trained model, the profiles of its units, and the digits that both need."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from core.analyses.movie import Film, Recorder
from core.analyses.profiles import Profile, profile
from core.claims.evidence import weights_hash
from core.data import Digits, cut, load_digits, mnist
from core.models import registry
from core.models.inspectable import Inspectable, SelfOrganizing
from core.models.saved import pack, unpack
from core.runtime.store import Store, StoredArrays, StoredWeights
from core.runtime.task import Choice, Report, part_of, under
from core.statistics import selectivity_index
from core.training import Step, accuracy, steps_of, train

__all__ = ["Fetching", "Filming", "Measuring", "Study", "Training"]

_TRAINING_SHARE = 0.85  # of the time until a new model's units can be seen


@dataclass(frozen=True)
class Study:
    """A trained model and what its units do. accuracy: on the test digits, 0..1."""

    choice: Choice
    model: Inspectable
    accuracy: float
    profiles: dict[str, Profile]


@dataclass(frozen=True)
class Fetching:
    """MNIST, in its folder and sound."""

    title: str = "Downloading MNIST"

    def kept(self, store: Store) -> bool | None:
        """True when it is there; raises `mnist.Unavailable` when it is damaged."""
        if not mnist.present():
            return None
        mnist.check()
        return True

    def compute(self, store: Store, report: Report) -> bool:
        """True once it is there; raises `mnist.Unavailable` when it can't be had."""
        mnist.load(train=False, on_progress=lambda done: report(done, "Downloading MNIST, once"))
        return True


@dataclass(frozen=True)
class Training:
    """A model trained on the fit split, with its history on digits held back."""

    choice: Choice

    @property
    def title(self) -> str:
        """What it does."""
        return f"Training {registry.title(self.choice.model)}"

    def kept(self, store: Store) -> Inspectable | None:
        """The model, where the store has it whole."""
        found = store.load_weights("model", asdict(self.choice))
        return None if found is None else self._model(found)

    def done(self, store: Store) -> bool:
        """Whether the store seems to have the model, which isn't loaded for it."""
        return store.has_weights("model", asdict(self.choice))

    def compute(self, store: Store, report: Report) -> Inspectable:
        """The trained model."""
        found = store.computed_weights(
            "model",
            asdict(self.choice),
            lambda: StoredWeights(pack(self._trained(report))),
            on_wait=lambda: report(0.0, "Another server is training this model"),
        )
        return self._model(found)

    def _trained(self, report: Report) -> Inspectable:
        """The model, trained now."""
        data, name = self.choice.data, self.choice.model
        report(0.0, "Loading MNIST" if data == "mnist" else "Drawing 40,000 digits")
        every = load_digits(data, "train")
        fit, watch = cut(every, "fit"), cut(every, "selection")

        def told(step: Step) -> None:
            _tell(report, self.title, step)

        return train(name, fit, seed=self.choice.seed, watch=watch, on_step=told)

    def _model(self, found: StoredWeights) -> Inspectable:
        """The model that the store kept."""
        return unpack(self.choice.model, self.choice.seed, found.weights)


@dataclass(frozen=True)
class Measuring:
    """A trained model with the profile of each of its units."""

    choice: Choice

    @property
    def title(self) -> str:
        """What it does."""
        return Training(self.choice).title

    def kept(self, store: Store) -> Study | None:
        """Model and profiles, where the store has both."""
        found = store.load_arrays("profiles", asdict(self.choice))
        model = Training(self.choice).kept(store) if found else None
        return None if found is None or model is None else self._study(model, found)

    def compute(self, store: Store, report: Report) -> Study:
        """The study, for which the model is trained if need be."""

        training = Training(self.choice)
        first = part_of(report, 0, _TRAINING_SHARE)
        model = training.kept(store) or training.compute(store, first)
        found = store.computed_arrays(
            "profiles",
            asdict(self.choice),
            lambda: self._measured(model, report),
            on_wait=lambda: report(_TRAINING_SHARE, "Another server is measuring these units"),
        )
        return self._study(model, found)

    def _measured(self, model: Inspectable, report: Report) -> StoredArrays:
        """Profiles of all layers and the accuracy, measured now."""
        data, name, seed = self.choice.data, self.choice.model, self.choice.seed
        test = load_digits(data, "test")
        halves = [cut(test, split) for split in ("discovery", "confirmation")]

        def told(done: int, layers: int) -> None:
            fraction = _TRAINING_SHARE + (1 - _TRAINING_SHARE) * (done + 1) / (layers + 1)
            report(fraction, f"Measuring units: layer {done + 1} of {layers}")

        report(_TRAINING_SHARE, "Measuring units")
        untrained = registry.build(name, seed)
        profiles = profile(model, untrained, halves[0], halves[1], seed=seed, on_layer=told)
        arrays = {
            f"{layer}/{key}": array
            for layer, of in profiles.items()
            for key, array in of.to_arrays().items()
        }
        return StoredArrays(arrays, {"accuracy": accuracy(model, test)})

    def _study(self, model: Inspectable, found: StoredArrays) -> Study:
        """The model with what the store kept of its units."""
        profiles = {
            layer: Profile.from_arrays(under(f"{layer}/", found.arrays)) for layer in model.layers
        }
        return Study(self.choice, model, float(found.about["accuracy"]), profiles)


@dataclass(frozen=True)
class Filming:
    """The film of a model's training, for which it is trained once more."""

    choice: Choice

    @property
    def title(self) -> str:
        """What it does."""
        return f"Filming the training of {registry.title(self.choice.model)}"

    def kept(self, store: Store) -> tuple[Film, bool] | None:
        """The film, where the store has it, and whether it ends at the very weights."""
        found = store.load_arrays("film", asdict(self.choice))
        return None if found is None else (Film.from_arrays(found.arrays), found.about["same"])

    def compute(self, store: Store, report: Report) -> tuple[Film, bool]:
        """The film, recorded."""
        found = store.computed_arrays(
            "film",
            asdict(self.choice),
            lambda: self._filmed(store, report),
            on_wait=lambda: report(0.0, "Another server is filming this training"),
        )
        return Film.from_arrays(found.arrays), found.about["same"]

    def _filmed(self, store: Store, report: Report) -> StoredArrays:
        """The film, recorded now."""
        data, name = self.choice.data, self.choice.model
        report(0.0, "Loading digits")
        every = load_digits(data, "train")
        fit, watch = cut(every, "fit"), cut(every, "selection")
        total = steps_of(name, len(fit))
        with Recorder(load_digits(data, "discovery"), total) as recorder:
            recorder.begin(registry.build(name, self.choice.seed).eval())
            model = self._trained(recorder, fit, watch, report)
            report(0.97, "Developing the film")
            film = recorder.cut()
        known = Training(self.choice).kept(store)
        same = known is not None and weights_hash(known) == weights_hash(model)
        return StoredArrays(film.to_arrays(), {"same": same})

    def _trained(
        self, recorder: Recorder, fit: Digits, watch: Digits, report: Report
    ) -> Inspectable:
        """The model, trained before the camera."""

        def told(step: Step) -> None:
            recorder.batch(step.number, step.loss, step.model, step.intent)
            _tell(part_of(report, 0, 0.97), self.title, step)

        name, seed = self.choice.model, self.choice.seed
        return train(name, fit, seed=seed, watch=watch, on_step=told, pictures=True)


def _tell(report: Report, title: str, step: Step) -> None:
    """Report a step of training: how far it is, what was reached, and the model's portrait."""
    own_rule = isinstance(step.model, SelfOrganizing)
    passed, measure = ("epoch", "distance") if own_rule else ("batch", "loss")
    text = f"{title}: {passed} {step.number:,} of {step.total:,}"
    values = {measure: step.loss, **_emerging(step)}
    report(step.number / step.total, text, picture=_portrait(step), **values)


def _portrait(step: Step) -> NDArray[np.uint8] | None:
    """What can be seen of the model, a sheet in grey: at recorded steps, and after each epoch."""
    shown = step.moment is not None or isinstance(step.model, SelfOrganizing)
    tiles = step.model.portrait() if shown else None
    if tiles is None:
        return None
    rows, columns, height, width = tiles.shape
    sheet = tiles.transpose(1, 2).reshape(rows * height, columns * width)
    return np.asarray(255 - 255 * sheet.cpu().numpy()).round().astype(np.uint8)


def _emerging(step: Step) -> dict[str, float]:
    """What a recorded step adds to the live curves."""
    if step.moment is None:
        return {}
    medians = {
        f"selectivity {layer}": float(np.median(selectivity_index(means)))
        for layer, means in step.moment.class_means.items()
    }
    return {"moment": step.number, "accuracy": step.moment.accuracy, **medians}
