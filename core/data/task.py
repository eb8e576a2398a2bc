"""Data sets as the lab hands them out, each loaded or drawn once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from core.data import DataSet, cut, load, mnist
from core.runtime.lab import Lab
from core.runtime.task import Report, Task

__all__ = ["DataTask", "MnistFilesTask"]

_WHOLE = {"fit": "train", "selection": "train", "discovery": "test", "confirmation": "test"}


@dataclass(frozen=True)
class DataTask(Task[DataSet]):
    """The digits of a source and split: see `core.data.load`. The files are the store."""

    stored: ClassVar[bool] = False
    name: str
    split: str

    @property
    def title(self) -> str:
        """What is done."""
        return "Loading MNIST" if self.name == "mnist" else "Generating digits"

    def compute(self, lab: Lab, report: Report) -> DataSet:
        """The digits, cut out of all training or test digits, which are loaded once.

        Raises `mnist.Unavailable` when MNIST can't be had, and `ValueError` for what is unknown.
        """
        report(0.0, self.title)
        if self.split in _WHOLE:
            return cut(lab.result(DataTask(self.name, _WHOLE[self.split]), report), self.split)
        return load(self.name, self.split)

    def at_once(self, lab: Lab) -> DataSet | None:
        """The digits of a part where the whole is there."""
        whole = lab.find(DataTask(self.name, _WHOLE[self.split])) if self.split in _WHOLE else None
        return None if whole is None else cut(whole, self.split)


@dataclass(frozen=True)
class MnistFilesTask(Task[bool]):
    """MNIST, in its folder and sound: True."""

    stored: ClassVar[bool] = False

    @property
    def title(self) -> str:
        """What is done."""
        return "Downloading MNIST"

    def compute(self, lab: Lab, report: Report) -> bool:
        """True once it is there; raises `mnist.Unavailable` when it can't be had."""

        def on_progress(done: float) -> None:
            report(done, f"{self.title} (only once)")

        mnist.load(train=False, on_progress=on_progress)
        return True

    def at_once(self, lab: Lab) -> bool | None:
        """True when it is there; raises `mnist.Unavailable` when it is damaged."""
        if not mnist.present():
            return None
        mnist.check()
        return True
