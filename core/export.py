"""One unit's evidence as a zip file: numbers as JSON and CSV, pictures as PNG, and charts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import fields

import altair as alt
import numpy as np
import pandas as pd

from core import charts, pictures
from core.analyses.profiles import KINDS, Profile, Scores
from core.csv_text import csv_text
from core.data import DataSet
from core.json_text import dumps, not_finite
from core.units import UnitId

__all__ = ["class_table", "example_table", "histogram_table", "unit_archive"]


def unit_archive(
    unit: UnitId, profile: Profile, source: Mapping[str, object], judged: DataSet
) -> bytes:
    """The zip file.

    source: what the numbers were measured on, such as data, seed and split, kept in unit.json.
    judged: the confirmation digits, of which the examples are taken.
    """
    file = io.BytesIO()
    shown = judged.images[profile.examples[unit.index].ravel(), 0].numpy()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("unit.json", dumps(_facts(unit, profile, source), indent=2))
        archive.writestr("classes.csv", csv_text(class_table(profile, unit.index)))
        archive.writestr("histogram.csv", csv_text(histogram_table(profile, unit.index)))
        archive.writestr("examples.csv", csv_text(example_table(profile, unit.index, judged.ids)))
        means = pictures.stretched(profile.mean_images[unit.index])
        archive.writestr("mean_images.png", pictures.png(pictures.sheet(means, len(means))))
        examples = pictures.sheet(pictures.ink(shown), profile.examples.shape[2])
        archive.writestr("examples.png", pictures.png(examples))
        for name, chart in _charts(profile, unit.index).items():
            archive.writestr(f"{name}.vl.json", dumps(chart.to_dict()))
    return file.getvalue()


def class_table(profile: Profile, index: int) -> pd.DataFrame:
    """A row for each class: mean activation, its 95 % interval, and the untrained unit's mean."""
    return pd.DataFrame(
        {
            "class": np.arange(profile.class_means.shape[1]),
            "mean": profile.class_means[index],
            "low": profile.class_low[index],
            "high": profile.class_high[index],
            "untrained": profile.untrained_means[index],
        }
    )


def histogram_table(profile: Profile, index: int) -> pd.DataFrame:
    """A row for each bin above zero, after one for the exact zeros."""
    edges, counts = profile.edges[index], profile.counts[index]
    zero = pd.DataFrame({"from": [0.0], "to": [0.0], "digits": [int(profile.zeros[index])]})
    above = pd.DataFrame({"from": edges[:-1], "to": edges[1:], "digits": counts})
    return pd.concat([zero, above], ignore_index=True)


def example_table(profile: Profile, index: int, ids: Sequence[str]) -> pd.DataFrame:
    """A row for each example: its kind, the image's name, its activation.

    ids: of the confirmation digits.
    """
    kinds = [kind for kind in KINDS for _ in range(profile.examples.shape[2])]
    return pd.DataFrame(
        {
            "kind": kinds,
            "image": [ids[at] for at in profile.examples[index].ravel()],
            "activation": profile.example_values[index].ravel(),
        }
    )


def _charts(profile: Profile, index: int) -> dict[str, alt.Chart | alt.LayerChart]:
    """The unit's charts by name; any Vega-Lite viewer opens them."""
    classes = class_table(profile, index)
    columns = (classes[name] for name in ("mean", "low", "high", "untrained"))
    return {
        "classes": charts.class_profile(*columns),
        "histogram": charts.histogram(profile.edges[index], profile.counts[index]),
    }


def _facts(unit: UnitId, profile: Profile, source: Mapping[str, object]) -> dict[str, object]:
    """Every number of the unit that is one number, by name.

    not_finite: which of them JSON can't hold and are null, by path, and what they are.
    """
    facts: dict[str, object] = {"unit": str(unit), **source}
    facts["top_class"] = int(profile.top_class[unit.index])
    for kind in ("scores", "untrained", "permuted"):
        scores: Scores = getattr(profile, kind)
        facts[kind] = {
            each.name: float(getattr(scores, each.name)[unit.index]) for each in fields(Scores)
        }
    for name in ("mean", "sd", "fraction_active", "sparseness", "effective_classes", "maximum"):
        facts[name] = float(getattr(profile, name)[unit.index])
    for name in ("dead", "dormant", "constant", "always_on", "saturated"):
        facts[name] = bool(getattr(profile, name)[unit.index])
    facts["not_finite"] = not_finite(facts)
    return facts
