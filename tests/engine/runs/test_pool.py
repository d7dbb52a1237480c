"""Live runs: fair, pausable, watched by someone or at rest, and not lost when a worker dies."""

import threading
import time

import numpy as np
import pytest

from engine.errors import InputError
from engine.experiment import Experiment, ExperimentError
from engine.runs import pool as pool_module
from engine.runs import protocol, store
from engine.runs.pool import Pool
from engine.training import checkpoint
from engine.training.trainer import Trainer

SMALL = Experiment(
    data="digits", network="dense16", steps=100_000, batch_size=16, optimizer="adam", lr=0.001, dropout=0.2
)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.setenv("KASANE_RUNS", str(tmp_path))


@pytest.fixture
def pool():
    with Pool(workers=1) as pool:
        yield pool


class Screen:
    """Watches a run as a page does, and waits for what it is to show."""

    def __init__(self, pool, run):
        self.pool, self.run, self.frames = pool, run, 0
        self._changed = threading.Condition()
        pool.attach(run, self.notify)

    def notify(self):
        with self._changed:
            self.frames += 1
            self._changed.notify_all()

    def until(self, condition, timeout=20):
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.run), timeout), (
                self.run.state,
                self.run.step,
                self.run.error,
            )

    def close(self):
        self.pool.detach(self.run, self.notify)


def wait(condition, timeout=20):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def paused_and_kept(pool):
    """Return a watched run that made some steps, stands still, and is in the store."""
    run = pool.start(SMALL)
    Screen(pool, run).until(lambda run: run.step > 10)
    pool.command(run, "pause")
    wait(lambda: store.load(run.id) is not None)
    return run


def weights(run):
    return checkpoint.load_model(run.checkpoint).network.vector.data


def test_a_run_trains_and_shows_it(pool):
    screen = Screen(pool, pool.start(SMALL))
    screen.until(lambda run: run.step > 100)
    header, arrays = protocol.decode(screen.run.frame)
    assert header["state"] == "running"
    assert arrays["loss"].shape[1] == 3
    assert header["layers"] == ["dense1", "output"]
    assert arrays["activations"].shape == (2, 40)


def test_pause_step_and_resume(pool):
    run = pool.start(SMALL)
    screen = Screen(pool, run)
    screen.until(lambda run: run.step > 10)
    pool.command(run, "pause")
    screen.until(lambda run: run.state == "paused")
    at = run.step
    pool.command(run, "step", 10)
    screen.until(lambda run: run.step == at + 10)
    assert "confusion" in protocol.decode(run.frame)[1]
    pool.command(run, "resume")
    screen.until(lambda run: run.step > at + 20)


def test_nobody_watching_nothing_training(pool, monkeypatch):
    monkeypatch.setattr(pool_module, "LEASE", 0.5)
    run = pool.start(SMALL)
    screen = Screen(pool, run)
    screen.until(lambda run: run.step > 10)
    screen.close()
    wait(lambda: run.state == "paused")
    wait(lambda: pool.find(run.id) is None)
    again = pool.open(run.id)
    assert again.id != run.id
    other = Screen(pool, again)
    other.until(lambda again: again.state == "paused" and again.step == run.step)


def test_whoever_comes_back_in_time_goes_on(pool):
    run = pool.start(SMALL)
    screen = Screen(pool, run)
    screen.until(lambda run: run.step > 10)
    screen.close()
    wait(lambda: run.state == "paused")
    at = run.step
    assert pool.open(run.id) is run
    Screen(pool, run).until(lambda run: run.state == "running" and run.step > at)


def test_a_watched_run_opened_elsewhere_is_copied(pool):
    run = paused_and_kept(pool)
    copy = pool.open(run.id)
    assert copy.id != run.id
    Screen(pool, copy).until(lambda copy: copy.state == "paused" and copy.step == run.step)
    np.testing.assert_array_equal(weights(copy), weights(run))


def test_what_a_dropped_run_had_reached_is_kept(pool):
    run = pool.start(SMALL)
    screen = Screen(pool, run)
    screen.until(lambda run: run.step > 100)
    seen = run.step
    pool.drop(run)
    wait(lambda: not run.worker.runs)
    assert checkpoint.restore(store.load(run.id)).step >= seen


def test_a_copy_that_nobody_trains_on_is_kept_too(pool):
    run = paused_and_kept(pool)
    copy = pool.open(run.id)
    pool.drop(copy)
    assert store.load(copy.id) == run.checkpoint


def test_a_killed_worker_loses_nothing(pool, monkeypatch):
    experiment = SMALL.replace(steps=4000)
    undisturbed = Trainer(experiment)
    undisturbed.advance()
    run = pool.start(experiment, speed=4000.0)
    screen = Screen(pool, run)
    screen.until(lambda run: run.step > 100)
    pool.command(run, "pause")
    wait(lambda: run.checkpoint is not None)
    pool.command(run, "resume")
    at = run.step
    screen.until(lambda run: run.step > at + 100)
    run.worker.process.kill()
    screen.until(lambda run: run.state == "completed", timeout=60)
    wait(lambda: (blob := store.load(run.id)) and checkpoint.restore(blob).finished)
    np.testing.assert_array_equal(weights(run), undisturbed.network.vector.data)


def test_live_changes_survive_the_worker(pool):
    run = pool.start(SMALL)
    screen = Screen(pool, run)
    pool.command(run, "change", {"lr": 0.25})
    screen.until(lambda run: run.step > 10)
    run.worker.process.kill()
    at = run.step
    screen.until(lambda run: run.step > at)
    assert protocol.decode(run.frame)[0]["lr"] == 0.25


def test_an_illegal_change_is_refused_and_the_run_goes_on(pool):
    run = pool.start(SMALL)
    screen = Screen(pool, run)
    with pytest.raises(ExperimentError, match="lr must be"):
        pool.command(run, "change", {"lr": -1})
    screen.until(lambda run: run.step > 10)


def test_runs_of_one_worker_share_fairly(pool):
    runs = [pool.start(SMALL) for _ in range(5)]
    wait(lambda: all(run.state == "paused" for run in runs))
    screens = [Screen(pool, run) for run in runs]
    screens[0].until(lambda run: run.step > 1500, timeout=60)
    for run in runs:
        pool.command(run, "pause")
    wait(lambda: all(run.state == "paused" for run in runs))
    steps = [run.step for run in runs]
    assert max(steps) < 1.3 * min(steps), steps


def test_speed_is_kept(pool):
    run = pool.start(SMALL, speed=50.0)
    screen = Screen(pool, run)
    screen.until(lambda run: run.step >= 10)
    start, at = time.monotonic(), run.step
    screen.until(lambda run: run.step >= at + 50)
    assert 0.6 < time.monotonic() - start < 3


def test_an_error_inside_ends_one_run_alone(pool, monkeypatch):
    monkeypatch.setenv("KASANE_CACHE", "/nonexistent")
    healthy = Screen(pool, pool.start(SMALL))
    broken = Screen(pool, pool.start(SMALL.replace(network="dense8"), checkpoint=b"no checkpoint"))
    broken.until(lambda run: run.state == "error")
    assert "safetensors" in str(broken.run.error)
    at = healthy.run.step
    healthy.until(lambda run: run.step > at)


def test_divergence_is_a_state(pool):
    run = pool.start(SMALL.replace(optimizer="sgd", loss="squared_error", lr=100.0))
    Screen(pool, run).until(lambda run: run.state == "diverged")


def test_the_number_of_runs_is_limited(pool, monkeypatch):
    monkeypatch.setattr(pool_module, "MAX_RUNS", 1)
    pool.start(SMALL)
    with pytest.raises(InputError, match="1 runs already"):
        pool.start(SMALL)


def test_nothing_outlives_the_pool():
    with Pool(workers=2) as pool:
        processes = [worker.process for worker in pool._workers]
    assert all(process.poll() is not None for process in processes)


def test_a_worker_that_cannot_start_is_not_started_for_ever(monkeypatch):
    monkeypatch.setattr(
        pool_module.sys, "executable", "/bin/false" if pool_module.os.path.exists("/bin/false") else "false"
    )
    with Pool(workers=1) as pool:
        run = pool.start(SMALL)
        wait(lambda: run.state == "error", timeout=60)
        assert "could not be started" in str(run.error)
