"""The sidebar of the search page: what varies from trial to trial, and what all trials have in common."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine import build
from engine.errors import InputError
from engine.experiment import FIELDS, Experiment, matters
from engine.fields import format_value
from engine.search.axes import MAX_AXES, SEARCHABLE, Axis, Options, Range, format_axes, is_number, parse_axis, usual
from pages._ui import controls, session
from pages._ui.choice import face, turn
from pages._ui.i18n import _, sentence, translate
from pages._ui.searching.settings import AXIS_PARTS, chosen, control, settings


def sidebar(*, fixed: bool) -> None:
    """Draw the sidebar. fixed: a search is shown, nothing can be changed."""
    with st.sidebar:
        with st.expander(_("What is searched"), expanded=True):
            axes_form(fixed)
        with st.expander(_("What every trial is compared on"), expanded=True):
            left, right = st.columns(2, vertical_alignment="bottom")
            with left:
                control("share", disabled=fixed, width="stretch")
            with right:
                control("draws", disabled=fixed, width="stretch")
            st.caption(parts())
        st.caption(_("The same in all trials:"))
        st.button(
            _("As on the Train page"), icon=":material/input:", on_click=from_train, disabled=fixed, key="search_train",
            help=_("Use the experiment set on the Train page."), width="stretch",
        )  # fmt: skip
        experiment = settings.experiment()
        searched = {axis.name for axis in settings.axes()}
        for group, title in controls.GROUPS.items():
            names = [name for name, it in FIELDS.items() if it.metadata["group"] == group]
            shown = [name for name in names if name not in searched and matters_here(experiment, name, searched)]
            with st.expander(translate(title)):
                for row in controls.rows(shown):
                    for column, name in zip(st.columns(len(row), vertical_alignment="bottom"), row, strict=True):
                        with column:
                            control(name, disabled=fixed)


def axes_form(fixed: bool) -> None:
    """Draw the choice of fields, and the range or the options of each."""
    axes = settings.axes()
    experiment = settings.experiment()
    searched = {axis.name for axis in axes}
    offered = [it for it in SEARCHABLE if it in searched or matters_here(experiment, it, searched)]
    key, names = face("axis_names", worded=True), [axis.name for axis in axes]
    st.session_state.setdefault(key, names)
    st.multiselect(
        _("Fields"), offered, names, key=key, format_func=label, select_all=False, on_change=take_names,
        disabled=fixed, label_visibility="collapsed",
    )  # fmt: skip
    for axis in axes:
        if isinstance(axis, Range):
            range_form(axis, fixed)
        else:
            options_form(axis, fixed)


def range_form(axis: Range, fixed: bool) -> None:
    """Draw the two ends of a range, and its scale."""
    meta, title = FIELDS[axis.name].metadata, label(axis.name)
    common = {"on_change": take_axis, "args": (axis.name,), "disabled": fixed}
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{title}**", width="content")
        key = axis_key(axis.name, "log")
        st.session_state.setdefault(key, axis.log)
        words = _("{field} on a logarithmic scale: every power of ten is tried as often.").format(field=title)
        st.toggle(_("log"), axis.log, key=key, help=words, **common)
    for column, end, words in zip(st.columns(2), ("low", "high"), (_("from"), _("to")), strict=True):
        value, key = getattr(axis, end), axis_key(axis.name, end)
        st.session_state.setdefault(key, value)
        moved = {"step": meta["step"]} if axis.whole else {"step": controls.leading(value), "format": "%g"}
        column.number_input(
            f"{title}: {words}", meta["low"], meta["high"], value, key=key, label_visibility="collapsed",
            **moved, **common,
        )  # fmt: skip
    try:
        changed(axis)
    except InputError as error:
        st.warning(sentence(error), icon=":material/info:")


def options_form(axis: Options, fixed: bool) -> None:
    """Draw the options of a field that is no number."""
    key, common = axis_key(axis.name, "options"), {"on_change": take_axis, "args": (axis.name,), "disabled": fixed}
    meta = FIELDS[axis.name].metadata
    if meta["kind"] == "text":
        value = " | ".join(axis.values)
        st.session_state.setdefault(key, value)
        st.text_input(
            label(axis.name), value, key=key, max_chars=600, help=_("Networks to choose from, with | between them."),
            **common,
        )  # fmt: skip
    elif meta["kind"] == "choice":
        st.session_state.setdefault(key, list(axis.values))
        words = {option: controls.option_label(axis.name, option) for option in meta["options"]}
        st.multiselect(
            label(axis.name), meta["options"], axis.values, key=key, format_func=words.get, select_all=False, **common
        )
    else:
        st.markdown(f"**{label(axis.name)}**: " + _("on or off"))


def axis_key(name: str, part: str) -> str:
    """Return the session-state key of one of the widgets for a field's range or options."""
    return face(f"axis_{name}_{part}", worded=part == "options")


def take_names() -> None:
    """Take over which fields are searched: what Streamlit itself says of too many it says in English alone."""
    if settings.search():
        turn("axis_names", worded=True)
        return
    kept = {axis.name: axis for axis in settings.axes()}
    names = [name for name in st.session_state.pop(face("axis_names", worded=True), kept) if name in SEARCHABLE]
    axes = [axis for name, axis in kept.items() if name in names] + [usual(it) for it in names if it not in kept]
    if len(axes) > MAX_AXES:
        session.notice(_("A search has at most {n} fields. Leave one out first.").format(n=MAX_AXES))
    choose(axes if 1 <= len(axes) <= MAX_AXES else list(kept.values()))


def take_axis(name: str) -> None:
    """Take over the range or the options of a field.

    A range that is refused stays in its fields, which say why: its other end may follow.
    """
    axes = {axis.name: axis for axis in settings.axes()}
    if settings.search():
        settings.turn_widgets(name)
        return
    if name not in axes:  # left out at the same moment
        return
    try:
        axes[name] = changed(axes[name])
    except InputError as error:
        if is_number(name):
            return
        session.notice(sentence(error))
    for part in AXIS_PARTS:  # they are to show what is made of what they say
        st.session_state.pop(axis_key(name, part), None)
    choose(list(axes.values()))


def changed(axis: Axis) -> Axis:
    """Return an axis as its widgets say. Raises `ExperimentError`."""
    if is_number(axis.name):
        said = {part: st.session_state.get(axis_key(axis.name, part)) for part in ("low", "high", "log")}
        return replace(axis, **{part: value for part, value in said.items() if value is not None})
    options = st.session_state.get(axis_key(axis.name, "options"))
    if options is None:
        return axis
    if isinstance(options, str):
        return parse_axis(f"{axis.name}:{options.replace(',', ' ')}")
    return Options(axis.name, tuple(options))


def check() -> None:
    """Raise `ExperimentError` where a range is typed that was refused."""
    for axis in settings.axes():
        changed(axis)


def choose(axes: list[Axis]) -> None:
    """Choose what is searched, in the order of the fields."""
    order = list(FIELDS)
    settings.choose(over=format_axes(tuple(sorted(axes, key=lambda axis: order.index(axis.name)))))


def from_train() -> None:
    """Take over the experiment of the Train page."""
    if settings.search():
        return
    settings.take_experiment(session.known())
    st.toast(_("The trials now train the network of the Train page."), icon=":material/input:")


def parts() -> str:
    """Say how the training examples are divided, and how long a trial is."""
    experiment = settings.experiment()
    try:
        n = len(build.build_dataset(experiment.replace(test_size=1)).x_train)
    except InputError:
        return ""  # starting says why
    held = round(chosen("share") * n)
    epochs = experiment.steps * experiment.batch_size / max(n - held, 1)
    return _("{learn} examples to learn from, {held} held out. {steps} steps: {epochs} epochs.").format(
        learn=f"{n - held:,}", held=f"{held:,}", steps=f"{experiment.steps:,}", epochs=f"{epochs:.3g}"
    )


def matters_here(experiment: Experiment, name: str, searched: set[str]) -> bool:
    """Tell whether a field has any effect in some trial."""
    condition = FIELDS[name].metadata.get("when")
    return matters(experiment, name) or (condition is not None and condition[0] in searched)


def label(name: str) -> str:
    """Return what a person reads for a field."""
    return translate(FIELDS[name].metadata["label"])


def value_label(name: str, value: object) -> str:
    """Return what a person reads for a value of a field."""
    if isinstance(value, bool):
        return _("on") if value else _("off")
    return controls.option_label(name, value) if isinstance(value, str) else format_value(value)
