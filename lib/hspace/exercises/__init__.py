"""Checkers for the exercises of the book: each prints what it thinks of an answer, so that a notebook runs through."""

import torch

from . import (
    chapter_01,
    chapter_02,
    chapter_03,
    chapter_04,
    chapter_05,
    chapter_06,
    chapter_07,
    chapter_08,
    chapter_09,
    chapter_10,
    chapter_11,
    chapter_12,
    chapter_13,
    chapter_14,
)


def check(exercise, answer):
    """Print whether `answer` solves the exercise, such as check("12.1", answer), and where not, a hint.

    Raises ValueError for an exercise that does not exist.
    """
    both = EXERCISES | OPEN
    if exercise not in both:
        raise ValueError(f"there is no exercise {exercise!r}; there are {', '.join(both)}")
    function, hint = both[exercise]
    if answer is None:
        print("Not yet: the answer is still empty.")
    else:
        print(_opinion(answer, function, hint) if exercise in OPEN else _verdict(answer, function(), hint))


def _opinion(answer, lacks, hint):
    """What to print where many answers are right."""
    try:
        missing = lacks(answer)
    except ValueError as error:
        missing = f"{error}."
    return f"Not yet: {missing} {hint}" if missing else "Right."


def _verdict(answer, expected, hint):
    """What to print. A whole number must be met exactly, any other within 1 %."""
    try:
        answer = torch.as_tensor(answer).cpu().double()
    except (TypeError, ValueError, RuntimeError):  # a text, rows of different lengths, ...
        return f"Not yet: {answer!r} is not a number, and no table of numbers. {hint}"
    rtol, expected = 0.0 if isinstance(expected, int) else 1e-2, torch.as_tensor(expected).double()
    if answer.shape != expected.shape:
        return f"Not yet: the shape is {tuple(answer.shape)}, {tuple(expected.shape)} is wanted. {hint}"
    return "Right." if torch.allclose(answer, expected, rtol=rtol, atol=1e-6) else f"Not yet. {hint}"


#: {number: (function that computes the answer, hint)} of all chapters.
EXERCISES = {
    **chapter_01.EXERCISES,
    **chapter_02.EXERCISES,
    **chapter_03.EXERCISES,
    **chapter_04.EXERCISES,
    **chapter_05.EXERCISES,
    **chapter_06.EXERCISES,
    **chapter_07.EXERCISES,
    **chapter_08.EXERCISES,
    **chapter_09.EXERCISES,
    **chapter_10.EXERCISES,
    **chapter_11.EXERCISES,
    **chapter_12.EXERCISES,
    **chapter_13.EXERCISES,
    **chapter_14.EXERCISES,
}
#: {number: (function of an answer that says what it lacks, hint)}: many answers are right.
OPEN = chapter_13.OPEN
