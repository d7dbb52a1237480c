"""Whatever an experiment asks for within the legal ranges: its run comes to its end and is shown on the way.

A network may make numbers as large as it likes; what a worker tells of them stays whole.
"""

from __future__ import annotations

import io
import threading

from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.experiment import FEATURES, FIELDS, Experiment
from engine.runs import protocol
from engine.runs.worker import Worker

NETWORKS = {
    "plane": ["", "dense3", "dense8 dense1", "dense65 dense2", " ".join(["dense8"] * 39)],
    "pictures": ["", "dense12 dense9", "conv3@3s2 pool2 dense7", "conv2@1 conv9@3p1 gap", "conv2@5 avgpool2 drop.9"],
}
NETWORKS["pictures"] += NETWORKS["plane"]
SMALL = {"train_size": (20, 200), "test_size": (10, 60), "batch_size": (2, 64), "steps": (1, 25)}
SMALL |= {"evaluate_every": (1, 10), "seed": (0, 2**31 - 1)}


def values(name: str) -> st.SearchStrategy:
    """Values of a field of an experiment, its limits among them."""
    meta = FIELDS[name].metadata
    if meta["kind"] == "choice":
        return st.sampled_from(meta["options"])
    if meta["kind"] == "bool":
        return st.booleans()
    low, high = SMALL.get(name, (meta["low"], meta["high"]))
    if meta["kind"] == "int":
        return st.integers(low, high)
    return st.sampled_from([low, high, FIELDS[name].default]) | st.floats(low, high)


@st.composite
def experiments(draw) -> Experiment:
    data = draw(st.sampled_from(["toy2d", "digits", "mnist-5k"]))
    fields = {name: draw(values(name)) for name, item in FIELDS.items() if item.metadata["kind"] != "text"}
    fields["features"] = " ".join(draw(st.sets(st.sampled_from(FEATURES), min_size=1)))
    fields["network"] = draw(st.sampled_from(NETWORKS["plane" if data == "toy2d" else "pictures"]))
    return Experiment(**fields | {"data": data})


class Silence:
    """A pipe through which no command ever comes."""

    def read(self, size: int) -> bytes:
        threading.Event().wait()


@given(st.data())
def test_every_run_is_shown_to_its_end(data):
    try:
        experiment = data.draw(experiments())
    except InputError:  # these fields contradict each other
        return
    sink = io.BytesIO()
    worker = Worker(Silence(), sink)
    start = {"kind": "start", "run": "it", "group": "it", "experiment": experiment.to_json()}
    worker._handle(protocol.encode(start | {"speed": 0, "running": True, "number": 1}))
    while (job := worker._jobs.get("it")) and job.busy:
        job.next_frame = 0  # show every turn
        job.cloud._due = 0
        worker._guarded(job, worker._turn)
    sink.seek(0)
    messages = []
    while (message := protocol.read_frame(sink)) is not None:
        messages.append(protocol.decode(message)[0])
    if messages[-1]["kind"] == "error":  # what cannot be built has a sentence of its own
        assert len(messages) == 1
        assert "{field}" in messages[0]["template"]
    else:
        states = [header["state"] for header in messages if header["kind"] == "frame"]
        assert states[-1] in ("completed", "diverged")
