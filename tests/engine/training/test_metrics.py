"""Loss, accuracy, confusion and the most confident errors, against a count by hand."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine import build, nn
from engine.training import metrics


def test_predictions_in_chunks_are_the_whole_sets(blobs, small, monkeypatch):
    network = build.build_network(small, blobs.shape, 4)
    whole = network.forward(np.multiply(blobs.x_train, blobs.scale, dtype=np.float32)).copy()
    for chunk in (1, 7, 120, 1000):
        monkeypatch.setattr(metrics, "CHUNK", chunk)
        outputs = metrics.predict(network, blobs.x_train, blobs.scale)
        np.testing.assert_allclose(outputs, whole, rtol=1e-5, atol=1e-6)


def test_evaluation_is_the_loss_and_the_share_of_right_answers(blobs, small):
    network, loss = build.build_network(small, blobs.shape, 4), nn.SoftmaxCrossEntropy()
    outputs = metrics.predict(network, blobs.x_test, blobs.scale)
    value, accuracy = metrics.evaluate(network, loss, blobs.x_test, blobs.y_test, blobs.scale)
    assert value == loss.forward(outputs, blobs.y_test)
    assert accuracy == sum(outputs.argmax(1) == blobs.y_test) / len(blobs.y_test)


def test_evaluation_leaves_the_loss_of_the_running_step_alone(blobs, small):
    network, loss = build.build_network(small, blobs.shape, 4), nn.SoftmaxCrossEntropy()
    loss.forward(np.eye(4, dtype=np.float32), np.arange(4))
    expected = nn.SoftmaxCrossEntropy()
    expected.forward(np.eye(4, dtype=np.float32), np.arange(4))
    metrics.evaluate(network, loss, blobs.x_test, blobs.y_test, blobs.scale)
    np.testing.assert_array_equal(loss.backward(), expected.backward())


@given(n=st.integers(0, 60), k=st.integers(2, 6), seed=st.integers(0, 2**32 - 1))
def test_confusion_and_errors_are_counted(n, k, seed):
    rng = np.random.default_rng(seed)
    outputs, labels = rng.random((n, k)), rng.integers(0, k, n)
    table = metrics.confusion_matrix(outputs, labels)
    answers = outputs.argmax(axis=1)
    assert table.shape == (k, k)
    for right in range(k):
        for answer in range(k):
            assert table[right, answer] == np.sum((labels == right) & (answers == answer))
    wrong = metrics.misclassified(outputs, labels, 10)
    assert len(wrong) == min(10, n - np.trace(table))
    assert (answers[wrong] != labels[wrong]).all()
    confidence = outputs.max(axis=1)
    assert (np.diff(confidence[wrong]) <= 0).all()
    missed = np.setdiff1d(np.flatnonzero(answers != labels), wrong)
    assert not len(missed) or confidence[missed].max() <= confidence[wrong].min()
    more = metrics.misclassified(outputs, labels, 10, 2)
    assert (np.diff(confidence[more]) <= 0).all()
    assert set(wrong) <= set(more)
    kept = metrics.confusion_matrix(outputs[more], labels[more])
    of_pairs = table - np.diag(np.diag(table))
    assert (kept <= of_pairs).all()
    assert (kept >= np.minimum(of_pairs, 2)).all()
    assert len(more) <= 10 + 2 * np.count_nonzero(of_pairs)
    for missed in np.setdiff1d(np.flatnonzero(answers != labels), more):
        pair = (labels[more] == labels[missed]) & (answers[more] == answers[missed])
        assert confidence[missed] <= confidence[more][pair].min()
