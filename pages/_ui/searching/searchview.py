"""The view of a search: a component that draws what comes over /searching/{search}, without a script rerun.

It is told which search to watch and what to call things. What comes back is untrusted: the number of a trial that is to
be opened on the Train page, and that the search is in another state than the page shows.
"""

from __future__ import annotations

from engine.search.axes import Axis, Range
from engine.search.study import Search
from engine.search.trial import Trial
from pages._ui.i18n import _, language
from pages._ui.searching.form import label, value_label
from pages._ui.served.served import component, room

_mount = component("searching", html=room(90))


def searchview(
    search: Search | None, known: str, axes: tuple[Axis, ...], asked: int, *, key: str, attention: int = 0
) -> Trial | None:
    """Show a search, or the place where one will be; return the trial that is to be opened, if one is.

    known: its `state_of` before the page drew its buttons: it goes on meanwhile.

    The page reruns when the search has come to rest or has gone on, whoever made it do so. When `attention` grows, the
    view scrolls into sight, below the buttons that start it.
    """
    said = _mount(
        key=key,
        data={
            "search": search.id if search else "",
            "known": known,
            "asked": asked,
            "attention": attention,
            "language": language(),
            "fields": [_field(axis) for axis in axes],
            "labels": _labels(),
        },
        on_open_change=lambda: None,
        on_changed_change=lambda: None,
    )
    return None if search is None else chosen_trial(search, said.open)


def state_of(search: Search | None) -> str:
    """Return the state of a search as far as a page's buttons tell it."""
    return "ready" if search is None else "running" if search.is_running else search.state


def chosen_trial(search: Search, number: object) -> Trial | None:
    """Return the finished trial that a browser names, None when it names none."""
    trial = search.trials.get(number) if type(number) is int else None
    return trial if trial and trial.finished else None


def _field(axis: Axis) -> dict[str, object]:
    """Return an axis as it is drawn."""
    about = {"name": axis.name, "label": label(axis.name)}
    if isinstance(axis, Range):
        return about | {"low": axis.low, "high": axis.high, "log": axis.log}
    options = [{"value": value, "label": value_label(axis.name, value)} for value in axis.values]
    return about | {"options": options}


def _labels() -> dict[str, object]:
    """Return every word of the view in the session's language, by the names that searching.js uses."""
    states = {
        "ready": _("Ready"),
        "starting": _("Starting"),
        "running": _("Searching"),
        "stopping": _("Stopping"),
        "stopped": _("Stopped"),
        "complete": _("Completed"),
        "error": _("Stopped by an error"),
        "pruned": _("pruned"),
        "diverged": _("diverged"),
        "failed": _("could not be trained"),
    }
    return {
        "states": states | {"running_trial": _("running")},
        "state_complete": _("trained to the end"),
        "state_pruned": _("pruned"),
        "state_diverged": _("diverged"),
        "state_running": _("running"),
        "trials": _("Trials"),
        "best": _("Best validation accuracy"),
        "stopped_early": _("Ended early"),
        "workers": _("Workers"),
        "time": _("Time"),
        "reconnecting": _("Reconnecting …"),
        "empty": _("Press Start: the learning curves of the best 20 trials appear here, the best first."),
        "panel": _("The best 20: accuracy while they learn"),
        "training": _("Training set"),
        "validation": _("Validation set"),
        "score": _("Validation accuracy"),
        "scatter": _("All trials as points"),
        "parallel": _("All trials as lines"),
        "table": _("The best 20 in numbers"),
        "importance": _("What matters"),
        "importance_later": _("It is estimated when ten trials are over, and four of them are better than the worst."),
        "across": _("Horizontal axis"),
        "up": _("Vertical axis"),
        "trial": _("Trial"),
        "trial_n": _("Trial {n}"),
        "open": _("Train"),
        "take": _("Open on the Train page"),
        "csv": _("Download as CSV"),
        "tool_of": _("{tool}: {title}"),
        "comma": _("{first}, {second}").format(first="", second=""),
        "sentence": _("Trial {n}: validation {validation}, training {training}; {values}"),
        "best_is": _("The best: {trial}"),
        "scatter_text": _("{n} trials as points over {x} and {y}. Best validation accuracy: {best}."),
        "scatter_keys": _("The arrow keys pick one trial after the other, the best first."),
        "parallel_text": _("{n} trials as lines over {fields} and the validation accuracy. Best: {best}."),
        "said": _("{state}: {n} of {asked} trials, best validation accuracy {best}."),
    }
