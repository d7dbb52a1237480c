"""Live runs: fair, pausable, watched by someone or at rest, and not lost when a worker dies."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from engine import processes
from engine.errors import InputError
from engine.experiment import Experiment
from engine.fields import ExperimentError
from engine.runs import pool as pool_module
from engine.runs import protocol, store
from engine.runs.pool import Pool
from engine.training import checkpoint
from engine.training.trainer import Trainer
from tests.patience import PATIENCE

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

    def until(self, condition):
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.run), PATIENCE), (
                self.run.state,
                self.run.step,
                self.run.error,
            )

    def pause(self):
        self.pool.command(self.run, "pause")
        self.until(lambda run: run.state == "paused")

    def close(self):
        self.pool.detach(self.run, self.notify)


def wait(condition):
    end = time.monotonic() + PATIENCE
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
    screen.pause()
    at = run.step
    pool.command(run, "step", 10)
    screen.until(lambda run: run.step == at + 10 and "confusion" in protocol.decode(run.frame)[1])  # measured after it
    pool.command(run, "resume")
    screen.until(lambda run: run.step > at + 20)


def test_what_runs_can_be_paused_also_steps_asked_for_by_hand(pool):
    run = pool.start(SMALL, running=False)
    screen = Screen(pool, run)
    screen.until(lambda run: run.state == "paused")
    assert not run.can_pause
    pool.command(run, "step", 50_000)
    screen.until(lambda run: run.can_pause and run.step > 0)
    assert not run.wanted  # who looks again later finds it at rest
    pool.command(run, "pause")
    assert not run.can_pause
    screen.until(lambda run: run.state == "paused")
    assert run.step < 50_000
    at = run.step
    pool.command(run, "step", 10)
    screen.until(lambda run: run.step == at + 10 and run.state == "paused")
    assert not run.can_pause
    pool.command(run, "resume")
    assert run.can_pause


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


def test_a_watched_run_in_its_first_steps_asked_for_by_hand_is_copied_at_its_first(pool):
    run = pool.start(SMALL, running=False)
    screen = Screen(pool, run)
    pool.command(run, "step", 50_000)
    screen.until(lambda run: run.state == "running")
    assert run.checkpoint is None
    copy = pool.open(run.id)
    assert copy is not run
    assert (copy.experiment, copy.step) == (SMALL, 0)
    screen.close()


def test_what_a_dropped_run_had_reached_is_kept(pool):
    run = pool.start(SMALL)
    screen = Screen(pool, run)
    screen.until(lambda run: run.step > 100)
    seen = run.step
    pool.drop(run)
    wait(lambda: not run.worker.runs)
    assert checkpoint.restore(store.load(run.id)).step >= seen


def test_the_curves_of_what_was_dropped_lately_are_known(pool, monkeypatch):
    monkeypatch.setattr(pool_module, "REMEMBERED", 1)
    dropped = []
    for group in ("", "", "a comparison"):
        run = pool.start(SMALL, running=False, group=group)
        screen = Screen(pool, run)
        pool.command(run, "step", 10)
        screen.until(lambda run: run.step == 10 and run.state == "paused")
        assert pool.left(run.id) is None
        pool.drop(run)
        dropped.append(pool.left(run.id))
    assert [left is not None for left in dropped] == [True, True, False]
    assert list(pool._left.values()) == dropped[1:2]
    left = dropped[1]
    assert (left.experiment, left.state, left.step) == (SMALL, "paused", 10)
    assert protocol.decode(left.curves)[0]["step"] == 10


def test_nothing_is_known_of_a_run_that_was_dropped_before_it_showed_anything(pool):
    run = pool.start(SMALL)
    run.worker.process.kill()  # it never will
    pool.drop(run)
    pool.drop(run)
    assert pool.left(run.id) is None


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
    screen.until(lambda run: run.state == "completed")
    wait(lambda: (blob := store.load(run.id)) and checkpoint.restore(blob).finished)
    np.testing.assert_array_equal(weights(run), undisturbed.network.vector.data)


def test_a_worker_that_talks_nonsense_is_replaced(pool, monkeypatch):
    screen = Screen(pool, pool.start(SMALL))
    screen.until(lambda run: run.step > 10)
    worker, read, garbled = screen.run.worker, protocol.read_frame, threading.Event()

    def garble(stream):
        message = read(stream)
        return b"what a library prints" if not garbled.is_set() and garbled.set() is None else message

    monkeypatch.setattr(protocol, "read_frame", garble)
    wait(lambda: screen.run.worker is not worker)
    assert worker.process.poll() is not None
    at = screen.run.step
    screen.until(lambda run: run.step > at)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="cannot stop a process")
def test_nobody_waits_for_a_worker_that_does_not_read():
    with Pool(workers=1) as pool:
        run = pool.start(SMALL.replace(network="dense300 dense300"))
        wait(lambda: run.state == "paused")
        pool.command(run, "step", 1)
        wait(lambda: run.checkpoint is not None)
        os.kill(run.worker.process.pid, signal.SIGSTOP)
        ended = threading.Event()

        def go_on():
            pool.open(run.id, "a comparison")  # sends a checkpoint that no pipe has room for
            pool.by_token(run.token)
            pool.stop()
            ended.set()

        threading.Thread(target=go_on, daemon=True).start()
        in_time = ended.wait(PATIENCE)
        if not in_time:
            os.kill(run.worker.process.pid, signal.SIGCONT)
        assert in_time


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="cannot stop a process")
def test_a_worker_that_does_not_answer_is_replaced_and_its_run_goes_on(pool, monkeypatch):
    screen = Screen(pool, pool.start(SMALL))
    screen.until(lambda run: run.step > 10 and run.checkpoint)
    worker = screen.run.worker
    os.kill(worker.process.pid, signal.SIGSTOP)
    with monkeypatch.context() as patch:  # the next one may take its time to start
        patch.setattr(pool_module, "QUIET", 0.5)
        patch.setattr(pool_module, "STUCK", 0.5)
        wait(lambda: worker.process.poll() is not None)
    assert worker.process.poll() == -signal.SIGKILL
    wait(lambda: screen.run.worker is not worker)
    at = screen.run.step
    screen.until(lambda run: run.step > at)


def test_a_worker_with_nothing_to_do_answers_and_lives(pool, monkeypatch):
    run = paused_and_kept(pool)
    worker, heard = run.worker, []
    receive = pool.receive
    monkeypatch.setattr(pool, "receive", lambda *it: (heard.append(protocol.decode(it[1])[0]["kind"]), receive(*it)))
    monkeypatch.setattr(pool_module, "QUIET", 0.1)
    wait(lambda: heard.count("pong") > 1)
    assert run.worker is worker
    assert worker.process.poll() is None


def test_live_changes_survive_the_worker(pool):
    run = pool.start(SMALL)
    screen = Screen(pool, run)
    pool.command(run, "change", {"lr": 0.25})
    screen.until(lambda run: run.step > 10)
    run.worker.process.kill()
    at = run.step
    screen.until(lambda run: run.step > at)
    assert protocol.decode(run.frame)[0]["lr"] == 0.25


def test_a_resting_run_of_which_no_more_steps_are_wanted_is_completed(pool):
    run = pool.start(SMALL)
    pool.command(run, "step", 10)
    wait(lambda: run.step == 10 and run.state == "paused")
    pool.command(run, "change", {"steps": 11})
    pool.command(run, "change", {"steps": 10})
    wait(lambda: run.state == "completed")
    pool.command(run, "change", {"steps": 12})
    pool.command(run, "resume")
    wait(lambda: run.state == "completed" and run.step == 12)


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
    screens[0].until(lambda run: run.step > 1500)
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
    assert time.monotonic() - start > 0.6


def test_an_error_inside_ends_one_run_alone(pool, monkeypatch):
    monkeypatch.setenv("KASANE_CACHE", "/nonexistent")
    healthy = Screen(pool, pool.start(SMALL))
    broken = Screen(pool, pool.start(SMALL.replace(network="dense8"), checkpoint=b"no checkpoint"))
    broken.until(lambda run: run.state == "error")
    assert "safetensors" in str(broken.run.error)
    at = healthy.run.step
    healthy.until(lambda run: run.step > at)


def test_a_run_that_has_ended_in_an_error_stays_so_when_its_worker_dies(pool):
    healthy = Screen(pool, pool.start(SMALL))
    broken = Screen(pool, pool.start(SMALL, checkpoint=b"no checkpoint"))
    broken.until(lambda run: run.state == "error")
    for _ in range(pool_module.LIVES):
        at = healthy.run.step
        healthy.until(lambda run, at=at: run.step > at)
        healthy.run.worker.process.kill()
    at = healthy.run.step
    healthy.until(lambda run: run.step > at)
    assert "safetensors" in str(broken.run.error)
    assert broken.frames == 1


def test_divergence_is_a_state(pool):
    run = pool.start(SMALL.replace(optimizer="sgd", loss="squared_error", lr=100.0))
    Screen(pool, run).until(lambda run: run.state == "diverged")


def test_the_number_of_runs_is_limited(pool, monkeypatch):
    monkeypatch.setattr(pool_module, "MAX_RUNS", 1)
    pool.start(SMALL)
    with pytest.raises(InputError, match="already has 1 runs"):
        pool.start(SMALL)


def test_nothing_outlives_the_pool():
    with Pool(workers=2) as pool:
        processes = [worker.process for worker in pool._workers]
    assert all(process.poll() is not None for process in processes)


def test_a_worker_that_cannot_start_is_not_started_for_ever(monkeypatch):
    monkeypatch.setattr(processes.sys, "executable", "/bin/false" if os.path.exists("/bin/false") else "false")
    with Pool(workers=1) as pool:
        wait(lambda: len(pool._deaths) > 5)
        with pytest.raises(InputError, match="could not be started"):
            pool.start(SMALL)


def test_who_comes_back_before_the_pause_is_heard_of_goes_on_too(pool):
    run = pool.start(SMALL)
    screen = Screen(pool, run)
    screen.until(lambda run: run.step > 10)
    screen.close()
    again = Screen(pool, run)  # at once: the run still says that it is running
    number = run.pending[-1]["number"]
    again.until(lambda run: run.header["number"] >= number)
    at = run.step
    again.until(lambda run: run.state == "running" and run.step > at + 100)


def test_who_has_trained_for_long_is_not_put_off_for_as_long(pool):
    old = pool.start(SMALL)
    screen = Screen(pool, old)
    screen.until(lambda run: run.step > 8000)
    screen.pause()
    young = Screen(pool, pool.start(SMALL.replace(seed=1)))
    young.until(lambda run: run.step > 10)
    pool.command(old, "resume")
    at, other = old.step, young.run.step
    screen.until(lambda run: run.step > at + 500)
    assert young.run.step - other < 4000


def test_a_run_that_kills_every_worker_is_given_up_and_the_others_go_on(pool, monkeypatch):
    monkeypatch.setattr(pool_module, "LIVES", 2)
    healthy = Screen(pool, pool.start(SMALL))
    healthy.until(lambda run: run.step > 10)
    silent = Screen(pool, pool.start(SMALL.replace(seed=1)))
    silent.until(lambda run: run.step > 10)
    for lost in (0, 1, 1, 1):
        at = healthy.run.step
        silent.run.losses = lost  # as if no frame had come; one that is on its way is a sign of life
        healthy.run.worker.process.kill()
        healthy.until(lambda run, at=at: run.step > at)
        if lost and silent.run.state == "error":
            break
        assert silent.run.error is None
    assert "smaller network" in str(silent.run.error)
    assert healthy.run.error is None


def test_without_a_process_nothing_starts_until_there_is_one(pool, monkeypatch):
    monkeypatch.setattr(pool_module, "DYING", 0.5)
    run = pool.start(SMALL)
    screen = Screen(pool, run)
    screen.until(lambda run: run.step > 10)
    start, denied = pool_module._WorkerProcess, threading.Event()

    def refuse(pool):
        if denied.is_set():
            return start(pool)
        raise OSError("no process left")

    monkeypatch.setattr(pool_module, "_WorkerProcess", refuse)
    run.worker.process.kill()
    screen.until(lambda run: run.state == "error")
    with pytest.raises(InputError, match="could not be started"):
        pool.start(SMALL)
    denied.set()
    wait(lambda: pool._workers)
    Screen(pool, pool.start(SMALL)).until(lambda run: run.step > 10)


def test_a_pool_that_ends_starts_no_worker(pool):
    pool.stop()
    pool._look_after()  # began before the end, and had to wait for it
    assert pool._workers == []


def test_a_finished_run_that_is_opened_again_shows_what_it_gets_wrong(pool):
    run = pool.start(SMALL.replace(steps=30))
    Screen(pool, run).until(lambda run: run.state == "completed")
    header, arrays = protocol.decode(run.frame)
    assert arrays["evaluated"][-1, 0] == 30
    assert arrays["confusion"].sum() == header["test_size"]
    wait(lambda: store.load(run.id) is not None)
    again = pool.open(run.id)
    Screen(pool, again).until(lambda run: run.state == "completed")
    header, arrays = protocol.decode(again.frame)
    assert arrays["confusion"].sum() == header["test_size"]
    assert not header["measuring"]
