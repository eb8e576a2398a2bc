"""Settings: what can be chosen of an architecture and of its training, checked, and as text.

Each architecture has a frozen dataclass of its own in its file; `core.models.registry` names them.
A setting's title, range and help stand beside its default, so that a form needs no other list.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

from core.arguments import real, whole
from core.text import literal

if TYPE_CHECKING:
    from core.models.inspectable import Inspectable, Layer

__all__ = [
    "DIGITS",
    "OPTIMIZERS",
    "DataFormat",
    "Descent",
    "Dropout",
    "Option",
    "Settings",
    "Sizes",
    "Value",
    "dense",
    "setting",
    "summed",
]

Value: TypeAlias = int | float | bool | str | tuple[int, ...] | None
Sizes: TypeAlias = tuple[int, int]  # how many weights, and how many other parameters

_LONGEST = 500  # characters of a text
_WHOLE = re.compile(r"-?[0-9]{1,12}", re.ASCII)
_REAL = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,20})?(e-?[0-9]{1,2})?", re.ASCII)
_FLAGS = MappingProxyType({"yes": True, "no": False})

OPTIMIZERS = MappingProxyType({"adadelta": 1.0, "adam": 2e-3, "sgd": 0.05})  # by usual rate


@dataclass(frozen=True)
class DataFormat:
    """What a network is given and asked: the shape of an image (C, H, W), and how many classes."""

    shape: tuple[int, int, int] = (1, 28, 28)
    classes: int = 10

    def __post_init__(self) -> None:
        """Raises `ValueError` for a shape that no image has, or fewer than two classes."""
        try:
            shape = tuple(whole(size, "a side of the shape", 1) for size in self.shape)
        except TypeError:
            shape = ()
        if len(shape) != 3:
            raise ValueError(f"shape is {literal(self.shape)}: give (channels, height, width).")
        object.__setattr__(self, "shape", shape)  # the class is frozen
        object.__setattr__(self, "classes", whole(self.classes, "classes", 2))

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return self.shape[0]

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return self.shape[1]

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return self.shape[2]

    @property
    def pixels(self) -> int:
        """How many numbers an image has."""
        return math.prod(self.shape)

    def require(self, architecture: str, shape: tuple[int, int, int] = (1, 28, 28)) -> None:
        """Raises `ValueError` where images have another shape than the only one that is read."""
        if self.shape != shape:
            raise ValueError(
                f"{architecture} reads images of the shape {shape}: not of {self.shape}; choose "
                "lenet5, simple_cnn or mlp for these."
            )


DIGITS = DataFormat()


@dataclass(frozen=True)
class Option:
    """A setting as a form shows it, and the values that it may have.

    kind: int, float, bool, str or tuple (of whole numbers). low, high: of a number, or of each
    number of a tuple. choices: if there are only these. count: how few and how many numbers a tuple
    has. step: by which a form moves it. automatic: whether None is a value, described by the help.
    """

    name: str
    default: Value
    kind: type
    title: str
    help: str = ""
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[int | str, ...] = ()
    unit: str = ""
    count: tuple[int, int] = (1, 1)

    @property
    def automatic(self) -> bool:
        """Whether None is a value."""
        return self.default is None

    def check(self, value: Any) -> Value:
        """The value as Python's own; raises `ValueError` that names it and those that can be."""
        if value is None and self.automatic:
            return None
        if self.kind is bool:
            return self._flag(value)
        if self.kind is tuple:
            return self._numbers(value)
        if self.kind is float:
            return real(value, self.name, self.low, self.high)
        low, high = (None if bound is None else int(bound) for bound in (self.low, self.high))
        found = value if self.kind is str else whole(value, self.name, low, high)
        if self.choices and not (isinstance(found, int | str) and found in self.choices):
            raise ValueError(
                f"{self.name} is {literal(value)}: choose one of "
                f"{', '.join(str(choice) for choice in self.choices)}."
            )
        return str(found) if self.kind is str else found

    def read(self, text: str) -> Value:
        """The value that a text writes; raises as `check`."""
        if self.kind is bool:
            return self.check(_FLAGS.get(text, text))
        if self.kind is tuple:
            return self.check([_number(part, _WHOLE, int) for part in text.split("-")])
        if self.kind is str:
            return self.check(text)
        number = (_REAL, float) if self.kind is float else (_WHOLE, int)
        return self.check(_number(text, *number))

    def write(self, value: Value) -> str:
        """The one text for a value, from which `read` gives it back."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, tuple):
            return "-".join(str(number) for number in value)
        if isinstance(value, float):
            return f"{value:g}" if float(f"{value:g}") == value else repr(value)
        return str(value)

    def _flag(self, value: Any) -> bool:
        """A flag of any library."""
        if isinstance(value, bool) or "bool" in str(getattr(value, "dtype", "")):
            return bool(value)
        raise ValueError(f"{self.name} is {literal(value)}: choose yes or no.")

    def _numbers(self, value: Any) -> tuple[int, ...]:
        """A tuple of whole numbers, as many as there may be."""
        fewest, most = self.count
        listed = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else []
        if not fewest <= len(listed) <= most:
            many = str(most) if fewest == most else f"{fewest} to {most}"
            raise ValueError(
                f"{self.name} is {literal(value)}: give {many} whole numbers, such as "
                f"{self.write(self.default)}."
            )
        low, high = int(self.low or 0), int(self.high or 2**31)
        return tuple(whole(number, f"a number of {self.name}", low, high) for number in listed)


def _number(text: str, pattern: re.Pattern[str], kind: type) -> Any:
    """The number that all of `text` writes, else the text as it is."""
    return kind(text) if pattern.fullmatch(text) else text


def setting(default: Any, title: str, *, kind: type | None = None, **about: Any) -> Any:
    """A field of a settings dataclass with what an `Option` says of it."""
    option = {"kind": kind or type(default), "title": title, **about}
    return field(default=default, metadata={"option": option})


@dataclass(frozen=True)
class Settings:
    """What can be chosen of an architecture and its training; equal ones give equal bits.

    Raises `ValueError` for a value that can't be, in one sentence that says which can.
    """

    architecture: ClassVar[str]
    title: ClassVar[str]

    epochs: int = setting(
        10, "Epochs", low=1, high=200, step=1, help="Passes over the training images."
    )

    def __post_init__(self) -> None:
        """Check each value, and make it Python's own."""
        for option in self.options():
            value = option.check(getattr(self, option.name))
            object.__setattr__(self, option.name, value)  # the class is frozen
        self.check_together()

    @classmethod
    def options(cls) -> tuple[Option, ...]:
        """All settings in the order of a form: those of the architecture, then of its training."""
        this: Any = cls  # as Hashable, which mypy doesn't see in the type of a dataclass
        return _options(this)

    @classmethod
    def option(cls, name: str) -> Option:
        """The setting `name`; raises `ValueError` that names all."""
        for option in cls.options():
            if option.name == name:
                return option
        known = ", ".join(option.name for option in cls.options())
        raise ValueError(f"{literal(name)} is not a setting of {cls.architecture}: choose {known}.")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """The settings with these values, the others by default; raises `ValueError`."""
        return cls(**{cls.option(name).name: value for name, value in values.items()})

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The settings that a text writes, as `to_text` does; "" is the default.

        Raises `ValueError` with one sentence for everything else.
        """
        if len(text) > _LONGEST:
            raise ValueError(f"settings are {len(text)} characters: at most {_LONGEST} are read.")
        values: dict[str, Value] = {}
        for part in text.split(",") if text else ():
            name, equals, value = part.partition("=")
            if not equals:
                raise ValueError(f"{literal(part)} is no setting: write name=value, with commas.")
            option = cls.option(name)
            if name in values:
                raise ValueError(f"{name} is set twice: leave one of them out.")
            values[name] = option.read(value)
        return cls(**values)  # type: ignore[arg-type]

    def to_text(self) -> str:
        """The settings as a link has them: "widths=6-16-84-84,activation=tanh".

        Those at their default are left out, so equal settings have one text.
        """
        changed = self.changed().items()
        return ",".join(f"{option.name}={option.write(value)}" for option, value in changed)

    def in_words(self) -> str:
        """The settings that aren't at their default, for titles: "experts 4, balance, α 0.1"."""
        return ", ".join(self.words(option.name for option in self.changed()))

    def words(self, names: Iterable[str]) -> tuple[str, ...]:
        """The settings of these names in words, in their order."""
        wanted, found = set(names), []
        for option in self.options():
            if option.name in wanted:
                title = f"{option.title[0].lower()}{option.title[1:]}"
                unit = f" {option.unit}" if option.unit else ""
                found.append(f"{title} {option.write(getattr(self, option.name))}{unit}")
        return tuple(found)

    def changed(self) -> dict[Option, Value]:
        """The settings that aren't at their default, in order."""
        values = {option: getattr(self, option.name) for option in self.options()}
        return {option: value for option, value in values.items() if value != option.default}

    def parameters(self, data: DataFormat = DIGITS) -> int:
        """How many numbers the network learns, by formula."""
        return sum(self.sizes(data))

    def check_together(self) -> None:
        """Raise `ValueError` for values that can't be together."""

    def check_for(self, data: DataFormat) -> None:
        """Raise `ValueError` for images that the network can't read."""

    def sizes(self, data: DataFormat) -> Sizes:
        """How many weights the network has, and how many other parameters, by formula."""
        raise NotImplementedError

    def describe(self, data: DataFormat = DIGITS) -> tuple[Layer, ...]:
        """The network's layers, input to output."""
        raise NotImplementedError

    def network(self, data: DataFormat = DIGITS) -> Inspectable:
        """The network, its weights drawn from PyTorch's generator."""
        raise NotImplementedError


@cache
def _options(settings: type[Any]) -> tuple[Option, ...]:
    """The options of a settings class, those of its own first; see `Settings.options`."""
    found: list[tuple[int, Option]] = []
    for own in fields(settings):
        # a subclass may give another default alone, so what is said stands with the first owner
        owners = [at for at, of in enumerate(settings.__mro__) if "option" in _about(of, own.name)]
        about = _about(settings.__mro__[owners[-1]], own.name)["option"]
        option = Option(name=own.name, **{"default": own.default, **about})
        found.append((owners[-1], option))
    return tuple(option for _, option in sorted(found, key=lambda each: each[0]))


def _about(owner: type, name: str) -> Mapping[str, Any]:
    """What a class says of its field: nothing where it has none, or gives a default alone."""
    own = getattr(owner, "__dataclass_fields__", {}).get(name)
    return own.metadata if own else {}


@dataclass(frozen=True)
class Descent(Settings):
    """Of a network that learns by gradient descent.

    learning_rate: None takes the optimizer's usual one; see `rate`. largest_weights: k; 0 keeps
    all.
    """

    rates: ClassVar[Mapping[str, float]] = OPTIMIZERS

    optimizer: str = setting(
        "adadelta",
        "Optimizer",
        choices=tuple(OPTIMIZERS),
        help="Adadelta (Zeiler 2012), Adam (Kingma & Ba 2015), or SGD with a momentum of 0.9.",
    )
    learning_rate: float | None = setting(
        None,
        "Learning rate",
        kind=float,
        low=1e-5,
        high=10.0,
        help="It is constant and falls to zero over the last quarter. Unset: the optimizer's usual "
        "rate.",
    )
    weight_decay: float = setting(
        0.0,
        "Weight decay",
        low=0.0,
        high=0.1,
        step=1e-4,
        help="λ of ½ λ Σ w² in the loss, given to the optimizer.",
    )
    l1: float = setting(
        0.0,
        "L1 penalty",
        low=0.0,
        high=0.1,
        step=1e-5,
        help="λ of λ Σ |w| in the loss, summed over all weights, biases aside.",
    )
    largest_weights: int = setting(
        0,
        "Largest weights kept",
        low=0,
        high=10**8,
        step=1,
        unit="weights",
        help="k: after each step all weights but the k of largest magnitude are set to zero, "
        "biases aside. 0 keeps all.",
    )

    def __post_init__(self) -> None:
        """Check each value; a rate that is the usual one is as good as none."""
        super().__post_init__()
        if self.learning_rate == self.rates[self.optimizer]:
            object.__setattr__(self, "learning_rate", None)

    @property
    def rate(self) -> float:
        """The learning rate that is used."""
        return self.rates[self.optimizer] if self.learning_rate is None else self.learning_rate

    def check_for(self, data: DataFormat) -> None:
        """Raise `ValueError` for more weights kept than there are."""
        weights, _ = self.sizes(data)
        whole(self.largest_weights, "largest_weights", 0, weights)


@dataclass(frozen=True)
class Dropout(Descent):
    """Of a network with hidden dense layers, whose units can be silenced in training."""

    dropout: float = setting(
        0.0,
        "Dropout",
        low=0.0,
        high=0.95,
        step=0.05,
        help="The share of each hidden dense layer's units that is silent at each image in "
        "training (Srivastava et al. 2014); the trained network has none.",
    )


def dense(inputs: int, outputs: int) -> Sizes:
    """Weights and biases of a dense layer."""
    return inputs * outputs, outputs


def summed(*parts: Sizes) -> Sizes:
    """Weights and other parameters of all parts."""
    return sum(part[0] for part in parts), sum(part[1] for part in parts)
