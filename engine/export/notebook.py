"""A notebook: an experiment in cells that train it again with Kasane's own engine, and draw its curves."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

from engine.errors import N_
from engine.experiment import Experiment

TITLE = N_("A run of Kasane")
INTRODUCTION = N_(
    "This notebook trains the network of one experiment again, with Kasane's own engine. The same settings give the "
    "same numbers. It needs Kasane's folder and what the requirements.txt there names: put it into that folder, or "
    "write the folder's path into the first cell."
)
SETTINGS = N_("The settings of the experiment. Change what you like.")
TRAINING = N_("Training: a line for every evaluation, on up to 1,000 test examples; the last line counts all of them.")
CURVES = N_("Loss and accuracy over the steps, drawn if Matplotlib is there.")

ENGINE_CELL = """\
KASANE = "."  # Kasane's folder

import json
import sys

sys.path.insert(0, KASANE)

from engine import blas
from engine.experiment import Experiment
from engine.training.events import Evaluated
from engine.training.trainer import Trainer

blas.one_thread()  # the numbers do not depend on how many cores there are"""

SETTINGS_CELL = """\
settings = json.loads('''
{settings}
''')
experiment = Experiment(**settings)"""

TRAINING_CELL = """\
trainer = Trainer(experiment, threads=2)
for event in trainer:
    if isinstance(event, Evaluated):
        print(f"step {event.step:6}   loss {event.test_loss:.4f}   accuracy {event.test_accuracy:.4f}")
whole = trainer.evaluate(limit=0)
print(f"{trainer.finished.reason} in {trainer.seconds:.2f} s, accuracy on all {whole.test_accuracy:.4f}")"""

CURVES_CELL = """\
curves = trainer.history.curves()
try:
    import matplotlib.pyplot as plt
except ImportError:
    print("Matplotlib is not installed; curves holds", *curves)
else:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4))
    left.plot(curves["loss_step"], curves["loss"], color="0.8", label="mini-batch")
    for name, style in ("train", "-"), ("test", "--"):
        left.plot(curves["step"], curves[f"{name}_loss"], style, label=name)
        right.plot(curves["step"], curves[f"{name}_accuracy"], style, label=name)
    for axes, title in (left, "loss"), (right, "accuracy"):
        axes.set(title=title, xlabel="step")
        axes.legend()
    plt.show()"""


def to_notebook(experiment: Experiment, translate: Callable[[str], str] = str) -> str:
    """Return a Jupyter notebook (nbformat 4.5) that trains the network of `experiment` anew and draws its curves.

    translate: message id → message, for the prose between the cells.
    """
    settings = json.dumps(dataclasses.asdict(experiment), indent=2)
    cells = [_cell("markdown", "title", f"# {translate(TITLE)}\n\n{translate(INTRODUCTION)}")]
    for name, prose, code in (
        ("engine", None, ENGINE_CELL),
        ("settings", SETTINGS, SETTINGS_CELL.format(settings=settings)),
        ("training", TRAINING, TRAINING_CELL),
        ("curves", CURVES, CURVES_CELL),
    ):
        if prose:
            cells.append(_cell("markdown", f"about-{name}", translate(prose)))
        cells.append(_cell("code", name, code))
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": python, "language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, name: str, source: str) -> dict[str, object]:
    """Return a cell; `name` is its id."""
    ran = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "id": name, "metadata": {}, "source": source.splitlines(keepends=True)} | ran
