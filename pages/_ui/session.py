"""What one browser session works on: its experiment, its run, and the URL that says so.

Session state holds strings and numbers only: `session` (its own name), `spec` (the experiment as JSON), `run_id` (a run
in the pool or the store), `tuned` and `brought` (networks in the store that read beside the run's), `before` (the run
left latest: its name, experiment and curves), `preset`, `speed`, `urls` (the addresses written lately), `notices`
(sentences to show once) and `shown` (those shown latest). The URL is read at the first page of a session and written by
every later one: opening the same link elsewhere shows the same thing.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable, Mapping
from functools import lru_cache

import streamlit as st

from engine import build, presets
from engine.errors import N_, InputError, Text, shorten
from engine.experiment import FIELDS, HE, SUITED, USUAL_LR, Experiment, matters
from engine.fields import ExperimentError, format_value
from engine.presets import Preset
from engine.runs import store
from engine.runs.pool import Run
from pages._ui import changed, controls
from pages._ui.channels import pool
from pages._ui.i18n import _, joined, language, run_name, sentence, translate

PREFIX = "field"  # of the keys of its widgets
DEFAULT_SPEED = "auto"
RUN_SECONDS = 10  # what the speed "auto" makes a whole run last
REMEMBERED_URLS = 200  # of each page: a rerun may carry an older one than the last, by many clicks on a slow line
NETWORKS = ("tuned", "brought")  # that read beside the run's; so the URL calls them, and the store before a hyphen
BESIDES = ("preset", "run", *NETWORKS)  # what the URL names beside the fields of the experiment
SPEEDS = ("1", "3", "10", "30", "100", "300", "1000", "auto", "max")


def experiment() -> Experiment:
    """Return the session's experiment: the one in the URL when a link was followed, else the one it worked on."""
    asked = {name: value for name, value in st.query_params.to_dict().items() if name != "lang"}
    # A rerun may carry an address that is a little older than the one written last: only one never written is a link.
    if "spec" not in st.session_state or (asked and asked not in st.session_state.get("urls", [])):
        _read_url(asked)
        _remember_url(asked)
    else:
        _part_ways()
    return Experiment.from_json(st.session_state["spec"])


def known() -> Experiment:
    """Return what the session worked on so far, whatever the URL says."""
    return Experiment.from_json(st.session_state.get("spec", "{}"))


def run() -> Run:
    """Return the session's run, started (at rest) when there is none.

    Raises `InputError` when the experiment cannot run here, a `DatasetError` when that is for want of its data.
    """
    spec = experiment()
    name = st.session_state.get("run_id", "")
    try:
        build.check(spec)
    except InputError:  # a run that was kept comes back once its data is here
        if live := find(name):
            pool().drop(live)
        raise
    live = (pool().find(name) or _open_run(name)) if name else None
    live = live or pool().start(spec, speed=steps_per_second(spec), running=False)
    st.session_state["run_id"], live.owner = live.id, own_name()
    return live


def renew(spec: Experiment | None = None) -> None:
    """Leave the session's run for a new one of the same or another experiment. The old one stays in the store."""
    spec = spec or experiment()
    _leave_run()
    _take(spec)


def change(name: str, value: object) -> None:
    """Take over the new value of a field: into the run where it can go on with that, else into a new run.

    A text that is refused stays in its field, which says why.
    """
    before = experiment()
    try:
        spec = before.replace(**before.with_usual_lr({name: value}))
        if FIELDS[name].metadata["kind"] == "text":
            build.check_size(spec)
    except ExperimentError as error:
        if FIELDS[name].metadata["kind"] != "text":
            st.session_state.pop(widget_key(name), None)
            notice(sentence(error))
        return
    st.session_state.pop(widget_key(name), None)  # it is to show what the experiment makes of the value
    if spec == before:  # a text is again what it was before it was refused, or its page is being left
        return
    current = pool().find(st.session_state.get("run_id", ""))
    if current and current.takes(spec, [name]):
        pool().command(current, "change", {name: getattr(spec, name)})
        if name == "steps":
            change_speed()  # "whole run in 10 s" is another pace now
    else:
        _leave_run()
    _take(spec)


@lru_cache
def preset_runs() -> dict[str, tuple[Preset, str]]:
    """Return every run of every preset: "ID", or "ID:LABEL" where a preset has several."""
    return {
        preset.id if len(preset.runs) == 1 else f"{preset.id}:{label}": (preset, label)
        for preset in presets.PRESETS.values()
        for label in preset.runs
    }


def choose_preset() -> None:
    """Take over the preset widget."""
    if chosen := st.session_state.get("preset_choice"):
        open_preset(chosen)


def open_preset(chosen: str) -> None:
    """Make a run of a preset, by its name in `preset_runs`, what the session works on."""
    preset, label = preset_runs()[chosen]
    _forget_refused()
    renew(preset.runs[label])
    st.session_state["preset"] = chosen


def preset_label(chosen: str) -> str:
    """Return what a person reads for a run of a preset."""
    preset, label = preset_runs()[chosen]
    title = translate(preset.title)
    return " · ".join([preset.id, *([run_name(label)] if len(preset.runs) > 1 else []), title])


def current_preset() -> str:
    """Return the preset that the experiment still is, on whatever data, seed and number of steps; "" for none."""
    chosen = st.session_state.get("preset")
    if not chosen:
        return ""
    preset, label = preset_runs()[chosen]
    return "" if preset.departures(label, experiment()) else chosen


def describe_preset(current: Run) -> None:
    """Say which published experiment the run is, what was published, and what this run measured on which data."""
    chosen = current_preset()
    if not chosen:
        return
    preset, label = preset_runs()[chosen]
    published = preset.published.get(label)
    figures = []
    if published and published.test is not None:
        figures.append(_("published {value}").format(value=f"**{published.test:.4f}**"))
    if current.state == "completed" and (measured := current.header.get("test_accuracy")) is not None:
        figures.append(_("here {value} on {data}").format(value=f"**{measured:.4f}**", data=current.experiment.data))
    with st.container(border=True, gap=None):
        which = f" ({run_name(label)})" if len(preset.runs) > 1 else ""
        st.markdown(f"**{translate(preset.title)}**{which} — {translate(preset.question)}")
        if figures:
            st.markdown(_("Test accuracy: {figures}").format(figures=joined(figures)))
        if preset.note:
            st.caption(translate(preset.note))


def steps_per_second(spec: Experiment) -> float:
    """Return the chosen speed in steps a second, 0 for as fast as possible."""
    chosen = st.session_state.get("speed", DEFAULT_SPEED)
    if chosen == "max":
        return 0.0
    return spec.steps / RUN_SECONDS if chosen == "auto" else float(chosen)


def speed_label(option: str) -> str:
    """Return what a person reads for a speed."""
    words = {"auto": _("whole run in 10 s"), "max": _("full speed"), "1": _("1 step/s")}
    return words.get(option, _("{n} steps/s").format(n=option))


def change_speed() -> None:
    """Take over the speed widget."""
    if current := pool().find(st.session_state.get("run_id", "")):
        pool().command(current, "speed", steps_per_second(current.experiment))


def new_seed() -> None:
    """Start again with other initial weights."""
    spec = experiment()
    renew(spec.replace(seed=spec.next_seed()))


def train_on(current: Run) -> None:
    """Give a completed run as many steps again."""
    try:
        spec = current.experiment.replace(steps=current.experiment.steps + current.initial.steps)
    except ExperimentError as error:
        notice(sentence(error))
        return
    pool().command(current, "change", {"steps": spec.steps})
    _take(spec)


def advice(current: Run) -> str:
    """Return what to try after a divergence."""
    spec = current.experiment
    lr = format_value(float(f"{min(USUAL_LR[spec.optimizer], spec.lr / 10):.1g}"))
    said = [Text(N_("At step {step} the loss diverged. Try a learning rate of {lr}."), step=current.step, lr=lr)]
    if spec.initializer not in SUITED[spec.activation]:
        family = "He" if SUITED[spec.activation] == HE else "Xavier"
        activation = controls.option_label("activation", spec.activation)
        template = N_("The {family} initialization suits {activation} better than the present one.")
        said.append(Text(template, family=family, activation=activation))
    return " ".join(map(sentence, said))


def before() -> dict[str, str] | None:
    """Return what the live view shows of the run that was left latest, None when there was none."""
    left = st.session_state.get("before")
    if not left:
        return None
    was, now = Experiment.from_json(left["spec"]), experiment()
    different = [name for name in FIELDS if getattr(was, name) != getattr(now, name) and matters(was, name)]
    values = changed.said({name: getattr(was, name) for name in different})
    name = _("before: {values}").format(values=values) if values else _("before")
    return {"id": left["run"], "name": name, "curves": left["curves"]}


def go_back(run: object) -> None:
    """Open this run, if it is the one that was left latest; the present one, if it was trained, is then left."""
    left = st.session_state.get("before")
    if not left or left["run"] != run:  # asked for twice
        return
    try:
        again = _open_run(left["run"])
    except InputError as error:
        notice(sentence(error))
        return
    del st.session_state["before"]
    _forget_refused()
    renew(again.experiment if again else Experiment.from_json(left["spec"]))
    if again:
        st.session_state["run_id"] = again.id
    else:
        _miss(left["run"])


def own_name() -> str:
    """Return the session's own name."""
    return st.session_state.setdefault("session", secrets.token_urlsafe(9))


def find(name: str) -> Run | None:
    """Return the run of that name if it is in a worker now, and no other session has taken it up."""
    live = pool().find(name)
    return live if live and live.owner in ("", own_name()) else None


def widget_key(name: str) -> str:
    """Return the session-state key of a field's widget."""
    return controls.widget_key(PREFIX, name)


def keep_network(kind: str, blob: bytes) -> None:
    """Keep a network that is to read beside the run's, in place of the one before of its kind, one of `NETWORKS`.

    Raises `InputError` when it cannot be kept.
    """
    name = f"{kind}-{secrets.token_urlsafe(9)}"
    try:
        store.save(name, blob)
    except OSError as error:
        raise InputError(N_("The network cannot be kept: the server's disk refuses it.")) from error
    st.session_state[kind] = name


def notice(text: str) -> None:
    """Keep a sentence to be shown by the next page."""
    st.session_state.setdefault("notices", []).append(text)


def show_notices() -> None:
    """Show what there is to say, once."""
    st.session_state["shown"] = st.session_state.pop("notices", [])
    for text in st.session_state["shown"]:
        st.warning(text, icon=":material/info:")


def show_again() -> None:
    """Let the next run of the page show what this one did: it comes without the person's doing."""
    st.session_state["notices"] = st.session_state.get("shown", []) + st.session_state.get("notices", [])


def unknown(names: Iterable[str]) -> Text:
    """Return the sentence about names in an address that nothing on its page has."""
    return Text(N_("The address sets {name}, but there is no such setting here."), name=shorten(", ".join(names), 80))


def wrote(query: Mapping[str, str]) -> bool:
    """Tell whether an address is one of the Train page's.

    Where a page's script switches to that page, the browser may hear of the new address before the new path. What it
    comes "Back" to then is the first page's path with this address, which is no link that anybody followed.
    """
    asked = {name: value for name, value in query.items() if name != "lang"}
    return bool(asked) and asked in st.session_state.get("urls", [])


def write_url() -> None:
    """Make the URL say what the session works on."""
    wanted = experiment().to_query()
    if preset := current_preset():
        wanted["preset"] = preset
    live = pool().find(st.session_state.get("run_id", ""))
    if live and live.started:
        wanted["run"] = live.id
    wanted |= {kind: st.session_state[kind] for kind in NETWORKS if st.session_state.get(kind)}
    _remember_url(wanted)
    wanted = wanted | {"lang": language()}
    st.query_params.from_dict(wanted)  # always: after a change of page the browser's address is bare


def link(query: dict[str, str]) -> dict[str, str]:
    """Return a query for a link of ours, which opens its experiment however often it was followed before."""
    _forget_url(query)
    return query


def _forget_url(query: dict[str, str]) -> None:
    st.session_state["urls"] = [it for it in st.session_state.get("urls", []) if it != query]


def _remember_url(query: dict[str, str]) -> None:
    _forget_url(query)
    st.session_state["urls"] = [*st.session_state["urls"], query][-REMEMBERED_URLS:]


def _read_url(query: dict[str, str]) -> None:
    _leave_run()
    base = None
    st.session_state["preset"] = ""
    if (chosen := query.get("preset")) is not None:
        if chosen in preset_runs():
            preset, label = preset_runs()[chosen]
            base = preset.runs[label]
            st.session_state["preset"] = chosen
        else:
            legal = ", ".join(list(preset_runs())[:4]) + ", …"
            notice(sentence(ExperimentError("preset", Text(N_("one of {options}"), options=legal), chosen)))
    _forget_refused()
    spec, errors = Experiment.read_query(query, base)
    for error in errors:
        notice(sentence(error))
    if (name := query.get("run")) is not None:
        try:
            if kept := _open_run(name):
                spec = kept.experiment
                st.session_state["run_id"] = kept.id
            else:
                _miss(name)
        except InputError as error:
            notice(sentence(error))
    for kind in NETWORKS:
        if (name := query.get(kind)) is not None:
            _read_network(kind, name)
    if others := [name for name in query if name not in (*FIELDS, *BESIDES)]:
        notice(sentence(unknown(others)))
    _take(spec)


def _read_network(kind: str, name: str) -> None:
    """Let the network of that name read; where there is none, the one before of its kind goes on."""
    if name.startswith(f"{kind}-") and store.load(name):
        st.session_state[kind] = name
    else:
        notice(sentence(Text(N_("There is no network {name} on this server."), name=shorten(name))))


def _take(spec: Experiment) -> None:
    """Make `spec` the session's experiment; the widgets are to show what is new in it."""
    before = known()
    st.session_state["spec"] = spec.to_json()
    for name in FIELDS:
        if getattr(spec, name) != getattr(before, name):  # others may hold what their callbacks are yet to take over
            controls.turn_widget(PREFIX, name)


def _forget_refused() -> None:
    """Have the fields of texts show what is taken, where what was typed was refused."""
    for name, item in FIELDS.items():
        if item.metadata["kind"] == "text":
            controls.turn_widget(PREFIX, name)


def _open_run(name: str) -> Run | None:
    """Return the run of that name at the session's speed, None when there is none."""
    live = pool().open(name)
    if live:
        live.owner = own_name()
        pool().command(live, "speed", steps_per_second(live.experiment))
    return live


def _part_ways() -> None:
    """Go on with a copy of the session's run if another session has taken it up, while nobody watched it here.

    Else each would see the other's settings come true beside its own fields.
    """
    name = st.session_state.get("run_id", "")
    live = pool().find(name)
    if not live or find(name):
        return
    try:
        own = _open_run(live.id)
    except InputError as error:
        notice(sentence(error))
        own = None
    st.session_state["run_id"] = own.id if own else ""
    if own:
        _take(own.experiment)


def _miss(name: str) -> None:
    template = N_("There is no run {run} on this server; its experiment starts afresh.")
    notice(sentence(Text(template, run=shorten(name))))


def _leave_run() -> None:
    name = st.session_state.pop("run_id", "")
    if current := find(name):
        pool().drop(current)
    left = pool().left(name)  # also where the pool has dropped it by itself, while another page was looked at
    if left and left.step and left.state != "diverged":  # a loss beyond all bounds would flatten the next
        spec, curves = left.experiment.to_json(), base64.b64encode(left.curves).decode()
        st.session_state["before"] = {"run": name, "spec": spec, "curves": curves}
