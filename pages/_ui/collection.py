"""My digits on the page: what was kept, as a file to take away or bring back, and a network that learns from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import streamlit as st

from engine.data import datasets
from engine.data.my_digits import MyDigits
from engine.errors import N_, InputError, Text, shorten
from engine.runs import tuning
from engine.training.fine_tuning import OTHERS, Tuned
from pages._ui import session
from pages._ui.canvas.canvas import Labelled
from pages._ui.choice import choice
from pages._ui.i18n import _, sentence, translate
from pages._ui.pictures import as_url
from pages._ui.reading.network import LABELS, Network
from pages._ui.upload import uploader

LEARNING = "learning"  # in the session's state, as long as a network is to learn and has not yet
SHOWN = 60  # drawings, the latest
MIRRORED = 1_000_000  # characters that the browser may keep: several hundred drawings; Streamlit takes 2 MB back
CSS = """<style>
.kept {display: flex; flex-wrap: wrap; gap: .35rem; max-height: 11rem; overflow: auto}
.kept figure {margin: 0; text-align: center; font-size: .78rem; line-height: 1.3}
.kept figure {position: relative}
.kept img {width: 42px; height: 42px; image-rendering: pixelated; border-radius: .2rem; display: block}
.kept figure::before {content: attr(data-number); position: absolute; inset: 1px auto auto 3px; font-size: .6rem;
  line-height: 1.2; color: #b9c4d4}
.counts {display: grid; grid-template-columns: repeat(10, minmax(0, 2.6rem)); gap: .2rem; margin-bottom: .6rem}
.counts div {text-align: center; border-radius: .25rem; padding: .1rem; font-size: .78rem;
  background: color-mix(in srgb, currentColor 7%, transparent)}
.counts b {display: block; font-size: 1rem}
</style>"""


def keep(digits: MyDigits, drawings: Iterable[Labelled]) -> None:
    """Keep drawings as what the pad says that they are, each once, however often it says so."""
    for drawing in drawings:
        if drawing.serial <= heard(digits)["serial"]:
            continue
        record = None
        try:
            record = digits.label(drawing.label, drawing.strokes)
        except InputError as error:
            session.notice(sentence(error))
        st.session_state["my_digits_heard"] = drawing.serial, record


def heard(digits: MyDigits) -> dict[str, object]:
    """Return up to which serial number the pad was heard, and whether that drawing is still kept."""
    serial, record = st.session_state.get("my_digits_heard", (0, None))
    return {"serial": serial, "kept": any(kept is record for kept in digits.records)}


def mirror(digits: MyDigits) -> str | None:
    """Return what the browser is to keep of them beyond a reload, None where it is to say what it has kept."""
    if len(digits):
        st.session_state["my_digits_known"] = True
    if not st.session_state.get("my_digits_known"):
        return None
    text = digits.to_jsonl()
    return text if len(text) <= MIRRORED else ""


def bring_back(digits: MyDigits, kept: object) -> None:
    """Add what a browser says that it has kept, all of it or nothing, and once. Raises `InputError`."""
    if st.session_state.get("my_digits_known"):
        return
    st.session_state["my_digits_known"] = True
    session.show_again()
    if not isinstance(kept, str) or len(kept) > MIRRORED:
        template = N_("What the browser has kept must be text of at most {limit} characters, not {received}.")
        raise InputError(template, limit=f"{MIRRORED:,}", received=shorten(kept))
    digits.read_jsonl(kept.encode(errors="replace"))


def show(digits: MyDigits, networks: Mapping[str, Network]) -> None:
    """Show the drawings that were kept and what can be done with them."""
    drawings, learning = st.columns([1.6, 1], gap="medium")
    with drawings:
        show_drawings(digits)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.button(
                _("Remove the last"), icon=":material/undo:", disabled=not len(digits), on_click=digits.remove_last
            )
            st.download_button(
                _("Download"), digits.to_jsonl(), "my-digits.jsonl", "application/jsonl",
                icon=":material/download:", disabled=not len(digits),
            )  # fmt: skip
        if len(digits) > 1:
            offer_to_remove(digits)
        uploader(
            "my_digits", _("Bring digits back from a file (.jsonl)"), ["jsonl"], lambda data: bring_file(digits, data)
        )
        if added := st.session_state.pop("my_digits_added", ""):
            st.success(added, icon=":material/check:")
        if problem := st.session_state.pop("my_digits_problem", ""):
            st.error(problem, icon=":material/error:")
    with learning:
        learn(digits, networks)


def show_drawings(digits: MyDigits) -> None:
    """Show how many there are of each digit, and the latest as the networks see them."""
    counts = "".join(f"<div><b>{digit}</b>× {count}</div>" for digit, count in enumerate(digits.counts()))
    pictures, labels = digits.arrays()
    numbered = list(enumerate(zip(pictures, labels, strict=True), start=1))
    figures = "".join(
        f'<figure data-number="{number}"><img alt="{label}" src="{as_url(picture[:, :, 0])}">{label}</figure>'
        for number, (picture, label) in reversed(numbered[-SHOWN:])
    )
    st.html(f'{CSS}<div class="counts">{counts}</div><div class="kept">{figures}</div>')
    if not len(digits):
        st.caption(_("Draw a digit above and say what it was: it is kept here."))
    elif mirror(digits):
        st.caption(_("They are kept in this browser tab, even when it is reloaded. Download them before you close it."))
    else:
        st.caption(_("These are too many to survive a reload of this page. Download them before that."))


def offer_to_remove(digits: MyDigits) -> None:
    """Let the person choose one of the drawings by its number, look at it, and take it out."""
    n = len(digits)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.number_input(
            _("Remove one by its number"), 1, n, None, step=1, placeholder=f"1 – {n}",
            key=f"my_digit_of_{n}", width=170,  # another one after every change finds nothing chosen
        )  # fmt: skip
        if number is None:
            return
        record, (pictures, labels) = digits.records[number - 1], digits.arrays()
        picture, label = pictures[number - 1, :, :, 0], labels[number - 1]
        st.image(as_url(picture), width=42, alt=str(label))
        words = _("Remove number {number} (“{digit}”)").format(number=number, digit=label)
        st.button(words, icon=":material/delete:", key="remove_my_digit", on_click=remove, args=(digits, record))


def remove(digits: MyDigits, record: dict[str, object]) -> None:
    """Forget one drawing; a second click on the same button finds it gone, and takes no other."""
    digits.records[:] = [kept for kept in digits.records if kept is not record]


def bring_file(digits: MyDigits, data: bytes) -> None:
    """Add the drawings of a file, and keep the sentence that says how many or what is wrong with it."""
    before = len(digits)
    try:
        if not (count := digits.read_jsonl(data)):
            raise InputError(N_("There are no drawings in this file."))
        added = len(digits) - before
        some, all_new = N_("Added to My digits: {n}. Already there: {there}."), N_("Added to My digits: {n}.")
        text = Text(all_new, n=added) if added == count else Text(some, n=added, there=count - added)
        st.session_state["my_digits_added"] = sentence(text)
    except InputError as error:
        st.session_state["my_digits_problem"] = sentence(error)


def learn(digits: MyDigits, networks: Mapping[str, Network]) -> None:
    """Offer to train a copy of a network on the drawings, and say what came of it."""
    names = [name for name in networks if name != "tuned"] + ["tuned"] * ("tuned" in networks)
    chosen = choice(
        st.selectbox, _("Let a copy of this network learn them"), names, names[0], key="tune_which",
        format_func=lambda name: translate(LABELS[name]),
    )  # fmt: skip
    st.caption(
        _(
            "For about two seconds it goes on training: on your digits, each turned and shifted a little, among digits "
            "of MNIST, so that it does not forget them. It then reads beside the others."
        )
    )
    st.button(
        _("Learn my digits"), icon=":material/school:", type="primary", disabled=not len(digits), key="learn",
        on_click=ask_to_learn,
    )  # fmt: skip
    if st.session_state.get(LEARNING) and len(digits):
        try:
            with st.spinner(_("The network learns your digits …")):
                tuned = tuning.tune(networks[chosen].weights(), digits.arrays(), datasets.load("mnist-5k"))
            keep_tuned(tuned, len(digits))
        except InputError as error:
            st.session_state.pop(LEARNING)
            st.error(sentence(error), icon=":material/error:")
            return
        st.session_state.pop(LEARNING)
        st.rerun()
    told = st.session_state.get("tuned_figures")
    if told and told["of"] == st.session_state.get("tuned"):
        st.markdown(
            _(
                "Read right before and after {steps} steps: of My digits **{before[0]}** and **{after[0]}** of {n} (it "
                "learned from these very ones); of the MNIST digits that it did not learn from this time "
                "**{before[1]}** and **{after[1]}** of {others}."
            ).format(others=OTHERS, **told)
        )


def ask_to_learn() -> None:
    """Have a network learn, until it has: another click ends the run of the page that waits for it."""
    st.session_state[LEARNING] = True


def keep_tuned(tuned: Tuned, n: int) -> None:
    """Let a network that has learned n drawings read here, and keep what is said of it."""
    session.keep_network("tuned", tuned.model)
    before, after = ([round(share * of) for share, of in zip(shares, (n, OTHERS), strict=True)]
                     for shares in (tuned.before, tuned.after))  # fmt: skip
    st.session_state["tuned_figures"] = {
        "of": st.session_state["tuned"],
        "n": n,
        "before": before,
        "after": after,
        "steps": tuned.steps,
    }
