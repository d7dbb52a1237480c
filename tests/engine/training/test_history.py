"""Curves of bounded length: they forget evenly, never first and newest, and average without losing a step's weight."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.training.events import Evaluated, Finished, LayerReading, Snapshot, Started, Step
from engine.training.history import History, Series

LIMITS = st.integers(1, 12).map(lambda n: 2 * n)
ROWS = st.builds(
    lambda n, seed: np.random.default_rng(seed).normal(0, 1e3, (n, 2)).tolist(), st.integers(1, 150), st.integers(0, 99)
)


def series(limit, averaged, rows):
    """Return a series that was given the rows, and all of them with their steps, as one array."""
    curve = Series(2, limit, averaged=averaged)
    for step, row in enumerate(rows, start=1):
        curve.append(step, *row)
    return curve, np.array([(step, *row) for step, row in enumerate(rows, start=1)])


@given(limit=LIMITS, averaged=st.booleans(), rows=ROWS)
def test_the_length_is_bounded_and_the_steps_rise(limit, averaged, rows):
    curve, everything = series(limit, averaged, rows)
    kept = curve.rows()
    assert 1 <= len(kept) <= limit
    assert (np.diff(kept[:, 0]) > 0).all()
    newest = not averaged and (len(everything) - 1) % curve.stride > 0  # it is there in any case
    assert len(kept) == -(-len(everything) // curve.stride) + newest  # no more is forgotten than the stride says


@given(limit=LIMITS, rows=ROWS)
def test_a_plain_series_keeps_every_so_manieth_row_from_the_first_on_and_the_newest(limit, rows):
    curve, everything = series(limit, False, rows)
    expected = everything[:: curve.stride]
    if (len(everything) - 1) % curve.stride:
        expected = np.vstack([expected, everything[-1]])
    np.testing.assert_array_equal(curve.rows(), expected)


@given(limit=LIMITS, rows=ROWS)
def test_an_averaged_series_is_the_mean_of_each_stride(limit, rows):
    curve, everything = series(limit, True, rows)
    chunks = [everything[i : i + curve.stride] for i in range(0, len(everything), curve.stride)]
    expected = np.array([chunk.mean(axis=0) for chunk in chunks])
    np.testing.assert_allclose(curve.rows(), expected, rtol=1e-9, atol=1e-6)


@given(limit=LIMITS, averaged=st.booleans(), rows=ROWS, more=ROWS)
def test_a_restored_series_goes_on_as_if_nothing_had_happened(limit, averaged, rows, more):
    curve, _ = series(limit, averaged, rows)
    heir = Series(2, limit, averaged=averaged)
    heir.restore(curve.state())
    np.testing.assert_array_equal(heir.rows(), curve.rows())
    for step, row in enumerate(more, start=len(rows) + 1):
        curve.append(step, *row)
        heir.append(step, *row)
    np.testing.assert_array_equal(heir.rows(), curve.rows())


def test_an_empty_series_has_no_rows_and_goes_round():
    curve = Series(3, 10)
    assert curve.rows().shape == (0, 4)
    curve.restore(curve.state())
    assert curve.rows().shape == (0, 4)


def test_rows_are_a_copy():
    curve, _ = series(4, False, [(1.0, 2.0)])
    curve.rows()[...] = 9
    assert curve.rows().tolist() == [[1, 1, 2]]


def state(**head):
    """Return the state of a series of two values with another head: stride, pending."""
    array = Series(2, 10).state()
    for column, value in enumerate(head.values()):
        array[0, column] = value
    return array


REFUSALS = {
    "no axis": np.zeros(()),
    "one row": np.ones((1, 3)),
    "too narrow": np.ones((4, 2)),
    "would broadcast": np.ones((4, 1)),
    "longer than the series may be": np.vstack([state(), np.ones((10, 3))]),
    "stride 0": state(stride=0),
    "stride NaN": state(stride=np.nan),
    "stride infinite": state(stride=np.inf),
    "more pending than a stride": state(stride=2, pending=2),
    "fewer than none pending": state(stride=2, pending=-1),
}


@pytest.mark.parametrize("array", REFUSALS.values(), ids=REFUSALS)
def test_a_state_that_no_series_gives_is_refused(array):
    with pytest.raises(ValueError, match="a curve must"):
        Series(2, 10).restore(array)


# --------------------------------------------------------------------------------------------------------- History


def recorded():
    history = History()
    for event in (
        Started(9),
        Evaluated(0, 2.3, 0.1, 2.4, 0.2),
        Step(1, 2.2, 0.01),
        Step(2, 2.0, 0.02),
        Evaluated(2, 2.0, 0.3, 2.1, 0.4),
        Finished(2, "completed"),
    ):
        history.record(event)
    return history


def test_curves_name_what_was_measured():
    assert recorded().curves() == {
        "loss_step": [1, 2],
        "loss": [2.2, 2.0],
        "seconds": [0.01, 0.02],
        "step": [0, 2],
        "train_loss": [2.3, 2.0],
        "train_accuracy": [0.1, 0.3],
        "test_loss": [2.4, 2.1],
        "test_accuracy": [0.2, 0.4],
    }


def test_a_history_goes_round_its_layers_included():
    history, heir = recorded(), History()
    for name in ("dense1", "dense2", "dense10", "output"):
        history.layers[name] = Series(5, 160)
        history.layers[name].append(1, *range(5))
    heir.restore(dict(reversed(history.state().items())))  # a file need not keep the order
    assert heir.curves() == history.curves()
    assert list(heir.layers) == list(history.layers)
    np.testing.assert_array_equal(heir.layers["dense1"].rows(), history.layers["dense1"].rows())


def test_the_latest_snapshot_is_at_hand():
    history, snapshot = recorded(), Snapshot(3, ())
    history.record(snapshot)
    assert history.latest is snapshot


def reading(name, bins=4):
    """Return what a probe might say of a layer, each number another."""
    counts = np.arange(bins)
    limits = [(-1.0, 0.5 * i) for i in range(3)]
    return LayerReading(
        name, 0.1, 0.2, 0.3, 0.4, 0.5, np.nan, counts, limits[0], counts + 4, limits[1], counts + 8, limits[2]
    )


def test_the_latest_snapshot_goes_round():
    history, heir = recorded(), History()
    history.record(Snapshot(3, (reading("dense1"), reading("dense10.x"), reading("dense2"))))
    heir.restore(dict(reversed(history.state().items())))
    assert heir.latest.step == 3
    for restored, original in zip(heir.latest.layers, history.latest.layers, strict=True):
        assert restored.name == original.name
        assert (restored.activation_limits, restored.weight_limits) == ((-1.0, 0.0), (-1.0, 1.0))
        np.testing.assert_array_equal(restored.to_row(), original.to_row())
        np.testing.assert_array_equal(restored.gradients, original.gradients)
        assert restored.gradients.dtype == np.int64


@pytest.mark.parametrize(
    "row", [np.zeros(0), np.zeros(6), np.zeros(12), np.zeros(16), np.full(24, np.nan), np.zeros((6, 6))], ids=np.shape
)
def test_a_row_that_is_no_reading_is_refused(row):
    with pytest.raises(ValueError, match=r"histogram|equal"):
        LayerReading.from_row("dense1", row)


def test_a_history_without_its_curves_is_refused():
    with pytest.raises(KeyError):
        History().restore({})
