"""`python -m bench [rounds]`: every promised speed; fails when one is broken."""

from __future__ import annotations

import sys

import torch

from bench import (
    activations,
    asking,
    dissection,
    gating,
    maximizing,
    modality,
    pages,
    single,
    training,
)
from core.runtime.cache import THREADS


def main() -> int:
    """Print the table; 1 when a promise is broken."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    torch.set_num_threads(THREADS)
    parts = (
        activations,
        asking,
        single,
        dissection,
        gating,
        maximizing,
        modality,
        training,
        pages,
    )
    rows = [row for part in parts for row in part.measure(rounds)]
    width = max(len(row.what) for row in rows)
    for row in rows:
        verdict = "kept" if row.kept else "BROKEN"
        sys.stdout.write(f"{row.what:{width}}  {row.value:7.2f}  {row.promise:14}  {verdict}\n")
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
