"""A text with blanks to fill in, which takes more than one right word."""

import re

import traitlets

from .base import LiveFigure, trait
from .mad_libs import MAD_LIBS

BLANK = re.compile(r"\{([^{}]*)\}")


class MadLib(LiveFigure):
    """A text with blanks, each checked as the reader fills it in.

    text: a blank is {answer}, or {answer|synonym|synonym}; capitals, blanks and hyphens do not matter when an answer is
    checked. An empty line begins a new paragraph.  title: stands above.

    Raises ValueError where the text has no blank, a blank without an answer, or a brace without its partner.
    """

    module = "mad_lib"

    pieces = trait(traitlets.List, traitlets.Unicode())
    answers = trait(traitlets.List, traitlets.List(traitlets.Unicode()))
    title = trait(traitlets.Unicode, "")

    def __init__(self, text, *, title="Describe it"):
        pieces, answers = parse(text)
        super().__init__(pieces=pieces, answers=answers, title=title)

    def describe(self):
        """The title and the text, a line for every blank."""
        text = " ".join("____".join(self.pieces).split())
        return f"{self.title}. {text}" if self.title else text


def parse(text):
    """The pieces of text between the blanks, k + 1 of them, and the k lists of accepted answers, the first the best."""
    *_, rest = parts = BLANK.split(text)
    pieces, blanks = parts[::2], parts[1::2]
    if stray := next((piece for piece in pieces if re.search("[{}]", piece)), None):
        raise ValueError(f"a brace without its partner in {stray.strip()!r}: a blank is written {{answer|synonym}}")
    if not blanks:
        raise ValueError(f"no blank in {rest[:60]!r}: write one as {{answer|synonym}}")
    answers = [[word.strip() for word in blank.split("|")] for blank in blanks]
    if empty := [blank for blank, words in zip(blanks, answers, strict=True) if not all(map(plain, words))]:
        raise ValueError(f"a blank without an answer: {{{empty[0]}}}")
    return pieces, answers


def plain(word):
    """A word as it is compared: no capitals, no blanks, no hyphens."""
    return re.sub(r"[\s\-‐‑–_]+", "", word.lower())


def describe_it(chapter):
    """The page that ends a chapter: fill in the blanks, by analogy with the chapter before.

    chapter: its number.  Returns a `MadLib`.  Raises ValueError for a chapter that has no such page.
    """
    if chapter not in MAD_LIBS:
        raise ValueError(f"no page to describe chapter {chapter!r}: there are pages for {sorted(MAD_LIBS)}")
    title, text = MAD_LIBS[chapter]
    return MadLib(text, title=title)
