"""What the site needs beyond Jupyter Book's settings: mathematics from its own files, no script twice."""

import importlib.util
import shutil
from pathlib import Path

MATHJAX = "tex-chtml.js"  # reads TeX, writes HTML; it fetches fonts and rarer TeX packages from its own folder
COLAB = "https://colab.research.google.com"
MATHJAX_FOLDERS = ("output/chtml/fonts", "input/tex/extensions")


def mathjax_files():
    """The folder with MathJax in the package sphinx-mathjax-offline (whose name is no Python name)."""
    spec = importlib.util.find_spec("sphinx-mathjax-offline")
    if spec is None:
        raise FileNotFoundError("MathJax is missing: pip install -r requirements-site.txt")
    return Path(spec.origin).parent / "static" / "mathjax"


def copy_mathjax(app):
    """Put the part of MathJax that the pages use into the site, so that no page asks another machine for it."""
    source, target = mathjax_files(), Path(app.outdir) / "_static" / "mathjax"
    for folder in MATHJAX_FOLDERS:
        shutil.copytree(source / folder, target / folder, dirs_exist_ok=True)
    shutil.copy(source / MATHJAX, target / MATHJAX)


def set_options(app, config):
    """Local MathJax; the buttons that lead to the repository only once its address is known."""
    config.mathjax_path = f"mathjax/{MATHJAX}"
    options = config.html_theme_options
    if options.get("repository_url"):
        options["use_repository_button"] = options["use_issues_button"] = True
        options["launch_buttons"] = {**options.get("launch_buttons", {}), "colab_url": COLAB}


def drop_repeated_scripts(app, pagename, templatename, context, doctree):
    """Leave out the second copy of inline scripts: a constant declared twice is an error on every page."""
    seen, kept = set(), []
    for script in context.get("script_files", []):
        body = getattr(script, "attributes", {}).get("body")
        if body not in seen:
            kept.append(script)
        if body:
            seen.add(body)
    context["script_files"] = kept


def setup(app):
    app.connect("config-inited", set_options)
    app.connect("builder-inited", copy_mathjax)
    app.connect("html-page-context", drop_repeated_scripts, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
