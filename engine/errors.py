"""Errors that a person can act on, kept translatable: a template and its values, joined only when shown.

The engine speaks English; a screen translates `error.text` (template first, then the values that are themselves
`Text`) and so says the same sentence in the reader's language.
"""

from __future__ import annotations

import reprlib
from collections.abc import Mapping


def N_(message: str) -> str:
    """Mark `message` for translation and return it unchanged (gettext's "no-op" convention)."""
    return message


class Text:
    """A sentence that can still be translated.

    `template` is a `str.format` template and the message id of the translation; `values` fill its fields and may
    be `Text` themselves.
    """

    def __init__(self, template: str, **values: object) -> None:
        self.template = template
        self.values = values

    def render(self, translate=str) -> str:
        """Return the sentence with every template passed through `translate` (message id → message)."""
        values = {
            name: value.render(translate) if isinstance(value, Text) else value for name, value in self.values.items()
        }
        return translate(self.template).format(**values)

    def to_dict(self) -> dict[str, object]:
        """Return it as values for JSON, {"template", "values"}; what is no `Text` among the values becomes a string."""
        values = {name: it.to_dict() if isinstance(it, Text) else str(it) for name, it in self.values.items()}
        return {"template": self.template, "values": values}

    @classmethod
    def from_dict(cls, document: Mapping) -> Text:
        """Invert `to_dict`; what else is in the document is passed over."""
        values = {k: cls.from_dict(it) if isinstance(it, Mapping) else it for k, it in document["values"].items()}
        template = document["template"]
        return cls(template, **values)

    def __str__(self) -> str:
        return self.render()

    def __repr__(self) -> str:
        return f"Text({str(self)!r})"


class InputError(ValueError):
    """Bad input from outside: one sentence that names the field, the legal range and what arrived."""

    def __init__(self, template: str, **values: object) -> None:
        self.text = Text(template, **values)
        super().__init__(str(self.text))


def explained(error: Exception) -> Text:
    """Return what to say of a run that an error has ended."""
    if isinstance(error, InputError):
        return error.text
    return Text(N_("The run was stopped by an internal error ({reason})."), reason=type(error).__name__)


def unreadable(file: object, error: OSError, kind: type[InputError] = InputError) -> InputError:
    """Return what to raise of this kind for a file that the system does not let us read."""
    template = N_("The file {file} could not be read: {reason}.")
    return kind(template, file=str(file), reason=error.strerror or str(error))


def shorten(value: object, limit: int = 40) -> str:
    """Return `value` as text of at most `limit` characters, fit to be quoted in an error sentence."""
    text = value if isinstance(value, str) else reprlib.repr(value)  # `repr` follows lists as deep as they nest
    text = "".join(character if character.isprintable() else "·" for character in text[: limit + 1])
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return text if text.strip() else f"“{text[: limit - 2]}”"  # nothing, or blanks, would not be seen
