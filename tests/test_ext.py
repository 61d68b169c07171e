"""The book's Sphinx extensions, piece by piece, without building the site."""

import ast
import json
import re
import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest
from contents import ROOT
from contrast import contrast
from docutils import nodes
from docutils.core import publish_doctree
from myst_parser.parsers.docutils_ import Parser
from PIL import Image

import hspace_api
import hspace_dialogue
import hspace_figures
import hspace_head
import hspace_site

SCRIPTS = [*(ROOT / "book/_static").rglob("*.*js"), *(ROOT / "lib/hspace/widgets").glob("*.mjs")]


def page(markdown):
    """The document of a Markdown page, dressed as on the site."""
    settings = {"doctitle_xform": False, "myst_enable_extensions": ["dollarmath"]}
    document = publish_doctree(markdown, parser=Parser(), settings_overrides=settings)
    hspace_dialogue.Dialogue(document).run()
    hspace_dialogue.Headings(document).run()
    return document


def quotes(markdown):
    return list(page(markdown).findall(nodes.block_quote))


# Dialogue ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", hspace_dialogue.SPEAKERS)
def test_a_speakers_quotation_is_a_bubble_with_the_name_first(name):
    [quote] = quotes(f"> **{name}:** Is it *far*? I have $W x$.\n>\n> And more.\n")
    assert {"said", f"said-{hspace_dialogue.SPEAKERS[name]}", "story"} <= set(quote["classes"])
    label, words, more = quote.children
    assert label.astext() == f"{name}:" and label["classes"] == ["speaker"]
    assert words.astext() == "Is it far? I have W x." and more.astext() == "And more."
    assert words.next_node(nodes.emphasis) is not None and words.next_node(nodes.math) is not None


def test_a_manner_stands_beside_the_name_and_what_is_written_looks_written():
    silent, aloud = quotes("> **Eigenface** (written on the dark): stay\n\n> **Eigenface (aloud):** Stay.\n")
    assert "said-silent" in silent["classes"] and "said-silent" not in aloud["classes"]
    assert silent.children[0].astext() == "Eigenface (written on the dark):"
    assert aloud.children[0].astext() == "Eigenface (aloud):"
    assert [quote.children[1].astext() for quote in (silent, aloud)] == ["stay", "Stay."]


@pytest.mark.parametrize(
    "text",
    [
        "> **Nobody:** An unknown speaker.",
        "> **Alice** is a model.",
        "> Alice: without a bold name.",
        "> A quotation.",
        "> Then **Alice:** in the middle.",
        "> - **Alice:** in a list.",
    ],
)
def test_other_quotations_stay_as_they_are(text):
    document = page(text)
    [quote] = document.findall(nodes.block_quote)
    plain = publish_doctree(text, parser=Parser())
    assert not quote["classes"] and document.astext() == plain.astext()


def test_words_in_a_paragraph_of_their_own_leave_no_empty_one():
    [quote] = quotes("> **Alice:**\n>\n> Here.\n")
    assert [child.astext() for child in quote.children] == ["Alice:", "Here."]


def test_text_that_looks_like_markup_stays_text():
    [quote] = quotes('> **Alice:** `</script>` "quoted" & so on\n')
    assert quote.children[1].astext() == '</script> "quoted" & so on'


def test_italic_lines_beside_dialogue_are_stage_directions_and_others_are_not():
    document = page(
        "*A room.*\n\n*A clock.*\n\n> **Alice:** Yes.\n\n*She goes.*\n\nText.\n\n*A knock.*\n\n"
        "> **Alice:** No.\n\n*Partly* in italics.\n"
    )
    marked = [node.astext() for node in document.findall(nodes.paragraph) if "direction" in node["classes"]]
    assert marked == ["A room.", "A clock.", "She goes.", "A knock."]
    alone = page("# 5 minutes\n\n*5 minutes, easy.*\n\nText.\n\n> **Alice:** Yes.\n")
    assert not [node for node in alone.findall(nodes.paragraph) if "direction" in node["classes"]]


def test_a_section_of_story_alone_folds_with_its_heading():
    document = page(
        "# Chapter\n\nText.\n\n## The room\n\n> **Alice:** Yes.\n\n## The law\n\n> **Alice:** No.\n\nText.\n"
    )
    story = {
        section.next_node(nodes.title).astext(): "story" in section["classes"]
        for section in document.findall(nodes.section)
    }
    assert story == {"Chapter": False, "The room": True, "The law": False}


def test_scene_cells_belong_to_the_story():
    document = page("Text.")
    cell = nodes.container(classes=["cell", "tag_scene"])
    document += cell
    hspace_dialogue.Dialogue(document).run()
    assert "story" in cell["classes"]


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("Exercise 1 · How much?", "exercise"),
        ("Slip: squares", "slip"),
        ("Describe it", "describe-it"),
        ("Exercises in style", None),
        ("Slippery", None),
        ("An Exercise", None),
    ],
)
def test_headings_that_open_a_task_are_dressed(title, wanted):
    section = next(
        page(f"# Page\n\n## {title}\n\nText.\n").findall(lambda n: n.__class__ is nodes.section and n.parent.parent)
    )
    assert section["classes"] == ([wanted] if wanted else [])


def test_only_pages_with_story_get_the_switch():
    added = []
    app = SimpleNamespace(add_js_file=lambda name, **options: added.append((name, options.get("body"))))
    for text, wanted in (("Text.", False), ("> **Alice:** Yes.", True)):
        added.clear()
        hspace_dialogue.add_switch(app, "p", "page.html", context := {}, page(text))
        assert context["has_story"] is wanted and (("story.js", None) in added) is wanted
        assert added[0][1] == hspace_dialogue.REMEMBER
    hspace_dialogue.add_switch(app, "search", "search.html", context := {}, None)
    assert context["has_story"] is False


def bubble_colours(style):
    """{(theme, look): {variable: colour}} of dialogue.css, each look over what it inherits."""
    blocks = {}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", re.sub(r"/\*.*?\*/", "", style, flags=re.S)):
        found = dict(re.findall(r"--(said-(?:paper|name|ink)): (#[0-9a-f]{6});", body))
        for selector in selectors.split(",") if found else ():
            theme = "dark" if "dark" in selector else "light"
            blocks.setdefault((theme, re.search(r"blockquote\.(said[\w-]*)", selector)[1]), {}).update(found)
    looks = {look for _, look in blocks}
    colours = {}
    for look in looks:
        base = ["said", look] if look != "said-silent" else ["said", "said-eigenface", look]
        for theme in ("light", "dark"):
            inherited = [("light", name) for name in base] + [("dark", name) for name in base] * (theme == "dark")
            colours[theme, look] = {k: v for key in inherited for k, v in blocks.get(key, {}).items()}
    return colours


def test_bubbles_can_be_read_in_both_themes():
    colours = bubble_colours((ROOT / "book/_static/dialogue.css").read_text(encoding="utf-8"))
    looks = {look for _, look in colours}
    assert looks == {"said", "said-silent", *(f"said-{key}" for key in hspace_dialogue.SPEAKERS.values())} - {
        "said-therapist"
    }
    for key, at in colours.items():
        for what in ("said-name", "said-ink"):
            assert contrast(at[what], at["said-paper"]) >= 4.5, (key, what)
    assert contrast("#000000", "#ffffff") == pytest.approx(21) and contrast("#777777", "#ffffff") < 4.5


def test_each_speaker_has_an_emblem_of_its_own():
    style = (ROOT / "book/_static/dialogue.css").read_text(encoding="utf-8")
    emblems = re.findall(r"\.said-(\w+) \{\n  --emblem: (url\(.*\));", style)
    assert {name for name, _ in emblems} == set(hspace_dialogue.SPEAKERS.values())
    assert len({emblem for _, emblem in emblems}) == len(emblems)


# Figures -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def picture(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (120, 300, 3), dtype=np.uint8)
    Image.fromarray(pixels).quantize(64).save(tmp_path / "chart.png")
    return tmp_path / "chart.png"


def test_pictures_have_half_their_dots_as_size_and_load_late(picture):
    files = {"chart.png": picture}
    first = hspace_figures.dress_picture('<img alt="a > b" src="../_images/chart.png" />', files, lazy=False)
    assert 'width="150" height="60"' in first and "loading" not in first and 'alt="a > b"' in first
    assert 'loading="lazy"' in hspace_figures.dress_picture('<img src="../_images/chart.png">', files, lazy=True)
    own = hspace_figures.dress_picture(
        '<img src="_images/chart.png" style="width: 70px; height: 30px;" />', files, lazy=False
    )
    assert 'width="70" height="30"' in own and "style" not in own
    styled = hspace_figures.dress_picture('<img style="width: 3em" src="_images/chart.png">', files, lazy=False)
    assert "height=" not in styled
    outside = '<img src="_static/other.png">'
    assert hspace_figures.dress_picture(outside, files, lazy=True) == outside


def test_a_page_names_the_small_files_and_only_its_first_picture_loads_at_once(picture):
    app = SimpleNamespace(srcdir=picture.parent, builder=SimpleNamespace(images={"chart.png": "chart.png"}))
    context = {"body": '<img src="../_images/chart.png"><p>x</p><img src="../_images/chart.png">'}
    hspace_figures.dress_pictures(app, "p", "page.html", context, None)
    assert context["body"].count("chart.webp") == 2 and context["body"].count('loading="lazy"') == 1


def test_charts_lose_nothing_and_pictures_little_when_they_shrink(picture):
    before = np.asarray(Image.open(picture).convert("RGB")).astype(float)
    hspace_figures.shrink(picture)
    assert not picture.exists()
    assert np.array_equal(np.asarray(Image.open(picture.with_suffix(".webp"))), before)
    ramp = np.linspace(0, 255, 64)[None, :, None] * np.ones((64, 1, 3))
    Image.fromarray(ramp.astype(np.uint8)).save(picture.parent / "photo.png")
    hspace_figures.shrink(picture.parent / "photo.png")
    after = np.asarray(Image.open(picture.parent / "photo.webp")).astype(float)
    assert np.sqrt(((after - ramp) ** 2).mean()) < 4


def live_page(*names):
    places = [f'<div class="hspace-live" data-widget="{name}" data-state="{{}}"><p>x</p></div>' for name in names]
    document = page("Text.")
    document += [nodes.raw("", place, format="html") for place in places]
    return document


def live_calls(monkeypatch, document, widgets):
    added, warned = [], []
    app = SimpleNamespace(
        add_css_file=added.append, add_js_file=lambda name, **options: added.append((name, options.get("type")))
    )
    monkeypatch.setattr(hspace_figures, "WIDGETS", widgets)
    monkeypatch.setattr(hspace_figures, "log", SimpleNamespace(warning=lambda text, **_: warned.append(text)))
    hspace_figures.add_live(app, "p", "page.html", {}, document)
    return added, warned


def test_pages_with_live_figures_load_what_they_need(monkeypatch, tmp_path):
    for name in ("linear_map.mjs", "parts.mjs", "widgets.css"):
        (tmp_path / name).touch()
    added, warned = live_calls(monkeypatch, live_page("linear_map", "linear_map"), tmp_path)
    assert added == ["live/widgets.css", ("live/live.mjs", "module")] and not warned
    assert live_calls(monkeypatch, page("Text."), tmp_path) == ([], [])


def test_a_live_figure_that_is_missing_or_unknown_is_named(monkeypatch, tmp_path):
    _, warned = live_calls(monkeypatch, live_page("stepper", "evil"), tmp_path)
    assert [any(word in text for text in warned) for word in ("stepper", "evil", "parts.mjs", "css")] == [True] * 4


def test_loader_extension_and_library_agree_on_the_live_figures():
    loader = (ROOT / "book/_static/live/live.mjs").read_text(encoding="utf-8")
    allowed = json.loads(re.search(r"new Set\((\[.*?\])\)", loader)[1])
    assert tuple(allowed) == hspace_figures.LIVE
    named = {
        match
        for path in hspace_figures.WIDGETS.glob("*.py")
        for match in re.findall(r'^    module = "(\w+)"', path.read_text(encoding="utf-8"), re.M)
    }
    assert named == set(hspace_figures.LIVE)


def test_modules_are_copied_from_the_library(monkeypatch, tmp_path):
    widgets = tmp_path / "widgets"
    widgets.mkdir()
    for name in ("stepper.mjs", "parts.mjs", "notes.txt"):
        (widgets / name).touch()
    monkeypatch.setattr(hspace_figures, "WIDGETS", widgets)
    hspace_figures.copy_widgets(tmp_path / "site" / "_static" / "live")
    copied = (tmp_path / "site/_static/live").iterdir()
    assert sorted(path.name for path in copied) == ["parts.mjs", "stepper.mjs"]


# Head ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("repository", "base", "wanted"),
    [
        ("", "", ""),
        ("https://github.com/Owner/a-map", "", "https://owner.github.io/a-map/"),
        ("https://github.com/owner/owner.github.io", "", "https://owner.github.io/"),
        ("https://github.com/owner/a-map/", "https://book.example/x", "https://book.example/x/"),
        ("https://gitlab.com/owner/a-map", "", ""),
    ],
)
def test_the_sites_address_follows_from_the_repositorys(repository, base, wanted):
    config = SimpleNamespace(html_baseurl=base, html_theme_options={"repository_url": repository})
    assert hspace_head.site_address(config) == wanted


def test_a_page_is_described_by_its_first_own_paragraph():
    text = "word " * 80
    document = page(f"# Title\n\n> **Alice:** Not this.\n\n**What you will do.** {text}\n\nNor this.\n")
    described = hspace_head.describe(document)
    assert described.startswith("What you will do. word") and described.endswith("word …")
    assert len(described) <= hspace_head.LONGEST + 2
    assert hspace_head.describe(page("# Title\n")) == ""


def test_the_heads_lines_are_escaped_and_leave_out_what_is_not_known():
    lines = "\n".join(hspace_head.tags('A "B" <c>', "Book", "", "", "../_static/social.png"))
    assert 'content="A &quot;B&quot; &lt;c&gt;"' in lines and "../_static/social.png" in lines
    assert "canonical" not in lines and "og:url" not in lines and "og:description" not in lines
    known = "\n".join(hspace_head.tags("T", "Book", "D", "https://x.org/p.html", "https://x.org/s.png"))
    assert '<link rel="canonical" href="https://x.org/p.html">' in known and 'name="description" content="D"' in known


def test_mistakes_go_to_the_repository_once_it_is_known():
    assert hspace_head.mistake_address("", "Title", "") == ""
    address = hspace_head.mistake_address("https://github.com/o/n/", "a & b", "https://o.github.io/n/p.html")
    assert address.startswith("https://github.com/o/n/issues/new?title=Mistake%3A+a+%26+b&body=Page")


def test_the_social_card_and_the_icons_have_their_sizes():
    static = ROOT / "book/_static"
    assert Image.open(static / "social.png").size == hspace_head.CARD[1:3]
    assert [Image.open(static / name).size for name in ("favicon.png", "touch.png")] == [(64, 64), (180, 180)]


# Scripts -------------------------------------------------------------------------------------------------------------


def script(filename="", **attributes):
    return SimpleNamespace(filename=filename, attributes=attributes)


def test_scripts_come_once_and_after_the_page():
    given = [
        script(body="let a = 1;"),
        script("a.js"),
        script(body="let a = 1;"),
        script("m.mjs", type="module"),
        script("b.js", **{"async": "async"}),
        script(body="DOCUMENTATION_OPTIONS.pagename = 'p';"),
    ]
    context = {"script_files": given}
    hspace_site.order_scripts(None, "p", "page.html", context, None)
    assert [s.filename or s.attributes["body"][:5] for s in context["script_files"]] == [
        "let a",
        "a.js",
        "m.mjs",
        "b.js",
        "DOCUM",
    ]
    assert given[1].attributes == given[4].attributes == {"defer": "defer"}
    assert "defer" not in given[0].attributes and "defer" not in given[3].attributes
    assert given[5].attributes["type"] == "module"


def test_extensions_a_page_makes_no_use_of_are_left_out():
    scripts = [script("togglebutton.js"), script(body="let toggleHintShow = 'x';"), script("a.js")]
    styles = [SimpleNamespace(filename="sphinx-design.min.css"), SimpleNamespace(filename="book.css")]
    for body, wanted in (("<p>x</p>", (1, 1)), ('<div class="sd-card toggle">', (3, 2))):
        context = {"script_files": list(scripts), "css_files": list(styles), "body": body}
        hspace_site.order_scripts(None, "p", "page.html", context, None)
        assert (len(context["script_files"]), len(context["css_files"])) == wanted


def test_mathematics_is_loaded_where_there_is_some():
    given = [script("a.js"), script("_static/mathjax/startup.js"), script(body="window.MathJax = {}")]
    for text, wanted in (("Text.", 1), ("$x$", 3), ("$$\nx\n$$", 3)):
        hspace_site.order_scripts(None, "p", "page.html", context := {"script_files": given}, page(text))
        assert len(context["script_files"]) == wanted


@pytest.mark.parametrize(
    ("markdown", "together"),
    [
        ("down to $s$? Yes ($x$, if you like), and $y$.", ["s?", "(x,", "y."]),
        ("from $a$ to $b$", []),
        ("the $i$-th of “$W x$”", ["i-", "“Wx”"]),
        ("- $t$; $u$!", ["t;", "u!"]),
        ("*two* $v$*three*", []),
    ],
)
def test_a_formula_keeps_what_touches_it_on_its_line(markdown, together):
    document = page(markdown)
    words = document.astext()
    hspace_site.Formulas(document).run()
    spans = [node for node in document.findall(nodes.inline) if "together" in node["classes"]]
    assert [span.astext().replace(" ", "") for span in spans] == together and document.astext() == words


def test_the_parts_of_mathjax_that_are_asked_for_are_copied(tmp_path):
    hspace_site.copy_mathjax(tmp_path / "_static" / "mathjax")
    folder = tmp_path / "_static" / "mathjax"
    for part in hspace_site.MATHJAX_CONFIG["loader"]["load"]:
        assert (folder / f"{part.replace('[tex]', 'input/tex/extensions')}.js").exists(), part


def test_icons_that_nobody_uses_leave_the_style_and_nothing_else_does(tmp_path):
    style = tmp_path / hspace_site.THEME_STYLE
    style.parent.mkdir(parents=True)
    style.write_text('a{b:c}.fa-x:before,.fa-y:before{content:"\\f1"}.fa-lg{d:e}.f:before{content:"x"}')
    hspace_site.drop_icons(SimpleNamespace(outdir=tmp_path), None)
    assert style.read_text(encoding="utf-8") == 'a{b:c}.fa-lg{d:e}.f:before{content:"x"}'


def test_the_corner_of_a_table_is_no_header():
    context = {"body": '<tr><th class="head"><p></p></th><th class="head"><p>a</p></th><th></th></tr>'}
    hspace_site.plain_names(None, "p", "page.html", context, None)
    assert context["body"] == '<tr><td class="head"></td><th class="head"><p>a</p></th><td></td></tr>'


# The library's page --------------------------------------------------------------------------------------------------


def parsed(source):
    return ast.parse(source).body[0]


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("def f(a, b=1, *, c: int = 2): ...", "f(a, b=1, *, c: int=2)"),
        ("def f() -> str: ...", "f() -> str"),
        ("class C:\n  def __init__(self, x, *y): ...", "C(x, *y)"),
        ("@dataclass(frozen=True)\nclass C:\n  a: int\n  b: str = 'x'", "C(a: int, b: str='x')"),
        ("class C(Base):\n  x = 1", "C"),
    ],
)
def test_signatures_are_as_written(source, wanted):
    assert hspace_api.signature(parsed(source)).replace(" = ", "=") == wanted


def test_methods_lose_self_and_properties_their_brackets():
    own = ' def m(self, k=1):\n  "Does."\n @property\n def p(self):\n  "Is."\n'
    source = f'class C:\n{own} def _h(self):\n  "No."\n def n(self): ...'
    assert hspace_api.methods(parsed(source)) == [("m(k=1)", "Does."), ("p", "Is.")]


def test_docstrings_become_prose_fields_and_code():
    listed = "x (n,): in X.  k: how many,\n    or all.\nReturns (k,).\n"
    text = f"Summary: the first line is prose with `code`.\n\n{listed}\n    a = b\n"
    prose, fields, code = hspace_api.docstring(text)
    assert isinstance(prose, nodes.paragraph) and prose.next_node(nodes.literal).astext() == "code"
    assert [item.astext() for item in fields.children] == ["x (n,): in X.", "k: how many, or all.", "Returns (k,)."]
    assert code.astext() == "a = b"
    assert hspace_api.docstring("") == []


def test_every_public_name_of_the_library_is_on_the_page():
    import hspace

    sections = hspace_api.sections()
    ids = [name for section in sections for node in section.findall(nodes.section) for name in node["ids"]]
    assert len(ids) == len(set(ids)) and "hspace-krylov-svd" in ids and "hspace-model-DiffusionModel" in ids
    links = {node["refid"].rsplit("-", 1)[1] for node in sections[0].findall(nodes.reference)}
    lazy = {name for name, home in hspace._HOME.items() if f"hspace-{home}-{name}" in ids}
    assert sections[0]["ids"] == ["hspace"] and links == lazy
    assert not [name for name in ids if "-_" in name or "." in name]
    assert [section["ids"][0] for section in sections[:3]] == ["hspace", "hspace-model", "hspace-jacobian"]
    assert "hspace-cli-main" in ids and "hspace-cli-run_train" not in ids  # which has no docstring


def test_the_page_needs_no_import_of_the_library():
    source = (ROOT / "book/_ext/hspace_api.py").read_text(encoding="utf-8")
    assert not re.search(r"^\s*(import|from) (hspace\b|torch)", source, re.M)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_parse(path):
    subprocess.run(["node", "--check", path], check=True)
