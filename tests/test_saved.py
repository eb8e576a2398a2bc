"""A model and its history come back from their tensors as they were."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.models.inspectable import Inspectable
from core.models.saved import pack, unpack


def test_a_model_comes_back_with_its_history(trained: Inspectable) -> None:
    back = unpack("lenet5", 0, pack(trained))
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


def test_what_lacks_a_tensor_is_refused(trained: Inspectable) -> None:
    packed = pack(trained)
    del packed["weights/conv_0.bias"]
    with pytest.raises(RuntimeError, match="conv_0"):
        unpack("lenet5", 0, packed)
    with pytest.raises(RuntimeError):
        unpack("mlp", 0, pack(trained))
