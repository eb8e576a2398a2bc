"""A unit's download: every file of it opens, and says what the profile says."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.analyses.profiles import profile
from core.data import DataSet
from core.export import unit_archive
from core.models.inspectable import Inspectable
from core.models.registry import build
from core.pictures import ink
from core.units import UnitId


@pytest.fixture(scope="module")
def archive(strokes: DataSet, trained: Inspectable) -> tuple[zipfile.ZipFile, object]:
    found, judged = strokes.take(slice(0, 500)), strokes.take(slice(500, 1000))
    of = profile(trained, build("lenet5"), found, judged, layers=["linear_0"])["linear_0"]
    unit = UnitId("lenet5", "linear_0", 7)
    data = unit_archive(unit, of, {"data": "strokes"}, judged)
    return zipfile.ZipFile(io.BytesIO(data)), (of, judged)


def test_every_file_opens_and_agrees(archive) -> None:  # type: ignore[no-untyped-def]
    files, (of, judged) = archive
    facts = json.loads(files.read("unit.json"))
    assert facts["unit"] == "lenet5/linear_0/7"
    assert facts["data"] == "strokes"
    assert facts["scores"]["auc"] == pytest.approx(of.scores.auc[7])
    classes = pd.read_csv(files.open("classes.csv"))
    np.testing.assert_allclose(classes["mean"], of.class_means[7], rtol=1e-5)
    histogram = pd.read_csv(files.open("histogram.csv"))
    assert histogram["digits"].sum() == len(judged)
    examples = pd.read_csv(files.open("examples.csv"))
    assert examples["image"].tolist() == [judged.ids[at] for at in of.examples[7].ravel()]
    assert examples["image"][0].startswith("strokes/")
    picture = np.asarray(Image.open(files.open("examples.png")))
    first = ink(judged.images[of.examples[7, 0, 0]].numpy())[0]
    np.testing.assert_array_equal(picture[:28, :28], first)
    assert Image.open(files.open("mean_images.png")).size == (11 * 28, 28)
    for name in ("classes.vl.json", "histogram.vl.json"):
        assert "vega-lite" in json.loads(files.read(name))["$schema"]
