"""What commands have in common on their way in: a line that is none of ours, fields of an experiment, an output."""

from __future__ import annotations

import argparse
import contextlib
import os
import stat
from pathlib import Path

from engine.errors import InputError, shorten
from engine.experiment import FIELDS
from engine.fields import format_value, legal, parse_value
from engine.files import part_of


class UsageError(InputError):
    """A command line that cannot be carried out. Spoken in English only: the command line has no other language."""


def describe_fields() -> str:
    """Return what --help says of the fields of an experiment, a line for each."""
    lines = (
        f"  {name:<20}{it.metadata['label']}: {legal(it)} ({format_value(it.default)})" for name, it in FIELDS.items()
    )
    return "\n".join(("fields of an experiment, what they may be, and what they are without --set:", *lines))


def assignments(options: argparse.Namespace) -> dict[str, str]:
    """Return what --set says, by field."""
    fields = {}
    for setting in options.set:
        name, equals, value = setting.partition("=")
        if not equals:
            raise UsageError("--set takes FIELD=VALUE, not {received}.", received=shorten(setting))
        fields[name] = value
    return fields


def settings(options: argparse.Namespace) -> dict[str, object]:
    """Return the fields that --data and --seed set. Raises `ExperimentError`."""
    given = {name: getattr(options, name, None) for name in ("data", "seed")}
    return {name: parse_value(FIELDS[name], text) for name, text in given.items() if text is not None}


def check_writable(path: Path) -> None:
    """Raise `InputError` or OSError before the work where writing would fail after it, or replace what is no file."""
    if path.is_dir():
        raise UsageError("The output must be a file; {path} is a folder.", path=path)
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(path).st_mode) or not os.access(path, os.W_OK):
            raise UsageError("The output must be a file that can be written to; {path} is none.", path=path)
    part = part_of(path)
    try:
        part.touch(exist_ok=False)  # asked for permission, Windows would grant it for every folder
        part.unlink()
    except OSError as error:
        raise UsageError(
            "The output must be in a folder that can be written to, not in {folder}.", folder=path.parent
        ) from error
