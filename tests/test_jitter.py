"""Digits moved about: held against numpy's roll, and against what moving may not change."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.data.jitter import drawn_offsets, moved


def rolled(image: np.ndarray, down: int, right: int) -> np.ndarray:
    """The image moved by roll, what came round the border made 0."""
    shifted = np.roll(image, (down, right), (0, 1))
    height, width = image.shape
    rows, columns = np.arange(height), np.arange(width)
    shifted[(rows < down) | (rows >= height + down)] = 0
    shifted[:, (columns < right) | (columns >= width + right)] = 0
    return shifted


@pytest.mark.parametrize(
    ("down", "right"),
    [(0, 0), (3, 0), (-3, 0), (0, 2), (0, -2), (4, -1), (-4, -4), (9, 6), (-7, 7)],
)
def test_moved_is_roll_with_zeros(down: int, right: int) -> None:
    images = torch.rand((2, 1, 6, 5), generator=torch.Generator().manual_seed(1))
    found = moved(images, torch.tensor([down, 0]), torch.tensor([right, 0]))
    np.testing.assert_array_equal(found[0, 0].numpy(), rolled(images[0, 0].numpy(), down, right))
    assert torch.equal(found[1], images[1])  # each by an offset of its own


def test_every_image_goes_its_own_way() -> None:
    chance = torch.Generator().manual_seed(2)
    images = torch.rand((300, 1, 9, 7), generator=chance)
    down, right = drawn_offsets(300, 4, chance)
    before = images.clone()
    found = moved(images, down, right)
    for image, shifted, d, r in zip(images, found, down.tolist(), right.tolist(), strict=True):
        np.testing.assert_array_equal(shifted[0].numpy(), rolled(image[0].numpy(), d, r))
    assert torch.equal(images, before)


def test_down_is_down_and_right_is_right() -> None:
    image = torch.zeros(1, 1, 5, 5)
    image[0, 0, 1, 2] = 1
    found = moved(image, torch.tensor([2]), torch.tensor([-1]))
    assert found[0, 0].nonzero().tolist() == [[3, 1]]


def test_ink_is_kept_where_there_is_a_margin() -> None:
    images = torch.zeros(81, 1, 28, 28)
    images[:, :, 4:24, 4:24] = torch.rand((81, 1, 20, 20), generator=torch.Generator())
    down, right = drawn_offsets(81, 4, torch.Generator().manual_seed(3))
    found = moved(images, down, right)
    torch.testing.assert_close(found.sum((1, 2, 3)), images.sum((1, 2, 3)))
    back = moved(found, -down, -right)
    assert torch.equal(back, images)


def test_offsets_are_even_independent_and_of_the_seed() -> None:
    down, right = drawn_offsets(81 * 400, 4, torch.Generator().manual_seed(4))
    again = drawn_offsets(81 * 400, 4, torch.Generator().manual_seed(4))
    assert torch.equal(down, again[0])
    assert torch.equal(right, again[1])
    counts = np.bincount((9 * (down + 4) + right + 4).numpy(), minlength=81)
    assert len(counts) == 81
    assert ((counts - 400) ** 2 / 400).sum() < 125  # chi² of 80: above in 1 of 1,000
    assert drawn_offsets(5, 0)[0].tolist() == [0] * 5


def test_gradients_reach_what_stays_inside() -> None:
    images = torch.rand((1, 1, 4, 4), dtype=torch.float64).requires_grad_()
    down, right = torch.tensor([1]), torch.tensor([-1])
    (gradient,) = torch.autograd.grad(moved(images, down, right).sum(), images)
    expected = torch.ones(4, 4, dtype=torch.float64)
    expected[3], expected[:, 0] = 0, 0
    assert torch.equal(gradient[0, 0], expected)
    assert torch.autograd.gradcheck(lambda of: moved(of, down, right), (images,))


def test_none_and_wrong_offsets() -> None:
    none = torch.zeros(0, dtype=torch.int64)
    assert moved(torch.zeros(0, 1, 28, 28), none, none).shape == (0, 1, 28, 28)
    images = torch.zeros(2, 1, 28, 28)
    with pytest.raises(ValueError, match=r"down is torch.float32 \(2,\) for 2 images"):
        moved(images, torch.zeros(2), torch.tensor([0, 0]))
    with pytest.raises(ValueError, match=r"right is torch.int64 \(1,\) for 2 images"):
        moved(images, torch.tensor([0, 0]), torch.tensor([0]))
    with pytest.raises(ValueError, match="most is -1"):
        drawn_offsets(3, -1)
