"""What is chosen on the search page: the fields of the experiment, what varies in it, and which search is shown.

A search that has been started is shown by its id, `?search=ID`: its settings are then those that it was started with,
and only the number of its trials can be raised.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from engine.errors import N_, InputError, shorten
from engine.experiment import FIELDS, Experiment
from engine.fields import check as check_field
from engine.fields import parse_value
from engine.presets.search import PLANS
from engine.search.axes import Axis, format_axes, parse_axes
from engine.search.plan import MAX_SEED, MAX_TRIALS, SHARES, Plan
from engine.search.study import Search
from pages._ui import controls, session
from pages._ui.choice import turn
from pages._ui.i18n import sentence
from pages._ui.searching.server import searches
from pages._ui.settings import Setting, Settings, Value, named, number, toggle

SEARCH = "search_id"
START = PLANS["ch06-search"]
AXIS_PARTS = ("low", "high", "log", "options")  # of what is chosen of a searched field, each with a widget


@dataclass(frozen=True)
class FieldSetting(Setting):
    """A field of the experiment."""

    width: int | str = "stretch"
    field: str = ""

    @property
    def is_worded(self) -> bool:
        return self.widget == "select"

    def step_at(self, value: Value) -> Value:
        return controls.leading(value) if isinstance(self.default, float) else self.step

    def check(self, value: Value) -> Value:
        return check_field(FIELDS[self.field], value)

    def parse(self, text: str) -> Value:
        value = parse_value(FIELDS[self.field], text)
        Experiment(**{self.field: value})  # a text must mean something
        return value

    def word(self, option: Value) -> str:
        return controls.option_label(self.field, option)


@dataclass(frozen=True)
class AxesSetting(Setting):
    """What is searched, as text (see `engine.search.axes`)."""

    def parse(self, text: str) -> str:
        return format_axes(parse_axes(text))


def _field(name: str) -> FieldSetting:
    meta = FIELDS[name].metadata
    options = tuple(meta.get("options", ()))
    widget = {"choice": "select", "bool": "toggle", "text": "text"}.get(meta["kind"], "number")
    span = {"low": meta.get("low", -math.inf), "high": meta.get("high", math.inf), "step": meta.get("step", 1)}
    return FieldSetting(
        meta["label"], getattr(START.experiment, name), options, widget=widget, help=meta["help"], field=name, **span
    )


_SAMPLERS = {"random": N_("At random"), "tpe": N_("TPE")}
SETTINGS: dict[str, Setting] = {
    "over": AxesSetting(N_("Search over"), format_axes(START.axes), widget="none"),
    "trials": number(N_("Trials"), 1, MAX_TRIALS, START.trials, step=10, width=130),
    "sampler": named(
        N_("Next values"), _SAMPLERS, START.sampler, "segments",
        help=N_("At random: every trial is drawn for itself. TPE: most are drawn near the best ones so far."),
    ),
    "pruning": toggle(
        N_("Prune"), 0, help=N_("A trial whose validation accuracy is below the median of the others ends early.")
    ),
    "draws": number(N_("Seed of the draws"), 0, MAX_SEED, START.seed),
    "share": number(
        N_("Held-out share"), *SHARES, START.share, step=0.05,
        help=N_("The share of the training examples that no trial learns from: it is what they are compared on."),
    ),
} | {name: _field(name) for name in FIELDS}  # fmt: skip


class SearchSettings(Settings):
    """The settings of the page, which a search that is shown has fixed."""

    def axes(self) -> tuple[Axis, ...]:
        """Return what is searched."""
        return parse_axes(self["over"])

    def experiment(self) -> Experiment:
        """Return what all trials have in common. Raises `ExperimentError`."""
        return Experiment(**{name: self[name] for name in FIELDS})

    def plan(self) -> Plan:
        """Return the search that is chosen. Raises `ExperimentError`."""
        how = {name: self[name] for name in ("trials", "share", "sampler")}
        return Plan(self.experiment(), self.axes(), **how, pruning=bool(self["pruning"]), seed=self["draws"])

    def take_experiment(self, experiment: Experiment) -> None:
        """Choose all that trials have in common."""
        self.choose(**{name: getattr(experiment, name) for name in FIELDS})

    def choose(self, **values: Value) -> None:
        before = self.axes()
        super().choose(**values)
        now = self.axes()
        if [axis.name for axis in now] != [axis.name for axis in before]:
            turn("axis_names", worded=True)
        for axis in {*before} - {*now}:
            self.turn_widgets(axis.name)

    def turn_widgets(self, name: str) -> None:
        """Show the range or the options of a field in other widgets from now on: they were not chosen in those."""
        for part in AXIS_PARTS:
            turn(f"axis_{name}_{part}", worded=part == "options")

    # ----------------------------------------------------------------------------------------------- the search shown

    def search(self) -> Search | None:
        """Return the search that is shown."""
        name = st.session_state.get(SEARCH)
        return searches().find(name) if name else None

    def show(self, name: str) -> None:
        """Show a search, with its settings. Raises `InputError` when there is none of that name."""
        search = searches().find(name)
        if search is None:
            raise InputError(N_("There is no search {search} on this server."), search=shorten(name))
        plan = search.plan
        how = {name: getattr(plan, name) for name in ("trials", "share", "sampler")}
        self.choose(over=format_axes(plan.axes), pruning=int(plan.pruning), draws=plan.seed, **how)
        self.take_experiment(plan.experiment)
        st.session_state[SEARCH] = name

    def leave(self) -> None:
        """Show none; its settings stay."""
        st.session_state.pop(SEARCH, None)

    # ----------------------------------------------------------------------------------------------------- the address

    def begin(self, values: Mapping[str, Value]) -> None:
        self.leave()
        super().begin(values)
        for axis in self.axes():
            self.turn_widgets(axis.name)  # a range that was refused is in there still

    def open_address(self) -> dict[str, str] | None:
        others = super().open_address()
        if others and "search" in others:
            try:
                self.show(others.pop("search"))
            except InputError as error:
                st.warning(sentence(error), icon=":material/info:")
        return others

    def address(self) -> dict[str, str]:
        search = st.session_state.get(SEARCH)
        return {"search": search} if search else super().address()

    # --------------------------------------------------------------------------------------------------------- widgets

    def _take(self, name: str) -> None:
        setting = self.table[name]
        if name != "trials" and self.search():  # it was started before the page could show that it fixes this
            turn(f"{self.page}_{name}", worded=setting.is_worded)
            return
        if not isinstance(setting, FieldSetting):
            super()._take(name)
            return
        value, before = self.said(name), self.experiment()
        if value is None:
            return
        try:
            before.replace(**{name: value})
        except InputError as error:
            session.notice(sentence(error))
            st.session_state.pop(self.key(name))
            return
        st.session_state[self.page][name] = setting.check(value)
        if name == "optimizer":
            self.choose(lr=before.replace(**before.with_usual_lr({name: value})).lr)


settings = SearchSettings("search", SETTINGS, {name: {} for name in PLANS})
chosen, control = settings.__getitem__, settings.control
