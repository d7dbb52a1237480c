"""A photo or picture file in place of a drawing: every digit on it is found, and read by each network."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw, ImageFont

from engine.data import datasets
from engine.data.my_digits import MyDigits
from engine.data.photo import FoundDigit, find_digits
from engine.data.picture import SUFFIXES, load_picture
from engine.errors import N_, InputError, Text, shorten
from pages._ui.address import on_this_machine
from pages._ui.choice import choice
from pages._ui.i18n import _, sentence, translate
from pages._ui.pictures import as_url
from pages._ui.reading.network import LABELS, Network
from pages._ui.upload import accept, camera, count, held, hold, show_refusal, uploader

FRAME = (255, 140, 26)
TURNS = (0, 90, 180, 270)
NOT_KEPT = "-"  # written in place of a digit
CSS = """<style>
.found {display: flex; flex-wrap: wrap; gap: .6rem}
.found figure {margin: 0; padding: .5rem; border: 1px solid color-mix(in srgb, currentColor 18%, transparent);
  border-radius: .4rem; width: 8.75rem; font-size: .8rem; line-height: 1.3}
.found header {display: flex; justify-content: space-between; color: color-mix(in srgb, currentColor 80%, transparent)}
.found img {width: 84px; height: 84px; image-rendering: pixelated; border-radius: .2rem}
.found p {margin: .35rem 0 0; font-size: .8rem}
.found b {font-size: 1.3rem; line-height: 1}
.found small {display: block; font-size: .72rem; opacity: .7}
</style>"""


def show(networks: Mapping[str, Network], digits: MyDigits) -> None:
    """Ask for a picture, and show what is found on it and read of it."""
    source, result = st.columns([1, 1.6], gap="medium")
    with source:
        there = has_camera(st.context.url)
        why = _("Browsers give a camera only to pages by HTTPS or from localhost. A phone's file chooser has one, too.")
        wanted = st.toggle(_("Use the camera"), key="photo_camera", disabled=not there, help=None if there else why)
        if wanted and there:
            camera("photo", _("Photograph a few digits on paper, a board or a screen."), take)
        else:
            uploader(
                "photo",
                _("A photo or picture of one or several digits, dark on light or light on dark"),
                SUFFIXES,
                take,
            )
        show_refusal("photo")
        if (data := held("photo")) is None:
            return
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
            turn = choice(
                st.segmented_control, _("Turn"), TURNS, 0, key=f"photo_turn_{count('photo')}",
                format_func="{}°".format, help=_("Clockwise, if the picture lies on its side or stands on its head."),
            )  # fmt: skip
            st.button(_("Remove"), key="photo_remove", icon=":material/close:", on_click=remove)
        picture, found, number = looked_at(data, turn)
        said = _("The picture")
        if found:
            said = _("Digits found: {n}. Their frames are numbered in reading order.").format(n=number)
        if number > len(found):
            text = _(
                "Only the first {n} of these {all} digits are read. For the others, use a picture of their part alone."
            )
            st.warning(text.format(n=len(found), all=number), icon=":material/crop:")
        st.image(framed(picture, found), said, alt=said)
    with result:
        if found:
            answers = read(networks, found)
            st.html(CSS + "".join(figures(found, answers)))
            offer_to_keep(digits, found, next(iter(answers.values())))
        else:
            text = _("No digits were found. Take the picture from nearer, with dark ink on plain paper.")
            st.info(text, icon=":material/search_off:")


def take(data: bytes) -> None:
    """Have this file's picture looked at until another one comes; what cannot be read leaves the one before."""
    accept("photo", looked_at, data)


def remove() -> None:
    """Forget the picture."""
    hold("photo", None)
    st.session_state.pop("photo_found", None)


def has_camera(url: str | None) -> bool:
    """Tell whether a browser would give its camera to the page of that address: by HTTPS, or from its own machine."""
    return not (url or "").startswith("http:") or on_this_machine(url)


Found = tuple[np.ndarray, tuple[FoundDigit, ...], int]  # a picture, uint8 (H, W), its first digits, how many there are


def looked_at(data: bytes, turn: int = 0) -> Found:
    """Return what `find` does; a rerun of the session does not look for the digits again."""
    kept = st.session_state.get("photo_found")
    if not kept or kept[0] != (data, turn):
        kept = st.session_state["photo_found"] = (data, turn), find(data, turn)
    return kept[1]


def find(data: bytes, turn: int = 0) -> Found:
    """Return the picture in a file and its digits. turn: degrees clockwise, one of `TURNS`. Raises `InputError`."""
    picture = np.rot90(load_picture(data), -turn // 90)
    found, count = find_digits(picture)
    return picture.astype(np.uint8), tuple(found), count


def framed(picture: np.ndarray, found: tuple[FoundDigit, ...]) -> Image.Image:
    """Return the picture with a numbered frame around every digit."""
    image = Image.fromarray(picture).convert("RGB")
    draw, side = ImageDraw.Draw(image), max(image.size)
    line, size = max(1, side // 300), max(10, side // 28)
    font = ImageFont.load_default(size)
    for number, digit in enumerate(found, start=1):
        left, top, right, bottom = digit.box
        draw.rectangle((left - 2 * line, top - 2 * line, right + line, bottom + line), outline=FRAME, width=line)
        place = (left - 2 * line, max(0, top - 2 * line - size))
        draw.text(place, str(number), FRAME, font, stroke_width=line, stroke_fill="black")
    return image


Answer = tuple[str, float, bool]  # class, its probability, whether the network knows anything like the picture


def read(networks: Mapping[str, Network], found: tuple[FoundDigit, ...]) -> dict[str, list[Answer] | str]:
    """Return what each network reads, by its label: an answer for each digit, or a sentence why it cannot."""
    answers: dict[str, list[Answer] | str] = {}
    for name, network in networks.items():
        label = translate(LABELS[name])
        try:
            readings = network.read_all([digit.image for digit in found])
        except InputError as error:
            answers[label] = error.text.render(translate)  # not Markdown: it goes into HTML
            continue
        best = [int(reading.probabilities.argmax()) for reading in readings]
        answers[label] = [
            (translate(reading.model.classes[k]), float(reading.probabilities[k]), reading.known)
            for reading, k in zip(readings, best, strict=True)
        ]
    return answers


def figures(found: tuple[FoundDigit, ...], answers: Mapping[str, list[Answer] | str]) -> list[str]:
    """Return HTML: each network's reading in a row, then a small card for each digit."""
    parts = []
    for label, read in answers.items():
        text = (
            escape(read)
            if isinstance(read, str)
            else " ".join(escape(name) if known else "?" for name, _, known in read)
        )
        parts.append(f"<p>{escape(label)}: <b>{text}</b></p>")
    parts.append('<div class="found">')
    for i, digit in enumerate(found):
        alt = escape(_("What the network sees of digit {n}").format(n=i + 1))
        picture = f'<img alt="{alt}" src="{as_url(digit.image)}">'
        parts.append(f"<figure><header>{i + 1}{picture}</header>")
        for label, read in answers.items():
            if not isinstance(read, str):
                name, probability, known = read[i]
                said = f"<b>{escape(name)}</b> {probability:.0%}"
                if not known:
                    forced = _("{name}: {percent}").format(name=name, percent=f"{probability:.0%}")
                    forced = f"<small>{escape(_('If it had to be one:'))} {escape(forced)}</small>"
                    said = f"<b>?</b> {escape(unread(name))}{forced}"
                parts.append(f"<p>{said}<small>{escape(label)}</small></p>")
        parts.append("</figure>")
    return [*parts, "</div>"]


def unread(name: str) -> str:
    """Return what is said of an answer that is none: of a digit, that it is not one."""
    return _("Not a digit") if name in datasets.DIGITS else _("Nothing it knows")


def offer_to_keep(digits: MyDigits, found: tuple[FoundDigit, ...], read: list[Answer] | str) -> None:
    """Let the person say what the digits are, and keep them, once; a "-" stands for what is not kept."""
    guess = "" if isinstance(read, str) else "".join(name if known else NOT_KEPT for name, _, known in read)
    pictures = [digit.image for digit in found]
    key = f"photo_written_{hashlib.sha256(np.stack(pictures)).hexdigest()}"  # other digits, another field
    written = signs(st.session_state.get(key, guess))
    wanted = chosen(written, pictures)
    kept = bool(wanted) and all(digits.holds(wanted))
    nothing = written == NOT_KEPT * len(pictures)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            _("What is really written there, digit by digit"), guess, max_chars=len(found) + 20, key=key,
            disabled=all(digits.holds(pictures)),
        )  # fmt: skip
        st.button(
            _("Keep in My digits"), icon=":material/add:", disabled=kept or nothing,
            on_click=keep, args=(digits, pictures, key),
        )  # fmt: skip
    st.caption(_("A hyphen (-) in place of a digit: do not keep this one."))
    if problem := st.session_state.pop("photo_problem", ""):
        st.error(problem, icon=":material/error:")
    if kept:
        st.success(sentence(Text(N_("Kept in My digits: {n}."), n=len(wanted))), icon=":material/check:")


def signs(written: str) -> str:
    """Return what was written without spaces, as plain digits and hyphens where a Japanese keyboard gives wide ones.

    Its key for the hyphen types the long vowel mark, or the minus.
    """
    plain = "".join(unicodedata.normalize("NFKC", written).split())
    return plain.translate(dict.fromkeys(map(ord, "ー−"), NOT_KEPT))


def chosen(labels: str, pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the pictures that are to be kept, those with a digit written for them; none if not all have a sign."""
    if len(labels) != len(pictures):
        return []
    return [picture for label, picture in zip(labels, pictures, strict=True) if label != NOT_KEPT]


def keep(digits: MyDigits, pictures: Sequence[np.ndarray], key: str) -> None:
    """Keep the pictures as the digits that were written, before the page is drawn and says how many there are."""
    written = st.session_state.get(key, "")
    labels = signs(written)
    digits_written = labels.replace(NOT_KEPT, "")
    try:
        if len(labels) != len(pictures) or not (digits_written.isascii() and digits_written.isdigit()):
            template = N_("What is written must be as many digits or hyphens as there are frames, {n}, not {received}.")
            raise InputError(template, n=len(pictures), received=shorten(written))
        digits.add_pictures([int(label) for label in digits_written], chosen(labels, pictures))
    except InputError as error:
        st.session_state["photo_problem"] = sentence(error)
