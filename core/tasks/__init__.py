"""What the dashboard computes on request: from which choices, with what progress, and kept how.

A task is a value: equal tasks have equal results. The store keeps each result under the task's
choices, so a task is computed once for all visitors and all servers of a folder.
"""

from core.tasks.asking import (
    MISINDEXED,
    Asking,
    Explaining,
    Found,
    Pairing,
    Searching,
    Suggesting,
)
from core.tasks.base import Choice, Report, Task
from core.tasks.concepts import Described, Describing, Dissecting, Judging, Labelling, Named
from core.tasks.maximizing import Maximizing
from core.tasks.training import Fetching, Filming, Measuring, Study, Training

__all__ = [
    "MISINDEXED",
    "Asking",
    "Choice",
    "Described",
    "Describing",
    "Dissecting",
    "Explaining",
    "Fetching",
    "Filming",
    "Found",
    "Judging",
    "Labelling",
    "Maximizing",
    "Measuring",
    "Named",
    "Pairing",
    "Report",
    "Searching",
    "Study",
    "Suggesting",
    "Task",
    "Training",
]
