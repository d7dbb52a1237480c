"""A run as bytes: what is restored goes on to the same bits, and whatever is no checkpoint raises one error alone."""

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from engine.training import checkpoint
from engine.training.checkpoint import CheckpointError, dump, load_model, network_only, read_experiment, restore
from engine.training.events import Finished, Step
from engine.training.trainer import Trainer
from tests.engine.training.kinds import KINDS, OPTIMIZERS, ended, same_run

every_kind = pytest.mark.parametrize("changes", KINDS.values(), ids=KINDS)


def carried_over(trainer, data):
    return restore(dump(trainer), data)


# ------------------------------------------------------------------------------------------------------- going on


@every_kind
def test_a_restored_run_and_an_undisturbed_one_are_the_same_to_the_bit(blobs, small, changes):
    experiment = small.replace(**changes)
    trainer = Trainer(experiment, blobs)
    while trainer.advance(steps=7):
        trainer = carried_over(trainer, blobs)
    trainer = carried_over(trainer, blobs)
    same_run(trainer, ended(experiment, blobs))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("sampling", ["shuffle", "replacement"])
@pytest.mark.parametrize("normalization", ["none", "batch", "layer"])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_so_are_all_their_combinations(blobs, small, optimizer, sampling, normalization, dropout):
    experiment = small.replace(
        optimizer=optimizer, sampling=sampling, normalization=normalization, dropout=dropout, lr=0.01
    )
    trainer = Trainer(experiment, blobs)
    trainer.advance(steps=17)
    trainer = carried_over(trainer, blobs)
    trainer.advance()
    same_run(trainer, ended(experiment, blobs))


@every_kind
def test_what_is_restored_is_everything(blobs, small, changes):
    trainer = Trainer(small.replace(**changes), blobs, probe_every=5)
    trainer.advance(steps=13)
    blob = dump(trainer)
    assert dump(trainer) == blob
    assert dump(restore(blob, blobs)) == blob


@given(after=st.integers(0, 60))
def test_after_whichever_event_it_was_taken(blobs, small, after):
    """The history is complete as soon as the first event of a step is out."""
    experiment = small.replace(steps=20)
    trainer = Trainer(experiment, blobs, probe_every=5)
    for _, _event in zip(range(after), trainer, strict=False):
        pass
    heir = carried_over(trainer, blobs)
    heir.probe_every = 5
    heir.advance()
    same_run(heir, ended(experiment, blobs, probe_every=5))


def test_a_change_of_course_is_carried_over(blobs, small):
    trainer = Trainer(small.replace(dropout=0.1), blobs)
    trainer.advance(steps=10)
    trainer.change(lr=0.2, l2=0.01, dropout=0.3, steps=50)
    heir = carried_over(trainer, blobs)
    assert heir.experiment == trainer.experiment
    trainer.advance()
    heir.advance()
    same_run(heir, trainer)


def test_a_finished_run_stays_finished_until_it_gets_more_steps(blobs, small):
    heir = carried_over(ended(small, blobs), blobs)
    assert heir.finished == Finished(40, "completed")
    assert not heir.advance()
    heir.change(steps=60)
    heir.advance()
    same_run(heir, ended(small.replace(steps=60), blobs))


def test_a_diverged_run_can_be_looked_at_again_but_not_used(blobs, small):
    trainer = Trainer(small, blobs)
    trainer.advance(steps=20)
    trainer.optimizer.lr = np.inf
    trainer.advance()
    assert trainer.finished.reason == "diverged"
    assert not np.isfinite(trainer.network.vector.data).all()
    heir = carried_over(trainer, blobs)
    same_run(heir, trainer)
    assert not heir.advance()
    with pytest.raises(CheckpointError, match="finite"):
        load_model(dump(trainer))


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_a_run_whose_squares_have_overflowed_goes_on_like_any_other(blobs, small, optimizer):
    """Weights far too large: the gradients' squares are infinite, the weights and the loss are not."""
    huge = small.replace(optimizer=optimizer, network=" ".join(["dense100"] * 12), initializer="gauss", sigma=10.0)
    trainer = Trainer(huge, blobs)
    trainer.advance(steps=10)
    assert np.isinf(trainer.optimizer.memory["squares"]).any()
    assert np.isfinite(trainer.network.vector.data).all()
    assert trainer.finished is None
    heir = carried_over(trainer, blobs)
    heir.advance()
    same_run(heir, ended(huge, blobs))


def test_a_run_that_rests_just_before_it_diverges_does_so_afterwards(blobs, small):
    trainer = Trainer(small, blobs)
    trainer.advance(steps=10)
    trainer.optimizer.lr = np.inf
    trainer.advance(steps=1)
    assert trainer.finished is None
    assert not np.isfinite(trainer.network.vector.data).all()
    heir = carried_over(trainer, blobs)
    heir.advance()
    assert heir.finished == Finished(12, "diverged")


def test_time_goes_on_too(blobs, small):
    trainer = Trainer(small, blobs)
    trainer.advance(steps=20)
    heir = carried_over(trainer, blobs)
    assert heir.seconds == trainer.seconds
    steps = (event for event in heir if isinstance(event, Step))
    assert next(steps).seconds > trainer.seconds


def test_the_spec_can_be_read_alone(blobs, small):
    assert read_experiment(dump(Trainer(small, blobs))) == small


# ---------------------------------------------------------------------------------------------------------- models


@pytest.mark.parametrize(
    "changes", [{}, {"normalization": "batch"}, {"dropout": 0.5}, {"loss": "squared_error"}], ids=str
)
@pytest.mark.parametrize("network_only", [True, False])
def test_a_model_gives_the_chances_that_the_trained_network_gave(blobs, small, changes, network_only, tmp_path):
    trainer = ended(small.replace(**changes), blobs)
    outputs = trainer.network.forward(np.multiply(blobs.x_test, blobs.scale, dtype=np.float32))
    expected = trainer.loss.probabilities(outputs)
    file = tmp_path / "model.safetensors"
    file.write_bytes(dump(trainer, network_only=network_only))
    for source in (file, str(file), file.read_bytes()):
        model = load_model(source)
        np.testing.assert_array_equal(model.probabilities(blobs.x_test), expected)
        assert (model.classes, model.scale, model.experiment) == (blobs.classes, blobs.scale, trainer.experiment)


@every_kind
def test_the_network_alone_of_a_checkpoint_is_the_model_that_the_run_gives(blobs, small, changes):
    trainer = Trainer(small.replace(**changes), blobs, probe_every=5)
    trainer.advance(steps=13)
    model = dump(trainer, network_only=True)
    assert network_only(dump(trainer)) == model
    assert network_only(model) == model


def test_what_is_no_model_has_no_network(blobs, small):
    for blob in (b"", b"nonsense", dump(Trainer(small, blobs))[:-4]):
        with pytest.raises(CheckpointError):
            network_only(blob)


def test_a_model_is_smaller_than_a_checkpoint_and_none(blobs, small):
    trainer = ended(small.replace(optimizer="adam", lr=0.01), blobs)
    model = dump(trainer, network_only=True)
    assert len(model) < len(dump(trainer)) / 2
    with pytest.raises(CheckpointError, match="a checkpoint of a run"):
        restore(model, blobs)


def test_files_that_are_not_there_or_too_large(tmp_path, monkeypatch):
    with pytest.raises(CheckpointError, match=r"no model file .*absent"):
        load_model(tmp_path / "absent")
    with pytest.raises(CheckpointError, match="no model file"):
        load_model(tmp_path)
    monkeypatch.setattr(checkpoint, "MAX_BYTES", 3)
    (tmp_path / "large").write_bytes(b"abcd")
    with pytest.raises(CheckpointError, match="larger than"):
        load_model(tmp_path / "large")


# ------------------------------------------------------------------------------------------- whatever else comes in


@pytest.fixture(scope="module")
def blob(blobs, small):
    trainer = Trainer(
        small.replace(optimizer="adam", lr=0.01, normalization="batch", dropout=0.2), blobs, probe_every=5
    )
    trainer.advance(steps=20)
    return dump(trainer)


def opened(blob):
    """Return the header's texts, the trainer's part of it read, and the arrays."""
    header = json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])["__metadata__"]
    return header, json.loads(header["trainer"]), load(blob)


def refused(blob, data):
    """Assert that bytes are no checkpoint, no model and no spec, each with a sentence."""
    for read in (lambda: restore(blob, data), lambda: load_model(blob), lambda: read_experiment(blob)):
        with pytest.raises(CheckpointError) as caught:
            read()
        assert 0 < len(str(caught.value)) < 400


def accepted_or_refused(blob, data):
    """Restore and load: each works, to the point of training on, or raises `CheckpointError`."""
    try:
        trainer = restore(blob, data)
    except CheckpointError:
        pass
    else:
        trainer.advance(steps=2)
        dump(trainer)
    try:
        model = load_model(blob)
    except CheckpointError:
        pass
    else:
        assert model.network.vector.data.size < 5_000_000


@given(junk=st.binary(max_size=300))
def test_bytes(blobs, junk):
    refused(junk, blobs)


@given(length=st.integers(0, 10_000))
def test_a_checkpoint_cut_short(blobs, blob, length):
    refused(blob[: length % len(blob)], blobs)


@settings(max_examples=60)
@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_checkpoint_with_one_byte_changed(blobs, blob, place, value):
    damaged = bytearray(blob)
    damaged[place % len(blob)] = value
    accepted_or_refused(bytes(damaged), blobs)


@pytest.mark.parametrize("header", [None, {}, {"format": "pt"}, {"format": "kasane-0"}], ids=str)
def test_another_programs_safetensors(blobs, header):
    refused(save({"weight": np.zeros((3, 4), np.float32)}, header), blobs)


def test_our_format_without_anything_in_it(blobs):
    refused(save({}, {"format": checkpoint.FORMAT}), blobs)


ARRAYS = {
    "NaN": lambda a: np.full_like(a, np.nan) if a.dtype.kind == "f" else a - 10**6,
    "infinity": lambda a: np.full_like(a, np.inf) if a.dtype.kind == "f" else a + 10**6,
    "another shape": lambda a: np.concatenate([a.ravel(), a.ravel()]).reshape(2, -1),
    "a number": lambda a: np.array(1.0, np.float32),
    "empty": lambda a: np.zeros(0, np.float32),
    "whole numbers": lambda a: np.zeros(a.shape, np.uint8),
    "gone": lambda a: None,
}
BEYOND = ("NaN", "infinity")  # of floating-point numbers a run may have them, and a model may not
NAMES = ["network.dense1.weight", "network.dense1.norm.running_var", "optimizer.squares"]
CURVES = ["history.loss", "history.layer.00.dense1", "history.latest", "history.latest.00.dense1"]


def restored_only_if_beyond(spoil, name, arrays, header, data):
    """Spoil an array and return the file: it is a run's only if nothing is wrong but that numbers are infinite."""
    arrays[name] = ARRAYS[spoil](arrays[name])
    spoiled = save({n: a for n, a in arrays.items() if a is not None}, header)
    if spoil in BEYOND and name != "batches.order":
        trainer = restore(spoiled, data)
        np.testing.assert_array_equal(opened(dump(trainer))[2][name], arrays[name])
        trainer.advance(steps=2)
    else:
        with pytest.raises(CheckpointError):
            restore(spoiled, data)
    return spoiled


@pytest.mark.parametrize("spoil", ARRAYS)
@pytest.mark.parametrize("name", [*NAMES, "batches.order"])
def test_an_array_that_does_not_fit(blobs, blob, name, spoil):
    header, _, arrays = opened(blob)
    spoiled = restored_only_if_beyond(spoil, name, arrays, header, blobs)
    if name.startswith("network"):
        with pytest.raises(CheckpointError):
            load_model(spoiled)


@pytest.mark.parametrize("spoil", ARRAYS.values(), ids=ARRAYS)
@pytest.mark.parametrize("name", CURVES)
def test_a_curve_that_does_not_fit_is_refused_or_harmless(blobs, blob, name, spoil):
    header, _, arrays = opened(blob)
    arrays[name] = spoil(arrays[name])
    accepted_or_refused(save({n: a for n, a in arrays.items() if a is not None}, header), blobs)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**301) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
PATHS = [
    (),
    ("step",),
    ("seconds",),
    ("finished",),
    ("random",),
    ("random", "batches"),
    ("random", "batches", "bit_generator"),
    ("random", "batches", "state"),
    ("random", "batches", "state", "state"),
    ("random", "batches", "state", "state", 0),
    ("random", "batches", "uinteger"),
    ("random", "dropout"),
]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)) or "all")
@given(value=JSON)
def test_any_json_in_place_of_what_the_trainer_wrote(blobs, blob, path, value):
    header, trainer, arrays = opened(blob)
    trainer = put(copy.deepcopy(trainer), path, value)
    accepted_or_refused(save(arrays, header | {"trainer": json.dumps(trainer)}), blobs)


WORDS = [
    [],
    [1],
    [1, 2, 3, 4, 5],
    [[1], [2], [3], [4]],
    [-1] * 4,
    [2**64] * 4,
    ["a"] * 4,
    [None] * 4,
    "1234",
    {},
    1e999,
]


@pytest.mark.parametrize("words", WORDS, ids=str)
@pytest.mark.parametrize("stream", ["batches", "dropout"])
def test_the_state_of_another_generator(blobs, blob, stream, words):
    header, trainer, arrays = opened(blob)
    trainer["random"][stream]["state"]["state"] = words
    accepted_or_refused(save(arrays, header | {"trainer": json.dumps(trainer)}), blobs)


@pytest.mark.parametrize("value", [-1, 2**32, 2**70, 1.5, "1", None, [], 1e999], ids=str)
@pytest.mark.parametrize("key", ["has_uint32", "uinteger", "bit_generator"])
def test_the_rest_of_a_generators_state(blobs, blob, key, value):
    header, trainer, arrays = opened(blob)
    trainer["random"]["batches"][key] = value
    accepted_or_refused(save(arrays, header | {"trainer": json.dumps(trainer)}), blobs)


def put(document, path, value):
    if not path:
        return value
    document[path[0]] = put(document[path[0]], path[1:], value)
    return document


@pytest.mark.parametrize("name", ["in_shape", "classes", "experiment"])
@given(value=JSON)
def test_any_json_in_place_of_the_models_shape(blobs, blob, name, value):
    header, _, arrays = opened(blob)
    accepted_or_refused(save(arrays, header | {name: json.dumps(value)}), blobs)


HEADERS = {
    "no inputs": {"in_shape": "[0]"},
    "negative inputs": {"in_shape": "[-36]"},
    "inputs without an axis": {"in_shape": "[]"},
    "endless inputs": {"in_shape": "[1e999]"},
    "too many inputs": {"in_shape": "[1000000000, 1000000000]"},
    "too many axes": {"in_shape": "[6, 6, 1, 1]"},
    "no classes": {"classes": "[]"},
    "classes of another kind": {"classes": '{"a": 1, "b": 2, "c": 3, "d": 4}'},
    "numbers for classes": {"classes": "[0, 1, 2, 3]"},
    "scale 0": {"scale": "0"},
    "scale NaN": {"scale": "nan"},
    "scale endless": {"scale": "inf"},
    "no scale": {"scale": "one"},
    "another network": {"experiment": '{"network": "dense3"}'},
    "an unknown field": {"experiment": '{"no": 1}'},
    "no spec": {"experiment": "[]"},
    "nested without end": {"in_shape": "[" * 100_000},
}


@pytest.mark.parametrize("change", HEADERS.values(), ids=HEADERS)
def test_a_header_that_describes_no_model(blob, change):
    header, _, arrays = opened(blob)
    with pytest.raises(CheckpointError, match="a model of Kasane"):
        load_model(save(arrays, header | change))


@pytest.mark.parametrize("name", ["in_shape", "classes", "experiment", "scale"])
def test_a_header_that_lacks_something(blob, name):
    header, _, arrays = opened(blob)
    del header[name]
    with pytest.raises(CheckpointError, match="a model of Kasane"):
        load_model(save(arrays, header))


def test_nesting_without_end_is_no_trainer(blobs, blob):
    header, _, arrays = opened(blob)
    with pytest.raises(CheckpointError):
        restore(save(arrays, header | {"trainer": "[" * 100_000}), blobs)


def test_other_data_than_the_run_was_trained_on(blobs, blob, small):
    """Pictures of another size make another network; its weights do not fit."""
    with pytest.raises(CheckpointError, match="shape"):
        restore(blob)


# ----------------------------------------------------------------------------------- convolution and what came with it

CONVOLUTION = {"network": "conv4@3p1 pool2 conv5@2 drop.3 dense8"}
PICTURE_KINDS = {
    "plain": CONVOLUTION,
    "batch norm": CONVOLUTION | {"normalization": "batch"},
    "dropout": CONVOLUTION | {"dropout": 0.3},
    "augmentation": CONVOLUTION | {"shift": 1.0, "rotation": 20.0, "scale": 0.1, "shear": 0.1, "elastic": 0.5},
    "averaged": CONVOLUTION | {"ema": 0.9},
    "global average": {"network": "conv4@3p1s2 avgpool2 conv5@1 gap"},
    "everything": CONVOLUTION
    | {"dropout": 0.2, "shift": 1.0, "elastic": 0.5, "ema": 0.95, "optimizer": "adam", "lr": 0.01, "l2": 0.01,
       "normalization": "layer", "schedule": "one_cycle", "warmup": 5, "batch_size": 7},
    "everything without halves": CONVOLUTION
    | {"dropout": 0.2, "rotation": 9.0, "ema": 0.95, "optimizer": "adamw", "lr": 0.01, "normalization": "batch"},
}  # fmt: skip
every_kind_of_pictures = pytest.mark.parametrize("changes", PICTURE_KINDS.values(), ids=PICTURE_KINDS)


def same_average(a, b):
    assert (a.average is None) == (b.average is None)
    if a.average:
        np.testing.assert_array_equal(a.average.values, b.average.values)


@every_kind_of_pictures
@pytest.mark.parametrize("threads", [1, 2])
def test_a_restored_run_on_pictures_and_an_undisturbed_one_are_the_same_to_the_bit(blobs, small, changes, threads):
    """Whatever number of threads the undisturbed one had."""
    experiment = small.replace(**changes)
    trainer = Trainer(experiment, blobs)
    while trainer.advance(steps=7):
        trainer = carried_over(trainer, blobs)
    undisturbed = ended(experiment, blobs, threads=threads)
    for heir in (trainer, carried_over(trainer, blobs)):
        same_run(heir, undisturbed)
        same_average(heir, undisturbed)


@every_kind_of_pictures
def test_what_is_restored_of_a_run_on_pictures_is_everything(blobs, small, changes):
    trainer = Trainer(small.replace(**changes), blobs, probe_every=5)
    trainer.advance(steps=13)
    blob = dump(trainer)
    assert dump(trainer) == blob
    heir = restore(blob, blobs)
    assert dump(heir) == blob
    for name, rng in trainer._generators().items():
        np.testing.assert_array_equal(
            heir._generators()[name].bit_generator.random_raw(4), rng.bit_generator.random_raw(4)
        )


def test_every_stream_of_random_numbers_is_kept(blobs, small):
    trainer = Trainer(small.replace(**PICTURE_KINDS["everything"]), blobs)
    assert set(trainer.state_dict()[1]["random"]) == {"batches", "dropout", "dropout2", "augment"}
    whole = Trainer(small.replace(**PICTURE_KINDS["everything without halves"]), blobs)
    assert set(whole.state_dict()[1]["random"]) == {"batches", "dropout", "augment"}


def test_a_change_of_dropout_is_carried_over_to_both_halves(blobs, small):
    trainer = Trainer(small.replace(**PICTURE_KINDS["everything"]), blobs)
    trainer.advance(steps=10)
    trainer.change(dropout=0.4, steps=30)
    heir = carried_over(trainer, blobs)
    for run in (trainer, heir):
        run.advance()
    same_run(heir, trainer)
    same_average(heir, trainer)


@every_kind_of_pictures
def test_the_network_alone_of_a_checkpoint_of_pictures_is_the_model_that_the_run_gives(blobs, small, changes):
    trainer = Trainer(small.replace(**changes), blobs)
    trainer.advance(steps=13)
    assert network_only(dump(trainer)) == dump(trainer, network_only=True)


@every_kind_of_pictures
@pytest.mark.parametrize("network_only", [True, False])
def test_a_model_of_pictures_gives_the_chances_that_the_run_gave(blobs, small, changes, network_only):
    trainer = ended(small.replace(**changes), blobs)
    model = load_model(dump(trainer, network_only=network_only))
    with trainer.at_rest():
        outputs = trainer.network.forward(np.multiply(blobs.x_test, blobs.scale, dtype=np.float32))
    np.testing.assert_array_equal(model.probabilities(blobs.x_test), trainer.loss.probabilities(outputs))


@pytest.fixture(scope="module")
def picture_blob(blobs, small):
    trainer = Trainer(small.replace(**PICTURE_KINDS["everything"]), blobs, probe_every=5)
    trainer.advance(steps=20)
    return dump(trainer)


@pytest.mark.parametrize("spoil", ARRAYS)
@pytest.mark.parametrize(
    "name", ["average.values", "network.conv1.weight", "network.conv2.norm.bias", "optimizer.squares"]
)
def test_an_array_of_a_run_on_pictures_that_does_not_fit(blobs, picture_blob, name, spoil):
    header, _, arrays = opened(picture_blob)
    restored_only_if_beyond(spoil, name, arrays, header, blobs)


@pytest.mark.parametrize("spoil", [name for name in ARRAYS if name != "gone"])
def test_an_average_that_does_not_fit_is_no_model(picture_blob, spoil):
    """Without it there is one still: the file of a network alone has its average as its weights."""
    header, _, arrays = opened(picture_blob)
    arrays["average.values"] = ARRAYS[spoil](arrays["average.values"])
    with pytest.raises(CheckpointError, match="a model of Kasane"):
        load_model(save(arrays, header))


@pytest.mark.parametrize("stream", ["dropout2", "augment"])
@pytest.mark.parametrize("words", WORDS, ids=str)
def test_the_state_of_another_generator_of_pictures(blobs, picture_blob, stream, words):
    header, trainer, arrays = opened(picture_blob)
    trainer["random"][stream]["state"]["state"] = words
    accepted_or_refused(save(arrays, header | {"trainer": json.dumps(trainer)}), blobs)


@pytest.mark.parametrize("stream", ["dropout2", "augment"])
def test_a_stream_that_is_gone(blobs, picture_blob, stream):
    header, trainer, arrays = opened(picture_blob)
    del trainer["random"][stream]
    with pytest.raises(CheckpointError):
        restore(save(arrays, header | {"trainer": json.dumps(trainer)}), blobs)


@settings(max_examples=40)
@given(place=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_checkpoint_of_pictures_with_one_byte_changed(blobs, picture_blob, place, value):
    damaged = bytearray(picture_blob)
    damaged[place % len(picture_blob)] = value
    accepted_or_refused(bytes(damaged), blobs)


@pytest.mark.parametrize(
    "in_shape", ["[6]", "[36]", "[6, 6]", "[2, 2, 1]", "[6, 6, 3]", "[6, 6, 100000]", "[100000, 100000, 1]"]
)
def test_pictures_of_a_shape_that_is_not_the_networks(picture_blob, in_shape):
    header, _, arrays = opened(picture_blob)
    with pytest.raises(CheckpointError, match="a model of Kasane"):
        load_model(save(arrays, header | {"in_shape": in_shape}))
