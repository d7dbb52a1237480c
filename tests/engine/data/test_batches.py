"""Mini-batches: every example once an epoch or drawn afresh, scaled, in arrays that are used again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.batches import Batches

SAMPLING = st.sampled_from(["shuffle", "replacement"])


def batches(n, size, sampling="shuffle", *, seed=0, shape=(2, 3, 1), dtype=np.uint8, scale=0.5):
    """Return batches of n examples, each filled with its own number, and labelled with it."""
    x = np.broadcast_to(np.arange(n).reshape(n, *[1] * len(shape)), (n, *shape)).astype(dtype)
    return Batches(x, np.arange(n), batch_size=size, scale=scale, sampling=sampling, rng=np.random.default_rng(seed))


@given(
    n=st.integers(1, 200), size=st.integers(1, 300), sampling=SAMPLING, dtype=st.sampled_from([np.uint8, np.float32])
)
def test_a_batch_is_scaled_float32_with_the_labels_of_its_examples(n, size, sampling, dtype):
    source = batches(n, size, sampling, dtype=dtype)
    for _ in range(3):
        x, labels = source.next()
        assert (x.shape, x.dtype) == ((min(n, size), 2, 3, 1), np.float32)
        np.testing.assert_array_equal(x, np.broadcast_to(labels.reshape(-1, 1, 1, 1) * 0.5, x.shape))


@given(n=st.integers(1, 60), size=st.integers(1, 60), epochs=st.integers(1, 4))
def test_shuffling_shows_every_example_once_an_epoch(n, size, epochs):
    source = batches(n, size)
    seen = []
    while len(seen) < epochs * n:
        seen.extend(source.next()[1].tolist())
    for epoch in range(epochs):
        assert sorted(seen[epoch * n : (epoch + 1) * n]) == list(range(n))


def test_each_epoch_has_an_order_of_its_own():
    source = batches(50, 50)
    first, second = source.next()[1].copy(), source.next()[1].copy()
    assert (first != second).any()
    assert (first != np.arange(50)).any()


def test_replacement_draws_evenly_and_not_once_each():
    source = batches(20, 20, "replacement")
    seen = np.concatenate([source.next()[1].copy() for _ in range(500)])
    counts = np.bincount(seen, minlength=20)
    assert np.abs(counts - 500).max() < 6 * np.sqrt(500)
    assert len(set(seen[:20])) < 20


def test_the_arrays_are_used_again():
    source = batches(50, 10)
    assert source.next()[0] is source.next()[0]


@given(n=st.integers(1, 60), size=st.integers(1, 60), steps=st.integers(0, 9), sampling=SAMPLING)
def test_restored_batches_go_on_where_they_were(n, size, steps, sampling):
    source, heir = batches(n, size, sampling), batches(n, size, sampling, seed=1)
    for _ in range(steps):
        source.next()
    heir.restore(source.state())
    heir.rng.bit_generator.state = source.rng.bit_generator.state
    for _ in range(5):
        np.testing.assert_array_equal(source.next()[1], heir.next()[1])


@pytest.mark.parametrize(
    "order", [np.array([50]), np.array([-1]), np.array([0.0]), np.array([[0]]), np.array(0)], ids=repr
)
def test_an_order_of_other_examples_is_refused(order):
    with pytest.raises(ValueError, match="order of the examples"):
        batches(50, 10).restore(order)
