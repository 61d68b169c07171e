"""What the site needs beyond Jupyter Book's settings: mathematics from its own files, scripts that let the page show
first and come once. The other modules of this folder dress the dialogue, the figures, the head, the API page, the
index of exercises and the pages for instructors.
"""

import importlib.util
import re
import shutil
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

PARTS = ("hspace_dialogue", "hspace_figures", "hspace_head", "hspace_api", "hspace_exercises", "hspace_teaching")
COLAB = "https://colab.research.google.com"

# MathJax in parts, a third smaller than its whole. Rarer TeX packages are fetched from the same folder when needed.
MATHJAX = "startup.js"
MATHJAX_FILES = (MATHJAX, "core.js", "input/tex-base.js", "output/chtml.js", "a11y/assistive-mml.js")
MATHJAX_FOLDERS = ("output/chtml/fonts", "input/tex/extensions")
TEX = ("ams", "newcommand", "noundefined", "autoload", "require")
MATHJAX_CONFIG = {
    "loader": {"load": ["input/tex-base", *(f"[tex]/{name}" for name in TEX), "output/chtml", "a11y/assistive-mml"]},
    "tex": {"packages": ["base", *TEX]},
}

#: Files of extensions, by part of their name or text, and what a page contains that needs them.
OPTIONAL = {
    "sphinx-design": "sd-",
    "design-tabs": "sd-",
    "togglebutton": "toggle",
    "toggleHint": "toggle",
    "toggleOpenOnPrint": "toggle",
}

# The theme's two thousand icons, a quarter of its style: icons.css draws the twenty that are used.
THEME_STYLE = "_static/styles/pydata-sphinx-theme.css"
ICON = re.compile(r'(?:\.fa-[\w-]+:{1,2}before,?)+\{content:"[^"]*"\}')
EMPTY_HEADER = re.compile(r"<th((?: class=\"[^\"]*\")?)>(?:<p>\s*</p>)?</th>")
OPENING, CLOSING = re.compile(r"[(\[“‘]+$"), re.compile(r"^[^\s\w(\[“‘]+")  # what touches a formula
HIDDEN_NAME = ' aria-label="Toggle hidden content"'  # myst-nb's, on every folded cell
#: Until the reader has chosen, the theme finds no mode and complains; with this the page opens as the system asks.
LIGHT = """\
{ const page = document.documentElement.dataset;
page.mode ||= "auto";
page.theme ||= matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"; }"""


def mathjax_files():
    """The folder with MathJax in the package sphinx-mathjax-offline (whose name is no Python name)."""
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if spec is None:
        raise FileNotFoundError("MathJax is missing: pip install -r requirements-site.txt")
    return Path(spec.origin).parent / "static" / "mathjax"


def copy_mathjax(target):
    """Put the part of MathJax that the pages use into a folder, so that no page asks another machine for it."""
    source = mathjax_files()
    for folder in MATHJAX_FOLDERS:
        shutil.copytree(source / folder, target / folder, dirs_exist_ok=True)
    for name in MATHJAX_FILES:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, target / name)


def set_options(app, config):
    """Local MathJax; the buttons that lead to the repository only once its address is known."""
    config.mathjax_path = f"mathjax/{MATHJAX}"
    config.mathjax3_config = {**(config.mathjax3_config or {}), **MATHJAX_CONFIG}
    options = config.html_theme_options
    if options.get("repository_url"):
        options["use_repository_button"] = options["use_issues_button"] = True
        options["launch_buttons"] = {**options.get("launch_buttons", {}), "colab_url": COLAB}


def once(scripts):
    """Scripts without the second copy of an inline one: a constant declared twice is an error on every page."""
    seen, kept = set(), []
    for script in scripts:
        body = getattr(script, "attributes", {}).get("body")
        if body not in seen:
            kept.append(script)
        if body:
            seen.add(body)
    return kept


def defer(script):
    """Let the page show before the script runs; deferred scripts keep their order.

    The one inline script that needs a file before it becomes a module, which waits as well.
    """
    attributes = getattr(script, "attributes", {})
    if attributes.get("body", "").startswith("DOCUMENTATION_OPTIONS."):
        attributes["type"] = "module"
    elif not attributes.get("body") and attributes.get("type") != "module":
        attributes.pop("async", None)
        attributes["defer"] = "defer"


def keep_together(formula):
    """Put a formula and the signs that touch it into one span: browsers would begin a line with its full stop."""
    parent, i = formula.parent, formula.parent.index(formula)
    beside = parent[i - 1] if i else "", parent[i + 1] if i + 1 < len(parent) else ""
    before, after = (node if isinstance(node, nodes.Text) else "" for node in beside)
    opening, closing = OPENING.search(before), CLOSING.search(after)
    start, end = opening.start() if opening else len(before), closing.end() if closing else 0
    if start == len(before) and not end:
        return
    touching = [nodes.Text(before[start:]), formula, nodes.Text(after[:end])]
    parent[i] = nodes.inline("", "", *touching, classes=["together"])
    if before:
        parent[i - 1] = nodes.Text(before[:start])
    if after:
        parent[i + 1] = nodes.Text(after[end:])


class Formulas(SphinxPostTransform):
    """Formulas in a sentence keep their punctuation."""

    default_priority = 410
    formats = ("html",)

    def run(self, **kwargs):
        for formula in list(self.document.findall(nodes.math)):
            keep_together(formula)


def for_mathematics(script):
    return what_it_is(script).startswith(("_static/mathjax/", "window.MathJax"))


def has_mathematics(doctree):
    return doctree is not None and any(isinstance(node, (nodes.math, nodes.math_block)) for node in doctree.findall())


def without_unused(files, body):
    """Scripts and styles without those of extensions that this page makes no use of."""
    unused = [name for name, sign in OPTIONAL.items() if sign not in body]
    return [file for file in files if not any(name in what_it_is(file) for name in unused)]


def what_it_is(file):
    """A script's or style's name, or its text where it stands in the page."""
    return str(getattr(file, "filename", None) or getattr(file, "attributes", {}).get("body") or "")


def order_scripts(app, pagename, templatename, context, doctree):
    """Each script once and after the page; none for mathematics where there is none (Sphinx asks the subpages too)."""
    body = context.get("body") or ""
    context["css_files"] = without_unused(context.get("css_files", []), body)
    scripts = without_unused(once(context.get("script_files", [])), body)
    context["script_files"] = [s for s in scripts if has_mathematics(doctree) or not for_mathematics(s)]
    for script in context["script_files"]:
        defer(script)


def drop_icons(app, exception):
    """Take the rules of unused icons out of the site's copy of the theme's style."""
    style = Path(app.outdir) / THEME_STYLE
    if not exception and style.exists():
        style.write_text(ICON.sub("", style.read_text(encoding="utf-8")), encoding="utf-8")


def plain_names(app, pagename, templatename, context, doctree):
    """Names that screen readers can use: no empty table header, and no hidden name over a fold's visible one."""
    if context.get("body"):
        body = EMPTY_HEADER.sub(r"<td\1></td>", context["body"])
        context["body"] = body.replace(HIDDEN_NAME, "")


def setup(app):
    app.add_post_transform(Formulas)
    app.connect("config-inited", set_options)
    app.connect("builder-inited", lambda app: copy_mathjax(Path(app.outdir) / "_static" / "mathjax"))
    app.connect("html-page-context", order_scripts, priority=900)
    app.connect("html-page-context", plain_names)
    app.connect("build-finished", drop_icons)
    app.add_js_file(None, body=LIGHT, priority=1)
    app.add_js_file("book.js", defer="defer")
    for part in PARTS:
        app.setup_extension(part)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
