"""Normalization: what one mean is taken over, what that makes possible, and where it fails."""

from engine import presets
from engine.errors import N_
from engine.presets import SIGMAS
from pages._ui.comparison.comparison import Figure
from pages._ui.i18n import _
from pages._ui.lesson import Lesson
from pages._ui.normal import scenes, typed
from pages._ui.normal.normal import normalized
from pages._ui.normal.settings import PANEL, chosen, control, controls, settings

lesson = Lesson(settings, compared=["runs", "panel"])
TRIES = (
    (
        N_("A batch of one"),
        N_("What does batch norm leave of a single example, and what does layer norm?"),
        {"examples": 1, "units": 4},
    ),
    (
        N_("Two examples a batch"),
        N_("Train with 100, 10 and 2 examples a batch: which of the two norms suffers more?"),
        {"part": "runs", "experiment": "batch-norm-batch-size"},
    ),
    (
        N_("Undo it"),
        N_("With γ = 2 and β = −1 every group leaves with the same mean and spread. What are they?"),
        {"gamma": 2.0, "beta": -1.0},
    ),
)
STATISTICS = Figure(("history", "layers", "accuracy"), over="std")
FIGURES = {"activation-statistics": STATISTICS}


def averaged_part() -> None:
    """A batch in numbers, with the cells that one mean is taken over."""
    sizes = ("examples", "units") if chosen("given") == "units" else ("pictures", "channels")
    controls("kind", "given", *sizes, "gamma", "beta", new=True)
    x = scenes.batch(chosen("given"), *map(chosen, sizes), chosen("draw"))
    scene = scenes.scene(scenes.put(x, typed.numbers()), chosen("kind"), gamma=chosen("gamma"), beta=chosen("beta"))
    normalized(scene, key="normalized", take=typed.put, attention=lesson.attention())
    lesson.explain("averaged")


def runs_part() -> None:
    """Train networks with and without."""
    id = control("experiment")
    lesson.compare(id, FIGURES.get(id, Figure(("loss", "accuracy", "layers"))))
    lesson.explain("runs")
    lesson.explain("statistics")


def panel_part() -> None:
    """The book's sixteen starting points, each with batch norm and without."""
    labels = list(presets.get(PANEL).runs)
    pairs = zip(SIGMAS, labels[: len(SIGMAS)], labels[len(SIGMAS) :], strict=True)
    panels = {f"σ = {sigma:.2g}": pair for sigma, *pair in pairs}
    lesson.compare(PANEL, Figure(("panel",), panels=panels, lines=(N_("batch norm"), N_("no batch norm"))))
    lesson.explain("panel")


PARTS = {"averaged": averaged_part, "runs": runs_part, "panel": panel_part}

lesson.open(_("Normalization"), _("What if every layer saw numbers of the same scale?"))
lesson.show(PARTS)
lesson.close(TRIES)
