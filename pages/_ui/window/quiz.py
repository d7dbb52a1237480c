"""Questions on sizes and counts, with numbers drawn afresh for every seed; the engine's functions know the answers.

What a person reads stands in assets/guide, under the question's name; {blanks} take its numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.analysis.convolution import im2col, output_size, parameter_count, same_padding, window_size


@dataclass(frozen=True)
class Question:
    """A question by name, the numbers in its text and in its worked answer, and the answer."""

    name: str
    numbers: dict[str, int]
    answer: int


def questions(seed: int) -> list[Question]:
    """Return the questions, the same for the same seed."""
    rng = np.random.default_rng([seed, 2])

    def pick(*options: int) -> int:
        return int(rng.choice(options))

    size, kernel, stride, padding = pick(7, 13, 28, 32), pick(3, 5, 7), pick(1, 2, 3), pick(0, 1, 2)
    asked = [_question("size", output_size(size, kernel, stride, padding), n=size, k=kernel, s=stride, p=padding)]

    kernel, size = pick(3, 5, 7, 9), pick(14, 28, 56)
    asked.append(_question("same", same_padding(kernel), n=size, k=kernel))

    kernel, channels, filters = pick(1, 3, 5), pick(1, 3, 16, 32), pick(8, 16, 30, 64)
    asked.append(_question("parameters", parameter_count(kernel, channels, filters), k=kernel, c=channels, f=filters))

    size, kernel, filters = pick(28, 32), pick(3, 5), pick(8, 16, 30)
    inside = output_size(size, kernel)
    pooled = output_size(inside, 2, 2)
    asked.append(
        _question("pooled", pooled * pooled * filters, n=size, k=kernel, f=filters, inside=inside, pooled=pooled)
    )

    batch, size, kernel, channels = pick(2, 10, 100), pick(6, 7, 28), pick(3, 5), pick(1, 3)
    rows, columns = im2col(np.zeros((batch, size, size, channels)), kernel).shape
    out = output_size(size, kernel)
    numbers = {"b": batch, "n": size, "k": kernel, "c": channels, "out": out, "rows": rows, "columns": columns}
    asked.append(_question("matrix", rows, **numbers))

    size, dilation = pick(16, 28, 32), pick(2, 3)
    numbers = {"n": size, "d": dilation, "reach": window_size(3, dilation)}
    asked.append(_question("dilated", output_size(size, 3, dilation=dilation), **numbers))
    return asked


def _question(name: str, answer: int, **numbers: int) -> Question:
    return Question(name, numbers, answer)


def filled(text: str, question: Question) -> str:
    """Return a text with the question's numbers in its {blanks}. Other braces, as of LaTeX, stay."""
    for name, value in (question.numbers | {"answer": question.answer}).items():
        text = text.replace("{" + name + "}", f"{value}")
    return text
