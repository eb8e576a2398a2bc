"""A model and its history come back from their tensors as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.models.inspectable import Inspectable
from core.runs import Run
from core.runtime.lab import Lab
from core.runtime.packing import pack, unpack
from core.runtime.store import Store
from core.training.task import ModelTask

TASK = ModelTask(Run("strokes", "lenet5", seed=1))


class Trained(Lab):
    """A lab that has trained a network already."""

    model: Inspectable

    def compute(self, task: object, report: object) -> Inspectable:  # type: ignore[override]
        return self.model


def test_a_model_comes_back_with_its_history(trained: Inspectable, tmp_path: Path) -> None:
    lab = Trained(Store(tmp_path))
    lab.model = trained
    lab.result(TASK)
    assert [path.suffix for path in tmp_path.glob("model-*")] == [".safetensors"]
    back = Lab(Store(tmp_path)).find(TASK)
    assert back is not None
    assert back is not trained
    assert not back.training
    assert not any(p.requires_grad for p in back.parameters())
    for name, value in trained.state_dict().items():
        assert torch.equal(back.state_dict()[name], value)
    assert back.history.loss == trained.history.loss
    assert sorted(back.history.weights) == sorted(trained.history.weights)
    for one, other in zip(back.history.moments, trained.history.moments, strict=True):
        assert (one.step, one.accuracy) == (other.step, other.accuracy)
        for layer in trained.layers:
            np.testing.assert_array_equal(one.class_means[layer], other.class_means[layer])
            np.testing.assert_array_equal(back.history.intent[layer], trained.history.intent[layer])


def test_what_lacks_a_tensor_is_refused(trained: Inspectable) -> None:
    packed = pack(trained)
    parts = packed.structure["parts"]
    weights = next(value for name, value in parts if name == "weights")["mapping"]
    weights[:] = [pair for pair in weights if pair[0] != "conv_0.bias"]
    with pytest.raises(RuntimeError, match="conv_0"):
        unpack(packed)
    packed = pack(trained)
    packed.structure["parts"][0][1] = "mlp"
    with pytest.raises(RuntimeError):
        unpack(packed)
