"""A search on disk: a file of lines that only grows, so that nothing which has finished is ever lost.

The first line is the plan; then comes a line for every trial that has finished, and for what else has changed:

    {"plan": {…}}   {"trial": {…}}   {"trials": 200}   {"seconds": 12.5, "importance": {…}}

A process that dies while it writes leaves at most a part of a line, which is passed over.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import N_, InputError
from engine.files import held, prune
from engine.search.plan import Plan
from engine.search.trial import Trial

LIMIT = 200  # searches that are kept; the oldest go
# What a line raises that is torn, or that somebody else has written.
_NOT_OURS = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, InputError)
SEARCH_ID = re.compile(r"[A-Za-z0-9_-]{6,32}")


@dataclass
class Record:
    """What a file says: the plan, its finished trials by number, seconds of searching, and importance by field."""

    plan: Plan
    trials: dict[int, Trial] = field(default_factory=dict)
    seconds: float = 0.0
    importance: dict[str, float] = field(default_factory=dict)


class Journal:
    """The file of one search in a folder, which is made when it is needed. Methods raise OSError as the disk does."""

    def __init__(self, folder: Path, search: str) -> None:
        if not SEARCH_ID.fullmatch(search):
            raise ValueError(f"{search!r} is no name of a search")
        self.path = folder / f"{search}.jsonl"

    def create(self, plan: Plan) -> None:
        """Begin the file, and remove the oldest of the folder when there are too many."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("x", encoding="utf-8") as file:
            file.write(_line({"plan": plan.to_dict()}))
        prune(self.path.parent, "*.jsonl", limit=LIMIT, keep=self.path, cost=lambda _: 1)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Be the only one who adds lines. Raises `InputError` when another server or command does."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(held(self.path))
            except BlockingIOError as error:
                template = N_("The search {id} is going on elsewhere: in another server, or from the command line.")
                raise InputError(template, id=self.path.stem) from error
            yield

    def append(self, entry: Mapping[str, object]) -> None:
        """Add a line; one that was left unfinished before it is closed first."""
        with self.path.open("rb+") as file:
            torn = file.seek(0, 2) and (file.seek(-1, 2), file.read(1))[1] != b"\n"
            file.write((b"\n" if torn else b"") + _line(entry).encode())

    def read(self) -> Record | None:
        """Return what the file says, None when there is none, or none that can be read."""
        try:
            lines = self.path.read_text("utf-8", errors="replace").splitlines()
        except OSError:
            return None
        record = None
        for line in lines:
            with contextlib.suppress(*_NOT_OURS):
                record = _take(record, json.loads(line))
        return record


def _take(record: Record | None, entry: dict) -> Record | None:
    """Return the record after a line of the file."""
    if "plan" in entry:
        return Record(Plan.from_dict(entry["plan"]))
    if record is None:
        return None
    if "trial" in entry:
        trial = Trial.from_dict(entry["trial"])
        searched = {axis.name for axis in record.plan.axes}
        if trial.finished and trial.number not in record.trials and trial.values.keys() == searched:
            record.plan.trial(trial.values)
            record.trials[trial.number] = trial
    elif "trials" in entry:
        record.plan = record.plan.replace(trials=entry["trials"])
    elif "seconds" in entry:
        importance = {name: float(share) for name, share in entry["importance"].items()}
        record.seconds, record.importance = float(entry["seconds"]), importance
    return record


def _line(entry: Mapping[str, object]) -> str:
    return json.dumps(entry, separators=(",", ":"), allow_nan=False) + "\n"
