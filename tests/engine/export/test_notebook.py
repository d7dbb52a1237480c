"""The notebook trains the same network."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.experiment import Experiment
from engine.export import to_notebook
from engine.training.trainer import Trainer
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[3]
TRAINED = Experiment(network="dense256 dense128", steps=5, evaluate_every=2, seed=3)
QUICK = Experiment(data="digits", network="conv4@3 dense10", steps=5, evaluate_every=2, seed=3)


def cells(notebook: str, kind: str) -> dict[str, str]:
    """Return the sources of a notebook's cells of one kind by their ids."""
    return {c["id"]: "".join(c["source"]) for c in json.loads(notebook)["cells"] if c["cell_type"] == kind}


def execute(notebook: str, ending: str, *, matplotlib: bool) -> str:
    """Run a notebook's code cells one after another, then `ending`, in a process of their own; return the output.

    BLAS would take two threads there, and other sums: the numbers are not to depend on it.
    """
    program = "import json, sys\n" + ("" if matplotlib else "sys.modules['matplotlib'] = None\n")
    program += "space = {}\nfor source in json.load(sys.stdin): exec(source, space)\n"
    sources = [*cells(notebook, "code").values(), ending]
    command = [sys.executable, "-W", "error::SyntaxWarning", "-c", program]
    env = os.environ | {"MPLBACKEND": "Agg", "OPENBLAS_NUM_THREADS": "2"}
    done = subprocess.run(
        command, input=json.dumps(sources), cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("matplotlib", [True, False])
def test_the_notebook_trains_the_same_network(matplotlib):
    if matplotlib:
        pytest.importorskip("matplotlib")
    output = execute(
        to_notebook(TRAINED),
        "print(trainer.step, trainer.experiment == experiment, repr(trainer.history.curves()['loss']))",
        matplotlib=matplotlib,
    )
    trainer = Trainer(TRAINED)
    trainer.advance()
    lines = output.splitlines()
    assert lines[-1] == f"5 True {trainer.history.curves()['loss']!r}"
    assert [line.split()[1] for line in lines if line.startswith("step")] == ["0", "2", "4", "5"]
    assert any(line.startswith("completed in ") for line in lines)
    assert any("Matplotlib" in line for line in lines) is not matplotlib


@pytest.mark.parametrize("experiment", [QUICK, Experiment(network="", eps=1e-12, features="x1^2 sinx2", l1=0.1 + 0.2)])
def test_the_settings_stand_in_the_notebook(monkeypatch, experiment):
    monkeypatch.setattr(sys, "path", [*sys.path])
    space = {}
    for name in ("engine", "settings"):
        exec(cells(to_notebook(experiment), "code")[name], space)
    assert space["experiment"] == experiment
    assert list(space["settings"]) == list(Experiment.__dataclass_fields__)


def test_the_notebook_is_one():
    """What nbformat 4.5 asks of a notebook."""
    notebook = json.loads(to_notebook(QUICK))
    assert set(notebook) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"].keys() >= {"name", "display_name"}
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(id.replace("-", "").isalnum() for id in ids)
    for cell in notebook["cells"]:
        more = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert set(cell) == {"cell_type", "id", "metadata", "source"} | more
        assert all(line.endswith("\n") for line in cell["source"][:-1])


def test_the_notebook_speaks_the_reader_s_language():
    plain, spoken = to_notebook(QUICK), to_notebook(QUICK, translate=lambda text: f"訳 {text.upper()}")
    assert all("訳" in source for source in cells(spoken, "markdown").values())
    assert cells(spoken, "code") == cells(plain, "code")
    assert to_notebook(QUICK) == plain
