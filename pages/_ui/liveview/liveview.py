"""The live view of a run: a component that draws the frames of /live/{token} as they come, without a script rerun.

What it does stands in the .js files beside it, which the browser loads once; every word that it shows comes from here.
While it is mounted it holds the run's channel open, which is the lease that keeps the run training.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.data import datasets
from engine.runs import frames
from engine.runs.pool import Run
from pages._ui.i18n import _, language, translate
from pages._ui.served.served import component, heed

_mount = component(
    "liveview", html='<div class="kasane-liveview" style="min-height: 1200px"></div>', isolate_styles=False
)


def liveview(
    run: Run,
    known: str,
    pause: bool,
    *,
    key: str,
    before: dict[str, str] | None = None,
    on_back: Callable[[object], None] | None = None,
) -> None:
    """Show a run. Another one at the same key is shown in the same charts.

    known, pause: its `state` and `can_pause` as they were before the page drew its buttons. The run goes on meanwhile:
    what is read after them may be news to the page, and nobody would tell it.

    The page reruns once when the run has ended ("completed", "diverged", "error") or the server no longer has it
    ("gone"). It also reruns when the run can be paused for a while already and that was not so at the latest rerun, or
    the other way round: an epoch asked for by hand may be long.

    before: a run whose curves are drawn behind this one's: its `id`, its `name` and, in base64, its `frames.curves`;
    `on_back` is called with what a browser says is its id when a person asks for it; a busy server may hear it twice.
    """
    _mount(
        key=key,
        data={
            "key": key,
            "token": run.token,
            "language": language(),
            "known": known,
            "pause": pause,
            "plane": run.experiment.data == "toy2d",
            "classes": {name: translate(name) for name in datasets.FASHION},  # other classes are digits and kana
            "before": before,
            "labels": labels(),
        },
        on_ended_change=lambda: None,
        on_turned_change=lambda: None,
        on_back_change=lambda: heed(key, "back", on_back) if on_back else None,
    )


def labels() -> dict[str, str]:
    """Return every word of the live view in the session's language, by the names that liveview.js uses."""
    return {
        # state
        "starting": _("Starting"),
        "ready": _("Ready"),
        "running": _("Running"),
        "paused": _("Paused"),
        "completed": _("Completed"),
        "diverged": _("Diverged"),
        "error": _("Stopped by an error"),
        "gone": _("Reopening"),
        "reconnecting": _("Reconnecting …"),
        "announcement": _("{state} at step {step}."),
        "summary": _("State of the run"),
        "progress": _("Progress"),
        "step": _("Step"),
        "of_steps": _("of {steps}"),
        "epoch": _("Epoch"),
        "time": _("Training time"),
        "rate": _("Steps per second"),
        "lr": _("Learning rate"),
        "parameters": _("Parameters"),
        "train_accuracy": _("Training accuracy"),
        "test_accuracy": _("Test accuracy"),
        # loss and accuracy
        "loss": _("Loss"),
        "accuracy": _("Accuracy"),
        "batch": _("Mini-batch"),
        "train": _("Training set"),
        "test": _("Test set, held out"),
        "horizontal": _("Horizontal axis"),
        "steps": _("Steps"),
        "epochs": _("Epochs"),
        "seconds": _("Seconds"),
        "loss_axis": _("Loss axis"),
        "linear": _("Linear"),
        "log": _("Logarithmic"),
        "back": _("Back to the run before"),
        "chart_text": _("{title} at step {step}: {values}."),
        # the plane
        "plane": _("What the network makes of the plane"),
        "plane_text": _("The plane at step {step}: {share} of it is taken for class {name}. Test accuracy {test}."),
        "plane_key": _("Orange: class {first}; blue: class {second}; white: undecided"),
        "points": _("Points"),
        "points_train": _("Training set"),
        "points_test": _("Test set"),
        "units": _("Units and weights"),
        "units_hint": _("Point at a unit to see it large. Each from its lowest output (orange) to its highest (blue)."),
        "lines_hint": _("Lines are weights: blue positive, orange negative, the thicker the larger."),
        "no_lines_hint": _(
            "Lines for weights are shown in networks of at most {n} units a layer, {total} in all."
        ).format(n=frames.ROW, total=frames.MAX_RESPONSES),
        "units_text": _("The outputs of {n} hidden units over the plane."),
        "lines_text": _("The largest weight of an input: {source} → {target}, {weight}."),
        "inputs": _("Inputs: {names}"),
        "input": _("Input {name}"),
        "outputs": _("Outputs"),
        "output_unit": _("Output for class {name}"),
        "unit": _("{layer}, unit {n}"),
        "layer": _("Hidden layer {n}"),
        "layer_part": _("{layer}: {shown} of {units} units"),
        # filters
        "filters": _("Filters of the first convolution"),
        "filters_hint": _("Left as they were drawn, right as they are now. Blue: positive, orange: negative."),
        "filters_text": _("{n} filters of the first convolution, at step {step}."),
        "filter": _("Filter {n}"),
        # histograms
        "layers": _("Layer by layer, now"),
        "quantity": _("Quantity"),
        "activations": _("Activations"),
        "gradients": _("Gradients"),
        "weights": _("Weights"),
        "mean_std": _("mean {mean} ± {std}"),
        "dead": _("{share} dead"),
        "norm": _("norm {norm}"),
        "histogram_text": _("{layer}, {quantity}: from {low} to {high}, most often near {mode}"),
        # the layers over time
        "history": _("Layer by layer, over the whole of training"),
        "history_hint": _("Shift and click: only this one"),
        "mean": _("Activation: mean ± std"),
        "mean_hint": _("bands for up to {n} layers"),
        "dead_units": _("Dead units"),
        "grad_norm": _("Gradient norm ‖∂L/∂W‖"),
        "update_ratio": _("Size of an update ‖ΔW‖ / ‖W‖"),
        "update_ratio_hint": _("dotted: 0.001, a common rule of thumb"),
        # the cloud
        "cloud": _("What the last hidden layer makes of the test set"),
        "cloud_note": _(
            "The first {n} test examples where {layer} ({units} units) puts them, in the plane in which they "
            "differ most ({share} of their variance). Ringed: taken for another class."
        ),
        "cloud_text": _("{n} test examples at step {step}, {wrong} of them taken for another class."),
        # mistakes
        "mistakes": _("What the network gets wrong"),
        "mistakes_later": _("Pause the run to see what the network gets wrong on the whole test set."),
        "mistakes_measuring": _("Measuring on the whole test set …"),
        "mistakes_none": _("The network's outputs are no longer finite numbers: there is nothing to compare."),
        "mistakes_stale": _("As of step {step}; pause the run to measure again."),
        "confusion": _("Confusion matrix"),
        "confusion_text": _(
            "Confusion matrix at step {step}: {right} of {total} right. Most frequent mistake: {worst}."
        ),
        "confusion_axes": _("Rows: right answer. Columns: the network's answer."),
        "no_mistake": _("none"),
        "cell": _("{right} taken for {wrong}: {n}"),
        "cell_right": _("{right} right: {n}"),
        "gallery": _("Misclassified"),
        "gallery_every": _("All {total} mistakes, the most confident first; a cell of the matrix picks out a pair."),
        "gallery_all": _("The {n} most confident of {total} mistakes; a cell of the matrix picks out a pair."),
        "gallery_pair": _("{right} taken for {wrong}: {n}"),
        "gallery_pair_first": _("{right} taken for {wrong}: the {n} most confident of {total}."),
        "right_wrong": _("{right} → {wrong}"),
        # tools
        "csv": _("Download as CSV"),
        "tool_of": _("{tool}: {title}"),
        "reset_zoom": _("Reset zoom"),
    }
