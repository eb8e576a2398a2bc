"""The self-organizing map: against brute force, k-means, and a line that must lie in order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from core.activations import collect, run
from core.architectures.som.measure import (
    best_two,
    by_columns,
    distance_map,
    measures,
    path,
    shuffled,
    topographic_error,
)
from core.architectures.som.results import SOMMeasures
from core.data import DataSet
from core.models.inspectable import Inspectable
from core.models.prototypes import means, nearest, squared_distances
from core.models.rbf import k_means_step
from core.models.registry import build
from core.models.som import (
    Labelled,
    SOMSettings,
    batch_step,
    cell_name,
    neighbourhood,
    places,
    radius,
)
from core.training import Step, accuracy, train
from core.training import task as tasks


@pytest.fixture(scope="module")
def som(strokes: DataSet) -> Inspectable:
    return train("som", strokes, epochs=15)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_best_cells_are_those_of_brute_force() -> None:
    vectors, weights = drawn(40, 6), drawn(2 * 5, 6, seed=1)  # 2 rows of 5, so a swap is seen
    first, second = best_two(squared_distances(vectors, weights).numpy())
    at = places(2, 5)
    for index, x in enumerate(vectors):
        each = [(float((x - weights[5 * r + c]).norm()), r, c) for r in range(2) for c in range(5)]
        (_, *best), (_, *next_best) = sorted(each)[:2]
        assert at[first[index]].tolist() == best
        assert at[second[index]].tolist() == next_best
        assert divmod(int(first[index]), 5) == tuple(best)
    assert torch.equal(nearest(vectors, weights)[1], torch.from_numpy(first))


def test_the_column_alone_is_not_the_best_cell() -> None:
    weights = torch.tensor([[9.0], [8.0], [7.0], [6.0], [5.0], [0.0]])  # 2 rows of 3
    first, _ = best_two(squared_distances(torch.tensor([[0.2]]), weights).numpy())
    assert divmod(int(first[0]), 3) == (1, 2)


def test_a_neighbourhood_is_one_at_the_cell_and_falls_with_distance() -> None:
    near = neighbourhood(places(3, 4), 1.5)
    assert torch.equal(near.diagonal(), torch.ones(12))
    assert torch.equal(near, near.T)
    assert float(near[0, 6]) == pytest.approx(np.exp(-(1 + 4) / 2 / 1.5**2))  # (0, 0) and (1, 2)
    assert torch.equal(neighbourhood(places(3, 4), 0.0), torch.eye(12))
    assert (radius(0, 40, 20), radius(39, 40, 20)) == pytest.approx((10.0, 0.5))


def test_without_a_neighbourhood_a_step_is_one_of_k_means() -> None:
    vectors, weights = drawn(50, 4), torch.cat([drawn(5, 4, seed=1), torch.full((1, 4), 9.0)])
    owners = nearest(vectors, weights)[1]
    near = neighbourhood(places(2, 3), 1e-9)
    found = batch_step(vectors, owners, weights, near)
    torch.testing.assert_close(found, k_means_step(vectors, owners, weights))


def test_a_step_is_the_weighted_mean_of_all() -> None:
    vectors, weights, at = drawn(30, 3), drawn(6, 3, seed=1), places(2, 3)
    owners = nearest(vectors, weights)[1]
    found = batch_step(vectors, owners, weights, neighbourhood(at, 0.8))
    for cell in range(6):
        h = [float((-(at[cell] - at[o]).square().sum() / 2 / 0.8**2).exp()) for o in owners]
        expected = (vectors * torch.tensor(h)[:, None]).sum(0) / sum(h)
        torch.testing.assert_close(found[cell], expected, rtol=1e-4, atol=1e-5)
    assert means(vectors, owners, 6)[1].sum() == 30


def test_a_line_lies_in_order_on_a_map_of_one_row() -> None:
    line = torch.linspace(0, 1, 300)[torch.randperm(300, generator=torch.Generator())][:, None]
    weights, at = drawn(10, 1), places(1, 10)
    for sigma in np.geomspace(5, 0.5, 40):
        owners = nearest(line, weights)[1]
        weights = batch_step(line, owners, weights, neighbourhood(at, float(sigma)))
    steps = weights[:, 0].diff()
    assert (steps > 0).all() or (steps < 0).all()
    first, second = best_two(squared_distances(line, weights).numpy())
    assert topographic_error(first, second, columns=10, neighbours=4) == 0
    assert topographic_error(first, second, columns=10, neighbours=8) == 0


def test_neighbours_are_counted_by_rows_and_columns() -> None:
    first, second = np.array([0, 0, 0, 4, 5]), np.array([1, 5, 6, 5, 4])  # 5 columns
    assert topographic_error(first, second, columns=5, neighbours=4) == pytest.approx(3 / 5)
    assert topographic_error(first, second, columns=5, neighbours=8) == pytest.approx(2 / 5)
    with pytest.raises(ValueError, match="choose 4 or 8"):
        topographic_error(first, second, columns=5, neighbours=6)


def test_shuffled_places_keep_the_error_and_lose_the_topology(
    som: Inspectable, strokes: DataSet
) -> None:
    some = strokes.take(slice(600))
    weights = som.get_parameter("map.prototypes")
    labels = som.get_buffer("logits.labels")
    found = measures(weights, labels, some.images, some.labels, 20)
    control = measures(*shuffled(weights, labels, seed=3), some.images, some.labels, 20)
    assert control.quantization == pytest.approx(found.quantization, rel=1e-5)
    assert control.accuracy == pytest.approx(found.accuracy)
    assert found.error8 < 0.4 < 0.8 < control.error8
    assert found.error8 <= found.error4


def test_the_distance_map_is_the_mean_distance_to_neighbours() -> None:
    weights = torch.tensor([[0.0], [1.0], [4.0], [0.0], [3.0], [4.0]])  # 2 rows of 3
    expected = [[(1 + 0) / 2, (1 + 3 + 2) / 3, (3 + 0) / 2], [(0 + 3) / 2, (3 + 2 + 1) / 3, 0.5]]
    np.testing.assert_allclose(distance_map(weights, columns=3), expected)


def test_the_answer_is_the_label_of_the_best_cell(som: Inspectable, strokes: DataSet) -> None:
    phi = collect(som, strokes.images, "map")
    best = nearest(strokes.images.flatten(1), som.get_parameter("map.prototypes"))[1]
    labels = som.get_buffer("logits.labels")
    assert torch.equal(run(som, strokes.images).argmax(1), labels[best])
    assert torch.equal(phi.argmax(1), best)
    assert accuracy(som, strokes) == float((labels[best] == strokes.labels).float().mean())
    assert 0 < phi.min() < phi.max() <= 1


def test_scores_equal_a_loop_over_cells() -> None:
    layer, phi = Labelled(12), drawn(3, 12)
    layer.labels = torch.tensor([0, 1, 1, 2, 3, 3, 3, 4, 5, 6, 8, 9])  # none is 7
    phi[0, 4] = 0.0
    scores = layer(phi)
    for row in range(3):
        for label in range(10):
            own = [float(p) for p, of in zip(phi[row], layer.labels, strict=True) if of == label]
            expected = np.log(max([1e-30, *own])) - np.log(1e-30)
            assert float(scores[row, label]) == pytest.approx(expected, abs=1e-4)
    assert (scores[:, 7] == 0).all()


def test_a_silent_best_cell_gives_way_to_the_second(som: Inspectable, strokes: DataSet) -> None:
    images = strokes.images[:30]
    phi = collect(som, images, "map")
    first, second = phi.topk(2).indices.T
    labels = som.get_buffer("logits.labels")
    for index in range(len(images)):
        edits = {("map", int(first[index])): 0.0}
        answer = int(run(som, images[index : index + 1], edits).argmax())
        assert answer == int(labels[second[index]])


def test_a_label_is_that_of_most_of_a_cells_digits(som: Inspectable, strokes: DataSet) -> None:
    owners = nearest(strokes.images.flatten(1), som.get_parameter("map.prototypes"))[1]
    votes = torch.zeros(400, 10)
    for owner, label in zip(owners.tolist(), strokes.labels.tolist(), strict=True):
        votes[owner, label] += 1
    used = votes.sum(1) > 0
    labels = som.get_buffer("logits.labels")
    assert torch.equal(labels[used], votes.argmax(1)[used])
    for cell in (~used).nonzero()[:5, 0].tolist():
        weight = som.get_parameter("map.prototypes")[cell]
        near = (strokes.images.flatten(1) - weight).norm(dim=1).argmin()
        assert int(labels[cell]) == int(strokes.labels[near])


def test_a_cell_is_named_by_its_place_and_shown_there(som: Inspectable) -> None:
    assert cell_name(210, 20) == "row 10, column 10"
    assert cell_name(23, 20) == "row 1, column 3"
    portrait = som.portrait()
    assert portrait is not None
    assert portrait.shape == (20, 20, 28, 28)
    assert torch.equal(portrait[1, 3].flatten(), som.get_parameter("map.prototypes")[23])
    assert SOMSettings().describe()[0].named(47) == cell_name(47, 20) == "row 2, column 7"


def test_the_column_searched_for_as_a_row_is_seldom_the_row() -> None:
    weights = torch.tensor([[5.0], [0.0], [9.0], [3.0], [9.0], [9.0]])  # 2 rows of 3
    images = torch.tensor([0.1, 2.9, 5.1]).view(3, 1, 1, 1)
    # nearest columns are (1, 0), (0, 0), (0, 0): the smaller number is of rows 1, 0, 0
    assert by_columns(weights, images, columns=3) == pytest.approx(1 / 3)  # right: 0, 1, 0


def test_a_digits_path_ends_at_its_answer(som: Inspectable, strokes: DataSet) -> None:
    found = path(som, strokes.images[5:6])
    labels = som.get_buffer("logits.labels")
    assert found.first == int(found.responses.argmax()) == int(found.distances.argmin())
    assert found.distances[found.first] < found.distances[found.second]
    assert found.answer == int(labels[found.first]) == int(found.strongest.argmax())
    for label, cell in enumerate(found.best):
        own = np.where(labels.numpy() == label, found.responses, 0)
        assert cell < 0 or found.strongest[label] == own.max() == own[cell]


def test_the_map_is_shown_as_it_learns(strokes: DataSet) -> None:
    shown: list[tuple[str, dict[str, object]]] = []

    def report(fraction: float, text: str | None = None, **values: object) -> None:
        shown.append((str(text), values))

    def told(step: Step) -> None:
        tasks.describe_step(report, "Training a map", step)
        if shown[-1][1]["picture"] is not None:
            picture = np.asarray(shown[-1][1]["picture"])
            weight = step.model.get_parameter("map.prototypes")[23]
            assert picture.shape == (560, 560)
            expected = (255 - 255 * weight.detach().view(28, 28).numpy()).round()
            np.testing.assert_array_equal(picture[28:56, 84:112], expected)

    train("som", strokes.take(slice(600)), epochs=5, on_step=told)
    assert [text for text, _ in shown][-1] == "Training a map: epoch 5 of 5"
    assert [values["picture"] is not None for _, values in shown] == [True] * 5
    assert "distance" in shown[0][1]
    assert build("lenet5").portrait() is None


def test_a_map_that_is_no_square_keeps_its_rows_and_columns() -> None:
    """Two rows of three cells of 2 x 2 pixels; pixel 3 of cell k is k / 10."""
    maps = np.zeros((1, 6, 2, 2), np.float32)
    maps[0, :, 1, 1] = np.arange(6) / 10
    none, labels = pd.DataFrame(), np.array([[0, 1, 2, 3, 4, 5]])
    opened = SOMMeasures(
        np.array([0]), maps, labels, none, np.zeros(6, np.int64), np.zeros((2, 3)),
        np.array([3]), none, 0.0,
    )  # fmt: skip
    assert opened.shape == (2, 3)
    np.testing.assert_allclose(opened.plane(3), [[0, 0.1, 0.2], [0.3, 0.4, 0.5]])
    cells = opened.cells()
    assert cells[["row", "column", "label"]].to_numpy().tolist() == [
        [0, 0, 0], [0, 1, 1], [0, 2, 2], [1, 0, 3], [1, 1, 4], [1, 2, 5],
    ]  # fmt: skip
