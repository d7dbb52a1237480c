"""Sentences that can still be translated, wherever they have been."""

import json

import pytest

from engine.errors import InputError, Text, explained
from engine.fields import ExperimentError

NESTED = Text("{field} must be {legal}.", field="lr", legal=Text("a number below {n}", n=7))


@pytest.mark.parametrize("text", [Text("Nothing."), NESTED, ExperimentError("lr", Text("a number"), 7).text], ids=str)
def test_a_sentence_survives_json_and_is_translated_after_it(text):
    again = Text.from_dict(json.loads(json.dumps({"kind": "error"} | text.to_dict())))
    for translate in (str, lambda message: f"訳{message}"):
        assert again.render(translate) == text.render(translate)


def test_what_ended_a_run_is_told_and_what_is_ours_by_its_kind_alone():
    assert explained(InputError("No {thing}.", thing="room")).render() == "No room."
    assert (
        explained(ZeroDivisionError("secret")).render()
        == "The run was stopped by an internal error (ZeroDivisionError)."
    )
