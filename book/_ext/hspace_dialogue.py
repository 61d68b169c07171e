"""The story on the page: speech bubbles, the switch that folds the story away, and dressed headings.

Chapters are plain Markdown. A blockquote that opens with a known speaker's bold name and a colon is something said:
`> **Alice:** …`, or `> **Eigenface** (written on the dark): …` with the manner of saying it. Elsewhere, as in Colab, it
stays a readable quotation; so does a blockquote that opens with any other name.
"""

import re
from itertools import pairwise

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

SPEAKERS = {
    "Therapist": "therapist",
    "Patient": "patient",
    "Alice": "alice",
    "Eigenface": "eigenface",
    "Jacques": "jacques",
    "Mr. Foster": "foster",
    "A voice": "voice",
}
NAME = re.compile(r"\s*(?P<name>[^():]+?)\s*(?:\((?P<manner>[^)]*)\))?\s*(?P<colon>:?)\s*")
MANNER = re.compile(r"\s*(?:\((?P<manner>[^)]*)\))?\s*(?P<colon>:)\s*")
SILENT = re.compile(r"\b(writ\w*|text|letters?|dark)\b")
HEADINGS = {"Exercise": "exercise", "Slip": "slip", "Describe it": "describe-it"}
HEADING = re.compile(rf"({'|'.join(HEADINGS)})\b")

# Before the page shows, so that a folded story does not flash up. Storage may be forbidden: then the story shows.
REMEMBER = """\
try { document.documentElement.dataset.story = localStorage.getItem("story") || "shown"; } catch { /* shown */ }"""


def speaker(quote):
    """(name, manner) of a blockquote that opens with a known speaker, and None for any other.

    The bold name, the manner and the colon are taken out of the quote's first paragraph.
    """
    paragraph = quote.children[0] if quote.children else None
    if not isinstance(paragraph, nodes.paragraph):
        return None
    for empty in [child for child in paragraph.children if isinstance(child, nodes.Text) and child == ""]:
        paragraph.remove(empty)  # the Markdown parser leaves one before a bold word
    if not paragraph.children or not isinstance(paragraph.children[0], nodes.strong):
        return None
    named = NAME.fullmatch(paragraph.children[0].astext())
    if not named or named["name"] not in SPEAKERS:
        return None
    manner = named["manner"]
    if not named["colon"]:
        after = paragraph.children[1] if len(paragraph.children) > 1 else nodes.Text("")
        rest = MANNER.match(after) if isinstance(after, nodes.Text) else None
        if not rest:
            return None
        manner = manner or rest["manner"]
        paragraph.replace(after, nodes.Text(after[rest.end() :]))
    paragraph.pop(0)
    first = paragraph.children[0] if paragraph.children else None
    if isinstance(first, nodes.Text):
        paragraph.replace(first, nodes.Text(first.lstrip()))
    if not paragraph.astext().strip():
        quote.remove(paragraph)
    return named["name"], manner or ""


def dress_quote(quote):
    """Turn a blockquote into something said, with its speaker's name first. False where none is named."""
    found = speaker(quote)
    if not found:
        return False
    name, manner = found
    quote["classes"] += ["said", f"said-{SPEAKERS[name]}", "story"]
    if name == "Eigenface" and SILENT.search(manner):
        quote["classes"].append("said-silent")
    label = nodes.paragraph("", "", nodes.strong("", name), classes=["speaker"])
    if manner:
        label += [nodes.Text(" "), nodes.inline("", f"({manner})", classes=["manner"])]
    label += nodes.inline("", ":", classes=["visually-hidden"])
    quote.insert(0, label)
    return True


def is_direction(node):
    """A paragraph all in italics, as stage directions are."""
    if not isinstance(node, nodes.paragraph):
        return False
    inside = [child for child in node.children if not (isinstance(child, nodes.Text) and not child.strip())]
    return len(inside) == 1 and isinstance(inside[0], nodes.emphasis)


def is_story(node):
    return isinstance(node, nodes.Element) and "story" in node["classes"]


def mark_directions(parent):
    """Stage directions beside dialogue or a scene belong to the story, in rows too."""
    for siblings in (parent.children, parent.children[::-1]):
        for before, node in pairwise(siblings):
            if is_story(before) and is_direction(node) and not is_story(node):
                node["classes"] += ["direction", "story"]


def mark_sections(document):
    """A section that holds nothing but story folds away with its heading. Innermost first."""
    for section in reversed(list(document.findall(nodes.section))):
        content = [child for child in section.children if not isinstance(child, (nodes.title, nodes.Invisible))]
        if content and all(map(is_story, content)):
            section["classes"].append("story")


class Dialogue(SphinxPostTransform):
    """Dress what is said, and mark all that the story switch folds away by the class `story`."""

    default_priority = 400
    formats = ("html",)

    def run(self, **kwargs):
        for quote in list(self.document.findall(nodes.block_quote)):
            dress_quote(quote)
        for cell in self.document.findall(nodes.container):
            if "tag_scene" in cell["classes"]:
                cell["classes"].append("story")
        for parent in {id(node.parent): node.parent for node in self.document.findall(is_story)}.values():
            mark_directions(parent)
        mark_sections(self.document)


class Headings(SphinxPostTransform):
    """Sections whose heading opens with a known word get its class."""

    default_priority = 400
    formats = ("html",)

    def run(self, **kwargs):
        for section in self.document.findall(nodes.section):
            title = section.next_node(nodes.title)
            found = HEADING.match(title.astext()) if title is not None and title.parent is section else None
            if found:
                section["classes"].append(HEADINGS[found[1]])


def add_switch(app, pagename, templatename, context, doctree):
    """Pages that tell some of the story get the switch and its script."""
    context["has_story"] = doctree is not None and any(map(is_story, doctree.findall(nodes.Element)))
    app.add_js_file(None, body=REMEMBER, priority=1)
    if context["has_story"]:
        app.add_js_file("story.js", defer="defer")


def setup(app):
    app.add_post_transform(Dialogue)
    app.add_post_transform(Headings)
    app.connect("html-page-context", add_switch)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
