"""Every sentence exists in both languages, with the same blanks to fill in."""

import re
import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po

from engine.presets import PRESETS
from pages._ui import i18n

ROOT = Path(__file__).resolve().parents[2]
KEYWORDS = {name: None for name in ("_", "N_", "Text", "InputError", "DatasetError", "CheckpointError")}


def messages() -> set[str]:
    """Return every message id in the product's code."""
    found = set()
    for folder in ("engine", "pages"):
        for _, _, message, *_ in extract_from_dir(
            str(ROOT / folder), [("**.py", "python")], keywords=KEYWORDS, directory_filter=lambda _: True
        ):
            found.add(message if isinstance(message, str) else message[0])
    for _, message, *_ in extract_from_file("python", ROOT / "app.py", keywords=KEYWORDS):
        found.add(message)
    return found


def catalog():
    with (ROOT / "assets" / "locales" / "ja.po").open("rb") as file:
        return {message.id: message.string for message in read_po(file) if message.id}


def blanks(template: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(template) if field is not None}


def test_every_message_is_translated():
    translated = {id for id, text in catalog().items() if text}
    assert messages() - translated == set()


def test_nothing_is_translated_that_is_no_longer_said():
    assert set(catalog()) - messages() == set()


@pytest.mark.parametrize(("id", "text"), sorted(catalog().items()))
def test_the_blanks_are_the_same(id, text):
    assert blanks(text) == blanks(id)


def test_runs_are_named_in_japanese(monkeypatch):
    monkeypatch.setattr("streamlit.session_state", {"lang": "ja"})
    labels = {label for preset in PRESETS.values() for label in preset.runs}
    words = {word for label in labels for word in re.findall(r"\b[a-z]{3,}\b", i18n.run_name(label))}
    assert words <= {"std", "tanh"}  # as the course writes them in Japanese, too
    assert i18n.run_name("batch norm, std 0.54") == "バッチ正規化あり、std 0.54"


def test_guides_exist_in_both_languages():
    names = [{path.name for path in (ROOT / "assets" / "guide" / language).glob("*.md")} for language in ("en", "ja")]
    assert names[0] == names[1]
