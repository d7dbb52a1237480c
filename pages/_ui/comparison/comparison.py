"""Runs of a published experiment trained together, drawn in one figure, and paused as one.

They start from equal weights and see equal batches (their seed is the same) and keep in step. Whatever is changed is
changed in all of them or in one. The address of the page names the preset, what differs from it, for all
(`all.lr=0.02`) or for the run at a place (`1.lr=0.02`), and the runs once they have started.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from engine import build, presets
from engine.data import datasets
from engine.errors import N_, InputError, Text, shorten
from engine.experiment import FIELDS, Experiment
from engine.fields import ExperimentError, format_value, parse_value
from engine.presets import Preset
from engine.presets.preset import FREE
from engine.runs import frames, protocol
from engine.runs.pool import ENDED, Run
from engine.training.checkpoint import CheckpointError
from pages._ui import changed, controls, session
from pages._ui.channels import pool
from pages._ui.choice import choice
from pages._ui.i18n import _, joined, language, run_name, sentence, translate
from pages._ui.liveview import liveview
from pages._ui.served.served import component

RUN_SECONDS = 12  # what the speed "auto" makes a whole comparison last
SPEEDS = ("1", "3", "10", "30", "100", "auto", "max")
ALL = "all"  # before the name of a field in an address: a page may have a setting of that name

_mount = component(
    "comparison",
    html='<div class="kasane-liveview" style="min-height: 900px"></div>',
    imports=["liveview"],
    isolate_styles=False,
)


@dataclass(frozen=True)
class Figure:
    """What is drawn of a comparison.

    show: of loss, accuracy, panel, filters, depth, layers, history, in order. quantity: of the histograms at first;
    over: of the history. panels: for "panel", title → labels of the runs in it; columns: panels side by side;
    lines: what the lines of a panel are called, in their order, where all panels have the same.
    """

    show: Sequence[str] = ("loss", "accuracy", "layers")
    quantity: str = "activations"
    over: str = "std"
    panels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    columns: int = 4
    lines: Sequence[str] = ()


class Comparison:
    """The comparison that a page shows. page: its name; preset: what is compared.

    Session state holds under "{page}_comparison" the preset's id, the changes ("" for all, "0", "1", … for one run) and
    the ids of the runs, strings and numbers only.
    """

    def __init__(self, page: str, preset: Preset, figure: Figure | None = None) -> None:
        self.page, self.preset, self.figure = page, preset, figure or Figure()
        self.key = f"{page}_comparison"
        if st.session_state.get(self.key, {}).get("preset") != preset.id:
            self._leave()
            self._turn_widgets()
            st.session_state[self.key] = {"preset": preset.id, "changes": {}, "runs": []}

    # -------------------------------------------------------------------------------------------- what is compared

    @property
    def labels(self) -> list[str]:
        """The names of the runs."""
        return list(self.preset.runs)

    def experiments(self) -> dict[str, Experiment]:
        """Return what each run is, changes included."""
        changes = self._state["changes"]
        return {
            label: base.replace(**changes.get("", {}) | changes.get(str(i), {}))
            for i, (label, base) in enumerate(self.preset.runs.items())
        }

    def runs(self) -> list[Run]:
        """Return the runs, made (at rest) where there are none. Raises `InputError` when one cannot run here.

        Of those that another session has taken up, copies; or others, where it has changed them.
        """
        names, experiments = self._state["runs"], list(self.experiments().values())
        group = secrets.token_urlsafe(9)
        if len(names) == len(experiments):
            found = [session.find(name) or _open(name, group) for name in names]
        else:
            found = [None] * len(experiments)
        lacking = [i for i, run in enumerate(found) if run is None or run.experiment != experiments[i]]
        for i in lacking:  # all of them, before any is started
            build.check(experiments[i])
        for i, (run, experiment) in enumerate(zip(found, experiments, strict=True)):
            if i in lacking:
                found[i] = pool().start(experiment, speed=self._pace(experiment), running=False, group=group)
            elif run.speed != self._pace(experiment):
                pool().command(run, "speed", self._pace(experiment))
        self._state["runs"] = [run.id for run in found]
        return found

    # --------------------------------------------------------------------------------------------------- the page

    def draw(self) -> None:
        """Draw all of it: the settings in the sidebar, the buttons, and the figure."""
        with st.sidebar:
            self._form()
        try:
            runs = self.runs()
        except InputError as error:
            st.error(sentence(error), icon=":material/error:")
            data = next(iter(self.experiments().values())).data
            if isinstance(error, datasets.DatasetError) and datasets.downloadable(data):
                controls.offer_download(data)
            return
        known = _together([run.state for run in runs])  # before anything is drawn of it: they go on meanwhile
        self._transport(runs)
        for run in runs:
            if run.error:
                st.error(sentence(run.error), icon=":material/error:")
        self._introduce(runs)
        self._view(runs, known)

    def _form(self) -> None:
        options = ["", *map(str, range(len(self.labels)))]
        target = choice(
            st.selectbox,
            _("Change"),
            options,
            default="",
            key=f"{self.page}_target_{self.preset.id}",
            format_func=lambda option: run_name(self.labels[int(option)]) if option else _("all runs"),
            on_change=self._turn_widgets,
        )
        experiments = list(self.experiments().values())
        differing = set() if target else {n for n in FIELDS if len({getattr(it, n) for it in experiments}) > 1}
        if differing:
            names = joined(translate(FIELDS[name].metadata["label"]) for name in FIELDS if name in differing)
            st.caption(_("They differ in: {names}. Choose a run above to change these.").format(names=names))
        shown = experiments[int(target or 0)]
        controls.experiment_form(
            shown, change=lambda *said: self._take_field(*said, target), prefix=self._prefix, without=differing
        )

    def _transport(self, runs: Sequence[Run]) -> None:
        resting = all(run.state in ENDED for run in runs)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"{self.page}_transport"):
            if any(run.wanted for run in runs):
                st.button(
                    _("Pause"), icon=":material/pause:", type="primary", key=f"{self.page}_pause",
                    on_click=self.command, args=("pause",),
                )  # fmt: skip
            else:
                label = _("Resume") if any(run.started for run in runs) and not resting else _("Train all")
                st.button(
                    label, icon=":material/play_arrow:", type="primary", key=f"{self.page}_train",
                    on_click=self._train, args=(resting,),
                )  # fmt: skip
            for steps, text in ((1, _("1 step")), (10, _("10 steps"))):
                st.button(
                    text, key=f"{self.page}_step{steps}", disabled=resting, on_click=self.command, args=("step", steps)
                )
            st.button(
                _("Reset"), icon=":material/replay:", key=f"{self.page}_reset", on_click=self._leave,
                help=_("Back to step 0 with the same initial weights."),
            )  # fmt: skip
            st.button(
                _("New weights"), icon=":material/casino:", key=f"{self.page}_seed", on_click=self._reseed,
                help=_("Back to step 0 with other initial weights: the next seed."),
            )  # fmt: skip
            all_in = _("all in {n} s").format(n=RUN_SECONDS)
            choice(
                st.select_slider, _("Speed"), SPEEDS, "auto", key=f"{self.page}_speed", width=220,
                label_visibility="collapsed",
                format_func=lambda option: all_in if option == "auto" else session.speed_label(option),
            )  # fmt: skip

    def _view(self, runs: Sequence[Run], known: str) -> None:
        figure = self.figure
        departures = self._departures(runs)
        words = {label: changed.said(departs) for label, departs in departures.items()}
        described = [
            {
                "id": run.id,
                "label": label,
                "name": _arrow(run_name(label), words[label]),
                "csv": _arrow(label, changed.written(departures[label])),
                "published": None if departures[label] else self._published(label),
                "units": frames.shown(frames.hidden_units(run.experiment)),
            }
            for label, run in zip(self.labels, runs, strict=True)
        ]
        panels = [
            {"title": _arrow(run_name(title), *dict.fromkeys(words[label] for label in of)), "runs": list(of)}
            for title, of in figure.panels.items()
        ]
        _mount(
            key=f"{self.page}_{self.preset.id}_comparison",
            data={
                "key": f"{self.page}-{self.preset.id}",
                "token": ",".join(run.token for run in runs),
                "language": language(),
                "known": known,
                "runs": described,
                "show": list(figure.show),
                "quantity": figure.quantity,
                "over": figure.over,
                "panels": panels,
                "columns": figure.columns,
                "lines": [translate(name) for name in figure.lines],
                "labels": labels(),
            },
            on_ended_change=lambda: None,
        )

    def _published(self, label: str) -> dict[str, float | None] | None:
        figures = self.preset.published[label]
        return {"train": figures.train, "test": figures.test} if figures else None

    def _introduce(self, runs: Sequence[Run]) -> None:
        """Say what the preset asks and claims, and which of its claims these runs bear out."""
        with st.container(border=True, gap=None):
            st.markdown(f"**{translate(self.preset.title)}** — {translate(self.preset.question)}")
            self._judge(runs)
            if self.preset.note:
                st.caption(translate(self.preset.note))

    def _judge(self, runs: Sequence[Run]) -> None:
        """List the claims of the preset, each with a ✓ or ✗ of its own as soon as the runs are over."""
        parts = self.preset.claim.parts
        said, signs = [sentence(part.text) for part in parts], ["–"] * len(parts)
        verdict = _("What to see:")
        if any(self._departures(runs).values()):  # what is claimed of one experiment is not refuted by another
            verdict = _("With this experiment's own settings (some are changed here, so it is not judged):")
        elif any(run.experiment.steps < base.steps for run, base in zip(runs, self.preset.runs.values(), strict=True)):
            steps = max(base.steps for base in self.preset.runs.values())
            verdict = _("After {n} steps (here there are fewer, so it is not judged):").format(n=f"{steps:,}")
        elif all(run.state in ENDED and run.frame for run in runs):
            results = {
                label: presets.Result.of_frame(run.experiment, *protocol.decode(run.frame))
                for label, run in zip(self.labels, runs, strict=True)
            }
            held = [part.holds(results) for part in parts]
            verdict = _(":orange[✗ Not in these runs:]")
            if all(held):
                verdict = _(":green[✓ These runs bear it out:]")
            elif any(held):
                verdict = _(":orange[These runs bear out some of it:]")
            signs = [":green[✓]" if holds else ":orange[✗]" for holds in held]
        st.markdown(_listed(verdict, said, signs))

    def _departures(self, runs: Sequence[Run]) -> dict[str, dict[str, object]]:
        """Return by its label what each run departs from the preset in; and the others from it.

        Other data, another seed or more steps for all are the same comparison. For some of them they are none.
        """
        found = {}
        for label, run in zip(self.labels, runs, strict=True):
            found[label] = self.preset.departures(label, run.experiment)
        for name in FREE:
            values = {label: getattr(run.experiment, name) for label, run in zip(self.labels, runs, strict=True)}
            own = {label: value for label, value in values.items() if value != getattr(self.preset.runs[label], name)}
            if len(own) < len(values) or len(set(own.values())) > 1:
                for label, value in own.items():
                    found[label][name] = value
        return found

    # ------------------------------------------------------------------------------------------------------- changes

    def _take_field(self, name: str, value: object, target: str) -> None:
        if self._state["preset"] != self.preset.id:  # of a form that the browser shows still
            return
        st.session_state.pop(controls.widget_key(self._prefix, name), None)  # it is to show what is made of the value
        self.change({name: value}, target)

    def change(self, values: Mapping[str, object], target: str = "") -> None:
        """Change fields in all runs, or in the one at a place: at once where all can go on so, else in new runs."""
        changes = self._state["changes"]
        before = {name: dict(kept) for name, kept in changes.items()}
        were = self.experiments()
        shown = list(were.values())[int(target or 0)]
        values = shown.with_usual_lr(values)
        for place in [target] if target else ["", *[name for name in changes if name]]:
            kept = changes.setdefault(place, {})
            if target or not place:
                kept |= values
            else:  # for all: what one run had for itself goes
                changes[place] = {name: value for name, value in kept.items() if name not in values}
        try:
            experiments = self.experiments()
        except ExperimentError as error:
            self._state["changes"] = before
            session.notice(sentence(error))
            self._turn_widgets(*values)
            return
        if experiments == were:  # as said by a page that is being left
            self._state["changes"] = before
            self._turn_widgets(*values)
            return
        current = [session.find(name) for name in self._state["runs"]]
        pairs = list(zip(current, experiments.values(), strict=True)) if current else []
        if pairs and all(run and run.takes(experiment, values) for run, experiment in pairs):
            for run, experiment in pairs:
                pool().command(run, "change", {name: getattr(experiment, name) for name in values})
        else:
            self._leave()
        self._turn_widgets(*values)

    def command(self, name: str, value: object = None) -> None:
        """Pass a button's command on to every run."""
        try:
            runs = self._now().runs()
        except InputError as error:
            session.notice(sentence(error))
            return
        for run in runs:
            pool().command(run, name, value)

    def _train(self, again: bool) -> None:
        if again:
            self._leave()
        self.command("resume")

    def _reseed(self) -> None:
        now = self._now()
        now.change({"seed": next(iter(now.experiments().values())).next_seed()})

    def _now(self) -> Comparison:
        """Return what is compared by now: something else may have been chosen since the buttons were drawn."""
        return Comparison(self.page, presets.get(self._state["preset"]))

    def _leave(self) -> None:
        """Leave the runs; new ones are made when they are asked for."""
        state = st.session_state.get(self.key)
        for name in state["runs"] if state else ():
            if run := session.find(name):
                pool().drop(run)
        if state:
            state["runs"] = []

    # --------------------------------------------------------------------------------------------------- the address

    def open_link(self, others: Mapping[str, str]) -> None:
        """Take over what a link says of the runs; say what is wrong in it."""
        self._leave()
        changes: dict[str, dict[str, object]] = {}
        unknown = []
        for name, text in others.items():
            place, _dot, of = name.rpartition(".")
            if name == "runs":
                continue
            place = "" if place == ALL else place
            if of not in FIELDS or (place and place not in map(str, range(len(self.labels)))):
                unknown.append(name)
                continue
            try:
                changes.setdefault(place, {})[of] = parse_value(FIELDS[of], text)
            except ExperimentError as error:
                st.warning(sentence(error), icon=":material/info:")
        if unknown:
            st.warning(sentence(session.unknown(unknown)), icon=":material/info:")
        self._state["changes"] = changes
        self._turn_widgets()
        try:
            self.experiments()
        except ExperimentError as error:
            self._state["changes"] = {}
            st.warning(sentence(error), icon=":material/info:")
        if "runs" in others:
            self._open_runs(others["runs"])

    def _open_runs(self, names: str) -> None:
        """Show the runs of these names, all of them or new ones: as they are where nobody watches them, else copies."""
        wanted, asked = list(self.experiments().values()), names.split(",")
        here = [pool().find(name) for name in asked[: len(wanted)]]
        free = all(here) and not any(run.watchers for run in here) and len({run.group for run in here}) == 1
        group = secrets.token_urlsafe(9)
        opened = []
        if len(asked) == len(wanted) == len(set(asked)):
            opened = here if free else [_open(name, group) for name in asked]
        if [run and run.experiment for run in opened] == wanted:
            self._state["runs"] = [run.id for run in opened]
            for run in opened:
                run.owner = session.own_name()
            return
        for run in opened if not free else ():
            if run:
                pool().drop(run)
        template = N_("There are no runs {runs} of this comparison on this server; it starts afresh.")
        st.warning(sentence(Text(template, runs=shorten(names))), icon=":material/info:")

    def address(self) -> dict[str, str]:
        """Return what `open_link` takes to show the same again."""
        said = {}
        for place, kept in self._state["changes"].items():
            for name, value in kept.items():
                said[f"{place or ALL}.{name}"] = format_value(value)
        runs = [pool().find(name) for name in self._state["runs"]]
        if runs and all(run and run.started for run in runs):
            said["runs"] = ",".join(run.id for run in runs)
        return said

    # ------------------------------------------------------------------------------------------------------- helpers

    @property
    def _state(self) -> dict:
        return st.session_state[self.key]

    @property
    def _prefix(self) -> str:
        return f"{self.page}_field"

    def _turn_widgets(self, *names: str) -> None:
        """Have other widgets of these fields, or of all, show what is chosen (see choice.py)."""
        for name in names or FIELDS:
            controls.turn_widget(self._prefix, name)

    def _pace(self, experiment: Experiment) -> float:
        chosen = st.session_state.get(f"{self.page}_speed", "auto")
        if chosen == "max":
            return 0.0
        return experiment.steps / RUN_SECONDS if chosen == "auto" else float(chosen)


def compare(page: str, id: str, figure: Figure, link: Mapping[str, str] | None) -> dict[str, str]:
    """Draw the comparison of a preset on a page; return what the address is to say of it.

    link: what a link that was followed says, see `Settings.open_address`.
    """
    comparison = Comparison(page, presets.get(id), figure)
    if link is not None:
        comparison.open_link(link)
    comparison.draw()
    return comparison.address()


def _listed(lead: str, said: Sequence[str], signs: Sequence[str]) -> str:
    """Return sentences as Markdown: each with its sign in a line below the lead, a single one beside it."""
    if len(said) == 1:
        return f"{lead} {said[0]}"
    return "  \n".join([lead, *(f"{sign} {text}" for sign, text in zip(signs, said, strict=True))])


def _arrow(name: str, *changes: str) -> str:
    """Return a name with what was changed behind it, where anything was."""
    return " → ".join(filter(None, [name, " / ".join(filter(None, changes))]))


def _together(states: Sequence[str]) -> str:
    """Return the state of runs together, as comparison.js says it."""
    for state in ("running", "starting"):
        if state in states:
            return state
    if all(state == "error" for state in states):
        return "error"
    if "paused" in states:
        return "paused"
    return "diverged" if all(state == "diverged" for state in states) else "completed"


def _open(name: str, group: str) -> Run | None:
    """Return the run of that name; None when there is none, or what was kept of it cannot be read."""
    try:
        return pool().open(name, group)
    except CheckpointError:
        return None


def labels() -> dict[str, str]:
    """Return every word of a comparison in the session's language, by the names that comparison.js uses."""
    return liveview.labels() | {
        "run": _("Run"),
        "run_hint": _("Hide or show; with Shift, only this one"),
        "accuracy_train": _("Accuracy (train)"),
        "accuracy_test": _("Accuracy (test)"),
        "gap": _("Gap (points)"),
        "published": _("Published (train / test)"),
        "loss_batch": _("Loss of the mini-batches"),
        "sets": _("Show"),
        "both": _("Both"),
        "solid_dashed": _("Solid: training set. Dashed: test set."),
        "all_runs": _("All runs, in numbers"),
        "panel": _("Training accuracy, run by run"),
        "panel_both": _("Accuracy, run by run"),
        "units_apart": _("Every hidden unit, over the plane"),
        "units_apart_hint": _(
            "Large: what the network makes of the plane. Small: each unit from its lowest output (orange) to its "
            "highest (blue); white where all are equal."
        ),
        "units_differ": _("{share} apart"),
        "depth": _("Gradient norm from the first layer to the last"),
        "depth_hint": _("A line that falls to the left: the gradient vanishes on its way back."),
        "layers": _("Layer by layer, now"),
        "history": _("Layer by layer, over the whole of training"),
        "std_of": _("SD {std}"),
        "near_zero": _("{share} near 0"),
        "std": _("Activation: standard deviation"),
        "mean": _("Activation: mean"),
    }
