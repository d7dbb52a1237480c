"""My digits: drawings that a person has said what they are, to be kept and to be learned from.

One drawing is a record of plain values, and a file of them has one a line (JSON Lines):

    {"label": 7, "width": 280, "height": 280, "strokes": [[[x, y], …], …], "picture": "…"}

picture: the 28 × 28 bytes of ink that a network is given, in base64. A digit that was found on a photograph has no
strokes; of one that has strokes a file may leave the picture out. `python -m engine predict` reads such files too.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

import numpy as np

from engine.data.handwriting import SIZE, parse_drawing, parse_picture, parse_strokes, strokes_to_image
from engine.errors import N_, InputError, Text, shorten

LIMIT = 2_000  # drawings
MAX_POINTS = 200_000  # of all strokes together
CLASSES = 10
PAD = 280  # width and height that strokes are drawn in


class MyDigits:
    """The drawings of one person, oldest first.

    records: a list of plain values, changed in place; whoever hands one in vouches for what is in it.
    """

    def __init__(self, records: list[dict[str, object]] | None = None) -> None:
        self.records = [] if records is None else records

    def __len__(self) -> int:
        return len(self.records)

    def add(self, label: int, strokes: Sequence[np.ndarray] = (), picture: np.ndarray | None = None) -> None:
        """Keep a drawing. picture: uint8 (28, 28), made from the strokes if there is none.

        Raises `InputError` for another label than 0 … 9, for an empty drawing, and when there are too many.
        """
        self._take([_record(label, strokes, picture)])

    def label(self, label: int, strokes: Sequence[np.ndarray]) -> dict[str, object]:
        """Keep a drawing as this digit, also if it was kept as another one; return its record. Raises as `add` does."""
        record = _record(label, strokes, None)
        for kept in reversed(self.records):
            if kept["strokes"] == record["strokes"]:
                kept["label"] = label
                return kept
        self._take([record])
        return record

    def add_pictures(self, labels: Sequence[int], pictures: Sequence[np.ndarray]) -> None:
        """Keep those of the pictures that are not kept yet, all of them or none. Raises `InputError` as `add` does."""
        pairs = zip(labels, pictures, self.holds(pictures), strict=True)
        self._take([_record(label, (), picture) for label, picture, held in pairs if not held])

    def holds(self, pictures: Sequence[np.ndarray]) -> list[bool]:
        """Return of each picture whether this very one is kept, as whatever digit."""
        kept = {record["picture"] for record in self.records}
        return [_encode(picture) in kept for picture in pictures]

    def remove_last(self) -> None:
        """Forget the latest drawing, if there is any."""
        del self.records[-1:]

    def counts(self) -> np.ndarray:
        """Return how many drawings there are of each digit, (10,)."""
        return np.bincount([record["label"] for record in self.records], minlength=CLASSES)

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the pictures, uint8 (N, 28, 28, 1), and their labels, int64 (N,)."""
        raw = b"".join(base64.b64decode(record["picture"]) for record in self.records)
        labels = np.array([record["label"] for record in self.records], np.int64)
        return np.frombuffer(raw, np.uint8).reshape(-1, SIZE, SIZE, 1), labels

    def to_jsonl(self) -> str:
        """Return the drawings as the text of a file."""
        return "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in self.records)

    def read_jsonl(self, data: bytes) -> int:
        """Add those drawings of a file that are not kept as these digits yet, all of them or none.

        Returns how many there are in the file. Raises `InputError` that names the line and what is wrong with it.
        """
        records = []
        for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
            if line.strip():
                try:
                    records.append(_parse(line))
                except InputError as error:
                    raise InputError(N_("Line {line}: {problem}"), line=number, problem=error.text) from error
                if len(records) > LIMIT:
                    break
        kept = {(record["label"], record["picture"]) for record in self.records}
        new = [record for record in records if (record["label"], record["picture"]) not in kept]
        self._take(new if len(records) <= LIMIT else records)  # too many are refused, whatever is kept of them
        return len(records)

    def _take(self, records: list[dict[str, object]]) -> None:
        if len(self.records) + len(records) > LIMIT:
            raise InputError(N_("At most {limit} drawings are kept; remove some first."), limit=f"{LIMIT:,}")
        points = sum(len(stroke) for record in (*self.records, *records) for stroke in record["strokes"])
        if points > MAX_POINTS:
            raise InputError(
                N_("The strokes of all drawings together may have at most {limit} points, not {count}."),
                limit=f"{MAX_POINTS:,}",
                count=f"{points:,}",
            )
        self.records.extend(records)


def _record(label: object, strokes: Sequence[np.ndarray], picture: np.ndarray | None) -> dict[str, object]:
    """Return a drawing as plain values. Raises `InputError`."""
    if type(label) is not int or not 0 <= label < CLASSES:
        legal = Text(N_("a digit from 0 to 9"))
        raise InputError(
            N_("{field} must be {legal}, not {received}."), field="label", legal=legal, received=shorten(label)
        )
    picture = strokes_to_image(strokes) if picture is None else picture
    if not picture.any():
        raise InputError(N_("There is nothing drawn that could be kept."))
    return {
        "label": label,
        "width": PAD,
        "height": PAD,
        "strokes": [np.round(stroke, 1).tolist() for stroke in strokes],
        "picture": _encode(picture),
    }


def _encode(picture: np.ndarray) -> str:
    return base64.b64encode(picture.tobytes()).decode("ascii")


def _parse(line: bytes) -> dict[str, object]:
    """Return the drawing of one line. Raises `InputError`."""
    drawing = parse_drawing(line)
    picture = drawing.get("picture")
    return _record(
        drawing.get("label"),
        parse_strokes(drawing.get("strokes", [])),
        None if picture is None else parse_picture(picture),
    )
