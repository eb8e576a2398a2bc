"""Every architecture trained on MNIST as the dashboard trains it: how well, and in what time.

    python -m bench.architectures             # all of them, seed 0
    python -m bench.architectures lstm "gru reset=before"    # some

Times are of this machine at this moment, in seconds. Nothing is taken from the store.
"""

from __future__ import annotations

import sys
import time

import torch

from core.data import cut, load
from core.runs import Run
from core.runtime.cache import THREADS
from core.training import accuracy, train

# share of the 10,000 test digits that must be classified right
LEAST = {
    "lenet5": 0.99,
    "simple_cnn": 0.985,
    "mlp": 0.975,
    "lstm": 0.98,
    "gru": 0.98,
    "gru reset=before": 0.98,
    "attention": 0.975,
    "rbf": 0.945,
    "capsules": 0.985,
    "som": 0.88,
    "multitask": 0.975,
    "pairs": 0.95,
    "mixture": 0.965,
    "mixture layers=2,experts=4,width=64,epochs=10,jitter=4": 0.0,
}
LONGEST = 180  # seconds of training


def main(names: list[str]) -> None:
    """Print the table, a row for each architecture."""
    torch.set_num_threads(THREADS)
    every = load("mnist", "train")
    fit, watch, test = cut(every, "fit"), cut(every, "selection"), load("mnist", "test")
    print(f"{'model':>14}{'parameters':>12}{'accuracy':>10}{'least':>8}{'seconds':>9}")
    for name in names:
        run = Run.parse("mnist", name)
        begun = time.perf_counter()
        model = train(run.architecture, fit, settings=run.settings, watch=watch)
        seconds = time.perf_counter() - begun
        found, least = accuracy(model, test), LEAST.get(name, 0.0)
        size = sum(value.numel() for value in model.parameters())
        kept = "" if found >= least and seconds <= LONGEST else "  not kept"
        print(f"{name:>14}{size:12,}{found:10.4f}{least:8.3f}{seconds:9.0f}{kept}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(LEAST))
