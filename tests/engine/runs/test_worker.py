"""What a worker does in a run's turn: never more than a slice of it, whatever is asked for."""

import io
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.runs import frames, worker
from engine.runs.worker import Group, Job
from engine.training import metrics
from engine.training.trainer import Trainer, completed
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[3]
SMALL = Experiment(data="digits", network="dense16", steps=60, batch_size=16, evaluate_every=20, lr=0.05)


@pytest.fixture(autouse=True)
def _turns_of_one_piece(monkeypatch):
    """A turn is over as soon as its clock is looked at: it is one step, or one piece of what is evaluated."""
    monkeypatch.setattr(worker, "SLICE", 0.0)
    monkeypatch.setattr(metrics, "CHUNK", 100)


def job(experiment=SMALL, **settings):
    return Job("run", Group(), Trainer(experiment), speed=0.0, running=False, **settings)


def turns(job):
    """Work everything off; return the state and the step after each turn."""
    seen = []
    while job.busy:
        job.turn()
        seen.append((job.state, job.trainer.step))
        assert len(seen) < 10_000
    return seen


def test_the_runs_of_a_worker_share_what_they_work_in(monkeypatch):
    monkeypatch.setattr(worker.Worker, "_read", lambda self: None)
    it = worker.Worker(io.BytesIO(), io.BytesIO())
    for run in "ab":
        header = {"run": run, "group": run, "experiment": SMALL.to_json(), "speed": 0, "running": True, "number": 0}
        it._start(header, {})
    one, other = (it._jobs[run].trainer.network.layers for run in "ab")
    assert [a.workspace for a in one] == [b.workspace for b in other]


def test_an_epoch_by_hand_is_worked_off_in_turns_and_ends_at_its_last_step():
    stepped = job()
    stepped.make(40)
    steps = [step for _, step in turns(stepped)]
    assert max(np.diff(steps)) == 1
    assert (stepped.trainer.step, stepped.running, stepped.state) == (40, False, "paused")
    whole = Trainer(SMALL)
    whole.advance(steps=40)
    np.testing.assert_array_equal(stepped.trainer.network.vector.data, whole.network.vector.data)
    np.testing.assert_array_equal(stepped.trainer.history.evaluated.rows(), whole.history.evaluated.rows())


def test_steps_asked_for_meanwhile_come_on_top_and_a_pause_ends_them():
    stepped = job()
    stepped.make(10)
    while stepped.trainer.step < 5:
        stepped.turn()
    stepped.make(10)
    turns(stepped)
    assert stepped.trainer.step == 20
    stepped.make(10)
    while stepped.trainer.step < 25:
        stepped.turn()
    stepped.pause()
    assert not stepped.busy
    assert stepped.trainer.step == 25


def test_no_steps_are_the_first_evaluation():
    new = job()
    new.make(0)
    assert len(turns(new)) > 3
    assert new.trainer.step == 0
    assert new.trainer.history.evaluated.rows()[:, 0].tolist() == [0]


def test_what_the_initialization_does_is_seen_before_the_first_step():
    new = job()
    new.make(0)
    turns(new)
    new.rest()
    turns(new)
    header, arrays = frames.describe(new.trainer)
    assert header["layers"] == ["dense1", "output"]
    assert [arrays[f"layer{i}"][:, 0].tolist() for i in range(2)] == [[0], [0]]
    assert arrays["activations"].sum() > 0
    new.make(60)
    turns(new)
    alone = Trainer(SMALL)
    alone.advance()
    np.testing.assert_array_equal(new.trainer.network.vector.data, alone.network.vector.data)
    ours, theirs = (it.history.layers["dense1"].rows()[:2, 0].tolist() for it in (new.trainer, alone))
    assert ours == theirs


def test_what_is_dead_is_known_before_the_first_step_whenever_it_is_paused():
    new = job()
    new.make(0)
    new.turn()  # one piece of the evaluation
    new.pause()
    new.rest()
    turns(new)
    arrays = frames.describe(new.trainer)[1]
    assert all(np.isfinite(arrays[f"layer{i}"]).all() for i in range(2))


def test_what_it_gets_wrong_is_measured_in_turns_and_once():
    resting = job()
    resting.make(7)
    turns(resting)
    resting.rest()
    assert len(turns(resting)) > 3
    header, arrays = resting.measured[1]
    assert arrays["confusion"].sum() == len(resting.trainer.data.x_test)
    assert header["test_accuracy"] == resting.trainer.evaluate(limit=0).test_accuracy
    assert resting.trainer.history.evaluated.rows()[-1, 0] == 7  # which the run itself did not ask for
    resting.rest()
    assert not resting.busy
    resting.make(1)
    turns(resting)
    resting.rest()
    assert resting.busy


def test_an_end_is_told_when_it_is_measured():
    ending = job()
    ending.make(60)
    assert {state for state, _ in turns(ending)[:-1]} == {"running"}
    ending.rest()
    told = [state for state, _ in turns(ending)]
    assert told[:-1] == ["running"] * (len(told) - 1)
    assert told[-1] == "completed"


def test_to_train_on_ends_the_measuring():
    resting = job()
    resting.make(20)
    turns(resting)
    resting.rest()
    resting.turn()
    resting.resume()
    assert resting.running
    assert resting.measuring is None
    turns(resting)
    assert resting.trainer.finished
    rows = resting.trainer.history.evaluated.rows()[:, 0]
    assert rows.tolist() == [0, 20, 40, 60]


@pytest.mark.parametrize("taken_after", [3, 30, 45])
def test_a_run_taken_over_amid_an_evaluation_has_the_curves_of_one_that_was_not(taken_after):
    training = Job("run", Group(), Trainer(SMALL), speed=0.0, running=True)
    for _ in range(taken_after):
        training.turn()
    arrays, rest = training.trainer.state_dict()
    heir = Trainer(SMALL)
    heir.load_state_dict(arrays, rest)
    heir.advance()
    alone = Trainer(SMALL)
    alone.advance()
    assert alone.history.curves() | {"seconds": 0} == heir.history.curves() | {"seconds": 0}


def test_the_plane_is_that_of_the_averaged_network_that_is_measured():
    trainer = Trainer(Experiment(data="toy2d", network="dense8", steps=500, ema=0.999, optimizer="adam", lr=0.01))
    trainer.advance(steps=300)
    picture = frames.describe(trainer)[1]["plane"]
    with trainer.at_rest():
        at_rest = frames._plane(trainer)["plane"]
    np.testing.assert_array_equal(picture, at_rest)
    assert (picture != frames._plane(trainer)["plane"]).any()


def test_the_points_are_those_of_the_sets_that_are_trained_and_measured_on():
    trainer = Trainer(Experiment(data="toy2d", network="dense8", train_size=50, test_size=30))
    points = frames._plane(trainer)["points"]
    assert [np.sum(points[:, 3] == test) for test in (0, 1)] == [50, 30]
    np.testing.assert_allclose(points[:50, :2], trainer.data.x_train)
    np.testing.assert_allclose(points[50:, :2], trainer.data.x_test)


def test_responses_are_those_of_the_first_units_of_every_layer():
    wide, narrow = (
        frames.describe(Trainer(Experiment(data="toy2d", network=network))) for network in ("dense40 dense9", "dense24")
    )
    assert wide[0]["units"] == [40, 9]
    assert wide[0]["shown"] == [40, 9]
    many = frames.describe(Trainer(Experiment(data="toy2d", network="dense40 dense40 dense500")))
    assert many[0]["units"] == [40, 40, 500]
    assert many[0]["shown"] == [21, 21, 22]
    assert len(many[1]["responses"]) == frames.MAX_RESPONSES == 64
    np.testing.assert_array_equal(many[1]["responses"][:21], wide[1]["responses"][:21])  # of the same weights
    assert narrow[0]["shown"] == [24]


@pytest.mark.parametrize(
    ("units", "counts"),
    [
        ([], []),
        ([3], [3]),
        ([100], [64]),
        ([100, 100], [32, 32]),
        ([100, 4], [60, 4]),
        ([4096] * 40, [1] * 16 + [2] * 24),
    ],
)
def test_the_units_that_are_shown_are_shared_among_the_layers(units, counts):
    assert frames.shown(units) == counts


def test_a_frame_holds_what_inputs_and_outputs_make_of_the_plane():
    trainer = Trainer(Experiment(data="toy2d", network="dense3", features="x2 x1^2"))
    header, arrays = frames.describe(trainer)
    assert header["inputs"] == ("x2", "x1^2")
    x1, x2 = frames.square(frames.RESPONSE).T.reshape(2, frames.RESPONSE, frames.RESPONSE)
    for picture, input_ in zip(arrays["inputs"], (x2, x1 * x1), strict=True):
        assert picture.min() == 0
        assert picture.max() == 255
        np.testing.assert_allclose(picture / 255, (input_ - input_.min()) / np.ptp(input_), atol=1 / 255)
    assert arrays["responses"].shape == (3, frames.RESPONSE, frames.RESPONSE)
    assert arrays["outputs"].shape == (2, frames.RESPONSE, frames.RESPONSE)


@pytest.mark.parametrize(
    ("network", "shapes"),
    [
        ("dense12 dense3", [(2, 12), (12, 3), (3, 2)]),
        ("", [(2, 2)]),
        ("dense13", []),  # no room for thirteen beside each other
        (" ".join(["dense8"] * 9), []),  # more units than are drawn
    ],
)
def test_weights_that_can_be_told_apart_are_in_the_frame(network, shapes):
    trainer = Trainer(Experiment(data="toy2d", network=network))
    arrays = frames.describe(trainer)[1]
    links = [arrays[name] for name in sorted(arrays) if name.startswith("links")]
    assert [it.shape for it in links] == shapes
    weights = [it.data for it in trainer.network.parameters().values() if it.decays]
    for link, weight in zip(links, weights, strict=False):
        np.testing.assert_array_equal(link, weight)


def test_pieces_give_the_whole():
    trainer = Trainer(SMALL)
    x = trainer.data.x_test[:250]
    pieces = itertools.count(1)
    work = trainer.outputs(x)
    counted = 0
    try:
        while True:
            next(work)
            counted = next(pieces)
    except StopIteration as end:
        np.testing.assert_array_equal(end.value, metrics.predict(trainer.network, x, trainer.data.scale))
    assert counted == 3
    assert completed(trainer.outputs(x[:0])).shape == (0, 10)


def test_what_a_library_prints_does_not_enter_the_messages():
    program = """
import os
from engine.runs import protocol, worker

def run(self):
    os.write(1, b"from C")
    print("from Python", flush=True)
    protocol.write_frame(self._sink, b"message")
    os._exit(0)

worker.Worker.run = run
worker.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], stdin=(pipe := os.pipe())[0], capture_output=True, cwd=ROOT, timeout=PATIENCE
    )
    for end in pipe:
        os.close(end)
    assert done.stdout == b"\x07\0\0\0message"
    assert done.stderr.split() == [b"from", b"Cfrom", b"Python"]
