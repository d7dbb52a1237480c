"""What may be chosen on a page, in one table: widgets, what is chosen, and the address that says so.

Session state holds what is chosen under the page's name; a widget is only its face, and may come and go with the part
of the page that it belongs to. A busy server hears of several widgets at once, so that the callback of one may find
that another's has chosen for it: then that widget's key is gone.

The address names what differs from the default, or, where the page shows exactly what a row of the published
experiments asks for, that row: `?preset=ch05-apples`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from engine.errors import N_, InputError, Text, shorten
from pages._ui import session
from pages._ui.choice import face, heard, turn
from pages._ui.i18n import _, language, sentence, translate

Value = int | float | str


@dataclass(frozen=True)
class Setting:
    """What may be chosen under a name: one of `options`, or a number from `low` to `high`.

    words: what a person reads for an option that does not stand for itself. widget: segments, slider, select, toggle,
    number, text, or none where the page draws its own.
    """

    label: str
    default: Value
    options: tuple[Value, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    step: float = 1
    widget: str = "segments"
    words: Mapping[Value, str] = field(default_factory=dict)
    help: str = ""
    width: int | str = 120

    def word(self, option: Value) -> str:
        """Return what a person reads for an option, in the session's language."""
        return translate(self.words[option]) if option in self.words else str(option)

    @property
    def is_worded(self) -> bool:
        """Tell whether a person reads words for the options."""
        return bool(self.words)

    def step_at(self, value: Value) -> Value:
        """Return how far one click moves a number."""
        return self.step

    def check(self, value: Value) -> Value:
        """Return the value. Raises `InputError` when it cannot be chosen."""
        if value in self.options if self.options else self.low <= value <= self.high:
            return value
        raise self._error(value)

    def parse(self, text: str) -> Value:
        """Return what an address says. Raises `InputError` when it cannot be chosen."""
        for option in self.options:
            if text == str(option):
                return option
        if self.options:
            raise self._error(text)
        try:
            value = type(self.default)(text) if text.isascii() and len(text) < 40 else math.nan
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high:
            raise self._error(text)
        return value

    def _error(self, received: object) -> InputError:
        whole = all(isinstance(option, int) for option in self.options) if self.options else self._is_whole()
        low, high = (self.options[0], self.options[-1]) if self.options else (self.low, self.high)
        if whole:
            legal = Text(N_("a whole number from {low} to {high}"), low=low, high=high)
        elif self.options:
            legal = Text(N_("one of {options}"), options=", ".join(map(str, self.options)))
        else:
            legal = Text(N_("a number from {low} to {high}"), low=f"{low:g}", high=f"{high:g}")
        template = N_("{field} must be {legal}, not {received}.")
        return InputError(template, field=Text(self.label), legal=legal, received=shorten(received))

    def _is_whole(self) -> bool:
        return isinstance(self.default, int)


def whole(label: str, low: int, high: int, default: int, widget: str = "segments", **more: object) -> Setting:
    """Return a setting of few whole numbers, every one an option."""
    return Setting(label, default, tuple(range(low, high + 1)), widget=widget, **more)


def named(label: str, words: Mapping[str, str], default: str, widget: str = "select", **more: object) -> Setting:
    """Return a setting of options with words of their own."""
    return Setting(label, default, tuple(words), widget=widget, words=words, **more)


def number(label: str, low: float, high: float, default: float, *, step: float = 1, **more: object) -> Setting:
    """Return a setting of a number, typed or moved by `step`; a float where `default` is one."""
    return Setting(label, default, low=low, high=high, step=step, **{"widget": "number"} | more)


def toggle(label: str, default: int, **more: object) -> Setting:
    """Return a setting that is on (1) or off (0)."""
    return whole(label, 0, 1, default, "toggle", **more)


class Settings:
    """The settings of a page. rows: ids of published experiments, and what to choose to see each of them here."""

    def __init__(
        self, page: str, table: Mapping[str, Setting], rows: Mapping[str, Mapping[str, Value]] | None = None
    ) -> None:
        self.page, self.table, self.rows = page, table, rows or {}

    def __getitem__(self, name: str) -> Value:
        """Return what is chosen."""
        return st.session_state[self.page][name]

    def choose(self, **values: Value) -> None:
        """Choose; the widgets follow."""
        before = dict(st.session_state[self.page])
        st.session_state[self.page] |= values
        for name in values:
            if values[name] != before.get(name):
                turn(f"{self.page}_{name}", worded=self.table[name].is_worded)

    def defaults(self) -> dict[str, Value]:
        """Return what is chosen at first."""
        return {name: setting.default for name, setting in self.table.items()}

    def row(self) -> str | None:
        """Return the published experiment that the page shows just as it was published, None when it shows none."""
        now = st.session_state[self.page]
        return next((id for id, values in self.rows.items() if now == self.defaults() | values), None)

    def begin(self, values: Mapping[str, Value]) -> None:
        """Choose these values, and all others as they are at first."""
        self.choose(**self.defaults() | values)

    def show_row(self, id: str) -> None:
        """Choose what a published experiment asks for."""
        self.begin(self.rows[id])

    def open_address(self) -> dict[str, str] | None:
        """Take over what the address says, at the first visit and whenever a link was followed; say what is wrong.

        Returns what a link that was followed says besides; None where none was.
        """
        asked = {name: value for name, value in st.query_params.to_dict().items() if name != "lang"}
        if self.page not in st.session_state:
            st.session_state[self.page] = self.defaults()
        if not asked or asked in st.session_state.get(self._written, []) or session.wrote(asked):
            return None
        values, others = {}, {}
        for name, text in asked.items():
            try:
                if name == "preset" and self.rows:
                    values |= self._row(text)
                elif name in self.table:
                    values[name] = self.table[name].parse(text)
                else:
                    others[name] = text
            except InputError as error:
                st.warning(sentence(error), icon=":material/info:")
        self.begin(values)
        return others

    def address(self) -> dict[str, str]:
        """Return what the address says of what is chosen."""
        if row := self.row():
            return {"preset": row}
        return {name: str(self[name]) for name, setting in self.table.items() if self[name] != setting.default}

    def write_address(self, others: Mapping[str, str] | None = None) -> None:
        """Make the address say what is chosen, and the `others` that `open_address` is to return."""
        wanted = self.address() | (others or {})
        earlier = [it for it in st.session_state.get(self._written, []) if it != wanted]
        st.session_state[self._written] = [*earlier, wanted][-session.REMEMBERED_URLS :]
        st.query_params.from_dict(wanted | {"lang": language()})

    def control(self, name: str, **layout: object) -> Value:
        """Draw the widget of a setting, its default what is chosen (choice.py says why), and return that."""
        setting, key = self.table[name], self.key(name)
        value = bool(self[name]) if setting.widget == "toggle" else self[name]
        if key not in st.session_state:
            st.session_state[key] = value
        common = {"label": translate(setting.label), "key": key, "on_change": self._take, "args": (name,)} | layout
        if setting.help:
            common["help"] = translate(setting.help)
        low, high = (setting.options[0], setting.options[-1]) if setting.options else (setting.low, setting.high)
        span = {"min_value": low, "max_value": high, "step": setting.step_at(self[name])}
        span |= {"format": "%g"} if isinstance(setting.default, float) else {}
        match setting.widget:
            case "segments":
                common |= {"format_func": setting.word, "required": True}
                st.segmented_control(options=setting.options, default=value, **common)
            case "slider":
                st.slider(value=value, **{"width": max(setting.width, 115)} | span | common)
            case "select":
                common = {"format_func": setting.word, "width": setting.width} | common
                st.selectbox(options=setting.options, index=setting.options.index(value), **common)
            case "toggle":
                st.toggle(value=value, **common)
            case "text":
                st.text_input(value=value, max_chars=600, **common)
            case "number":
                st.number_input(value=value, **{"width": setting.width} | span | common)
        return self[name]

    def controls(self, *names: str, new: bool = False) -> None:
        """Draw the widgets of several settings in a row. new: also the button that takes other random numbers."""
        with st.container(horizontal=True, vertical_alignment="bottom"):
            for name in names:
                self.control(name)
            if new:
                self.new_numbers()

    def new_numbers(self) -> None:
        """Draw the button that takes other random numbers: another `seed`.

        It is called `draw` where the same address has the seed of an experiment.
        """
        st.button(_("New numbers"), icon=":material/casino:", key="new_numbers", on_click=self._reseed)

    def key(self, name: str) -> str:
        """Return the session-state key of a setting's widget."""
        return face(f"{self.page}_{name}", worded=self.table[name].is_worded)

    def said(self, name: str) -> Value | None:
        """Return what the widget of a setting says, see `heard`."""
        return heard(self.key(name), self.table[name].options)

    @property
    def _written(self) -> str:
        return f"{self.page}_addresses"

    def _row(self, id: str) -> Mapping[str, Value]:
        if id not in self.rows:
            legal = Text(N_("one of {options}"), options=", ".join(self.rows))
            template = N_("{field} must be {legal}, not {received}.")
            raise InputError(template, field="preset", legal=legal, received=shorten(id))
        return self.rows[id]

    def _reseed(self) -> None:
        name = "draw" if "draw" in self.table else "seed"
        self.choose(**{name: (self[name] + 1) % len(self.table[name].options)})

    def _take(self, name: str) -> None:
        value = self.said(name)
        if value is not None:
            st.session_state[self.page][name] = int(value) if self.table[name].widget == "toggle" else value
