"""What is chosen on the search page: the fields of the experiment, what varies in it, and which search is shown.

A search that has been started is shown by its id, `?search=ID`: its settings are then those that it was started with,
and only the number of its trials can be raised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import streamlit as st

from engine.errors import N_, InputError, Text, shorten
from engine.experiment import FIELDS, Experiment
from engine.fields import check as check_field
from engine.fields import parse_value
from engine.presets.search import PLANS
from engine.search.axes import Axis, format_axes, parse_axes
from engine.search.plan import MAX_SEED, MAX_TRIALS, SHARES, Plan
from engine.search.study import Search
from pages._ui import controls, session
from pages._ui.choice import worded
from pages._ui.i18n import language, sentence, translate
from pages._ui.searching.server import searches
from pages._ui.settings import REMEMBERED, Setting, Settings, Value, named, number, toggle

SEARCH = "search_id"
NOTICES = "search_notices"
START = PLANS["ch06-search"]


@dataclass(frozen=True)
class FieldSetting(Setting):
    """A field of the experiment."""

    field: str = ""

    @property
    def is_worded(self) -> bool:
        return self.widget == "select"

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
            st.session_state.pop(worded("axis_names"), None)
        for axis in {*before} - {*now}:
            self.forget_widgets(axis.name)

    def forget_widgets(self, name: str) -> None:
        """Have the widgets of a searched field show what is chosen."""
        for key in (*(f"axis_{name}_{part}" for part in ("low", "high", "log")), worded(f"axis_{name}_options")):
            st.session_state.pop(key, None)

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

    def open_address(self) -> None:
        query = st.query_params.to_dict()
        asked = {name: value for name, value in query.items() if name in self.table or name in ("preset", "search")}
        if self.page not in st.session_state:
            st.session_state[self.page] = self.defaults()
        if asked and asked not in st.session_state.get(self._written, []) and not session.wrote(query):
            self.leave()
            if "search" not in asked:
                super().open_address()
                return
            try:
                self.show(asked["search"])
            except InputError as error:
                st.warning(sentence(error), icon=":material/info:")

    def write_address(self) -> None:
        if not st.session_state.get(SEARCH):
            super().write_address()
            return
        wanted = {"search": st.session_state[SEARCH]}
        earlier = [it for it in st.session_state.get(self._written, []) if it != wanted]
        st.session_state[self._written] = [*earlier, wanted][-REMEMBERED:]
        st.query_params.from_dict(wanted | {"lang": language()})

    # --------------------------------------------------------------------------------------------------------- widgets

    def control(self, name: str, **layout: object) -> Value:
        setting, key = self.table[name], self.key(name)
        if not isinstance(setting, FieldSetting):
            return super().control(name, **layout)
        st.session_state.setdefault(key, self[name])
        common = {"label": translate(setting.label), "help": translate(setting.help), "key": key}
        common |= {"on_change": self._take, "args": (name,)} | layout
        match setting.widget:
            case "select":
                st.selectbox(options=setting.options, format_func=setting.word, **common)
            case "toggle":
                st.toggle(**common)
            case "text":
                st.text_input(max_chars=600, **common)
            case "number":
                span = {"min_value": setting.low, "max_value": setting.high, "step": setting.step}
                if not isinstance(setting.default, int):
                    span |= {"format": "%g", "step": controls.leading(self[name])}
                st.number_input(**span, **common)
        return self[name]

    def _take(self, name: str) -> None:
        setting = self.table[name]
        if not isinstance(setting, FieldSetting):
            super()._take(name)
            return
        value, before = self.said(name), self.experiment()
        if value is None:
            return
        try:
            before.replace(**{name: value})
        except InputError as error:
            notice(error)
            st.session_state.pop(self.key(name))
            return
        st.session_state[self.page][name] = setting.check(value)
        if name == "optimizer":
            self.choose(lr=before.replace(**before.with_usual_lr({name: value})).lr)


def notice(problem: InputError | Text) -> None:
    """Keep a sentence to be shown by the run of the page that follows."""
    st.session_state.setdefault(NOTICES, []).append(sentence(problem))


def show_notices() -> None:
    """Show what there is to say, once."""
    for words in st.session_state.pop(NOTICES, []):
        st.warning(words, icon=":material/info:")


settings = SearchSettings("search", SETTINGS, {name: {} for name in PLANS})
chosen, control = settings.__getitem__, settings.control
