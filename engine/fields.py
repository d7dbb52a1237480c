"""A field of an experiment says about itself all that anybody asks: its metadata are read by whoever meets it.

`check`, `parse_value` and `format_value` below, for the command line and the URL, read

    kind             "choice", "int", "float", "bool" or "text"
    options          of a choice: the legal values
    low, high        of a number: the least and the largest legal value

and the page's widgets, which are made from these as well,

    step             of a number: what + and − add
    group            the part of the page it stands in: "data", "network", "training" or "regularization"
    label, help      its name, and what it does in one sentence or two: messages to be translated
    when             (field, values): it matters only where that other field has one of these values; always without
    live             whether it may be changed while a run goes on; not without

Standard library only, as all of the spec (experiment.py).
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import field

from engine.errors import N_, InputError, Text, shorten

MAX_TEXT = 600  # characters
WIDE = {0xFEE0 + code: chr(code) for code in range(0x21, 0x7F)}  # "ｄｅｎｓｅ５０"
PLAIN = WIDE | str.maketrans(",、，", "   ")


class ExperimentError(InputError):
    """A field of an experiment is outside its legal range; `field` names it."""

    def __init__(self, name: str, legal: str | Text, received: object) -> None:
        legal = legal if isinstance(legal, Text) else Text(legal)
        quoted = shorten(format_value(received) if isinstance(received, float) else received)
        super().__init__(N_("{field} must be {legal}, not {received}."), field=name, legal=legal, received=quoted)
        self.field = name


def choice(default: str, options: tuple[str, ...], **metadata) -> str:
    """Declare a field whose value is one of `options`; the metadata are group, label, help, when and live (above)."""
    return field(default=default, metadata={"kind": "choice", "options": options, **metadata})


def integer(default: int, low: int, high: int, *, step: int = 1, **metadata) -> int:
    """Declare a field whose value is a whole number from `low` to `high`."""
    return field(default=default, metadata={"kind": "int", "low": low, "high": high, "step": step, **metadata})


def real(default: float, low: float, high: float, *, step: float, **metadata) -> float:
    """Declare a field whose value is a number from `low` to `high`, never NaN."""
    return field(default=default, metadata={"kind": "float", "low": low, "high": high, "step": step, **metadata})


def switch(default: bool, **metadata) -> bool:
    """Declare a field that is true or false."""
    return field(default=default, metadata={"kind": "bool", **metadata})


def text(default: str, **metadata) -> str:
    """Declare a field whose value is words, at most `MAX_TEXT` characters; `Experiment` parses them."""
    return field(default=default, metadata={"kind": "text", **metadata})


def legal(item: dataclasses.Field) -> Text:
    """Return what a field may be."""
    meta = item.metadata
    match meta["kind"]:
        case "choice":
            return Text(N_("one of {options}"), options=", ".join(meta["options"]))
        case "bool":
            return Text(N_("true or false"))
        case "text":
            return Text(N_("a text of at most {n} characters"), n=MAX_TEXT)
        case kind:
            whole = kind == "int"
            template = N_("a whole number from {low} to {high}") if whole else N_("a number from {low} to {high}")
            return Text(template, low=format_value(meta["low"]), high=format_value(meta["high"]))


def check(item: dataclasses.Field, value: object) -> object:
    """Return `value` in its field's type; raises `ExperimentError` when it is of another kind or out of range."""
    meta = item.metadata
    kind = meta["kind"]
    if kind == "choice":
        ok = value in meta["options"]
    elif kind == "bool":
        ok = isinstance(value, bool)
    elif kind == "text":
        ok = isinstance(value, str) and len(value) <= MAX_TEXT
    else:
        ok = isinstance(value, (int, float)) and not isinstance(value, bool) and meta["low"] <= value <= meta["high"]
        ok = ok and (kind == "float" or value == int(value))
    if not ok:
        raise ExperimentError(item.name, legal(item), value)
    convert = {"int": int, "float": float, "text": lambda text: " ".join(words(text))}.get(kind, lambda same: same)
    return convert(value)


def words(description: str) -> list[str]:
    """Return the words of a text, with blanks or commas between them, Japanese ones too.

    A Japanese keyboard may type wide letters and digits, a phone's begins with a capital: both are meant as plain ones.
    """
    return description.translate(PLAIN).lower().split()


def parse_value(item: dataclasses.Field, value: str) -> object:
    """Return the text of a URL or a command line as a value of the field; raises `ExperimentError`."""
    kind, meant = item.metadata["kind"], value
    if kind == "bool":
        meant = {"true": True, "false": False}.get(str(value).lower(), value)
    elif kind in ("int", "float"):
        with contextlib.suppress(TypeError, ValueError):  # `check` names the legal range
            number = float(value)
            meant = int(number) if kind == "int" and number.is_integer() else number
    try:
        return check(item, meant)
    except ExperimentError:
        raise ExperimentError(item.name, legal(item), value) from None  # what arrived, not what became of it


def format_value(value: object) -> str:
    """Return a field's value as text, the shortest that parses to the same value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)
