"""ONNX's own runtime computes the same probabilities."""

import inspect
import json

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from engine import nn
from engine.experiment import Experiment
from engine.export import to_onnx
from engine.training import checkpoint
from engine.training.trainer import Trainer
from tests.engine.export.models import CASES, CLASSES, CONV, make


def run(blob: bytes, x: np.ndarray) -> np.ndarray:
    """Return what onnxruntime makes of raw examples."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(blob, options, providers=["CPUExecutionProvider"])
    (source,), (target,) = session.get_inputs(), session.get_outputs()
    assert (source.type, target.type) == ("tensor(float)", "tensor(float)")
    assert (source.name, target.name) == ("pictures" if x.ndim == 4 else "examples", "probabilities")
    assert source.shape == ["N", *x.shape[1:]]
    return session.run(["probabilities"], {source.name: x.astype(np.float32)})[0]


def pictures(n: int, shape=(28, 28, 1)) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 256, (n, *shape), dtype=np.uint8)


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_onnxruntime_computes_the_same_probabilities(settings):
    model = make(settings)
    blob = to_onnx(model)
    onnx.checker.check_model(blob, full_check=True)
    for n in (1, 7):
        x = pictures(n)
        ours, theirs = model.probabilities(x), run(blob, x)
        assert theirs.shape == (n, 10)
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5)
        assert ours.max() < 0.999  # where one class has it all, a wrong network may agree
    assert np.ptp(ours, axis=0).max() > 1e-3  # the pictures make a difference


@pytest.mark.parametrize("shift", [-5, 3])
def test_outputs_that_are_no_probabilities_are_read_alike(shift):
    model, x = make(CASES["squared error"]), pictures(3)
    model.network.parameters()["output.bias"].data += shift
    ours = model.probabilities(x)
    assert np.ptp(ours, axis=1).min() > 0.01
    np.testing.assert_allclose(run(to_onnx(model), x), ours, rtol=0, atol=1e-5)


def test_every_layer_has_been_exported():
    """A layer that the builder learns to make is one that the cases above must hold."""
    seen = {type(layer) for settings in CASES.values() for layer in make(settings).network.layers}
    layers = {kind for kind in map(nn.__dict__.get, nn.__all__) if inspect.isclass(kind) and issubclass(kind, nn.Layer)}
    assert seen == layers - {nn.Layer, nn.Activation, nn.Sequential}


def test_an_unknown_layer_is_an_error():
    class Swish(nn.Layer):
        pass

    model = make({"network": "dense4"})
    model.network.layers.append(Swish())
    with pytest.raises(TypeError, match="Swish"):
        to_onnx(model)


@pytest.mark.parametrize("network", ["conv4@3p1 pool2 conv5@3s2 dense8", "dense8"])
def test_pictures_that_are_neither_square_nor_grey(network):
    shape = (9, 14, 3)
    model = make({"network": network}, shape, classes="abc")
    x = pictures(5, shape)
    np.testing.assert_allclose(run(to_onnx(model), x), model.probabilities(x), rtol=0, atol=1e-5)


def test_points_are_examples():
    model = make({"data": "toy2d", "network": "dense8 dense4", "activation": "tanh"}, (2,), "ab", scale=1.0)
    x = np.random.default_rng(3).normal(size=(6, 2)).astype(np.float32)
    np.testing.assert_allclose(run(to_onnx(model), x), model.probabilities(x), rtol=0, atol=1e-5)


def test_logits_beyond_what_an_exponential_can_hold():
    model = make({"network": "dense20"})
    model.network.parameters()["output.weight"].data *= 1000
    x = pictures(20)
    ours = model.probabilities(x)
    assert ours.max() == 1
    np.testing.assert_allclose(run(to_onnx(model), x), ours, rtol=0, atol=1e-5)


def test_a_trained_network(blobs):
    settings = {"network": "conv6@3p1 pool2 dense12", "normalization": "batch", "optimizer": "adam", "lr": 0.01}
    trainer = Trainer(Experiment(**settings, batch_size=16, steps=60, ema=0.9), blobs)
    trainer.advance()
    model = checkpoint.load_model(checkpoint.dump(trainer))
    ours, theirs = model.probabilities(blobs.x_test), run(to_onnx(model), blobs.x_test)
    np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-5)
    assert np.mean(theirs.argmax(axis=1) == blobs.y_test) > 0.9


def test_equal_models_give_equal_bytes():
    settings = {"network": CONV, "normalization": "batch"}
    blob = to_onnx(make(settings))
    assert to_onnx(make(settings)) == blob
    other = make(settings)
    other.network.vector.data[0] += 1
    assert to_onnx(other) != blob


def test_the_file_says_what_it_is():
    model = make({"network": "conv4@3 dense12", "seed": 5})
    proto = onnx.load_from_string(to_onnx(model))
    about = {entry.key: json.loads(entry.value) for entry in proto.metadata_props}
    assert about == {"classes": list(CLASSES), "experiment": {"network": "conv4@3 dense12", "seed": 5}}
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    state = model.network.state_dict()
    assert set(arrays) == {*state, "scale"}
    np.testing.assert_array_equal(arrays["dense1.weight"], state["dense1.weight"])
    np.testing.assert_array_equal(arrays["conv1.weight"][3, 0], state["conv1.weight"][:, :, 0, 3])
    assert [node.name for node in proto.graph.node][-2:] == ["output/Gemm", "probabilities/Softmax"]
