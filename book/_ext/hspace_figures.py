"""Figures on the page: sizes known before they load, small files, and the live figures of `hspace.widgets`."""

import re
import shutil
from pathlib import Path
from urllib.parse import quote, unquote

import imagesize
from docutils import nodes
from PIL import Image
from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[2]
WIDGETS = ROOT / "lib" / "hspace" / "widgets"
#: The live figures a page may hold; live.mjs keeps the same list, and a test compares them.
LIVE = (
    "ball",
    "cat_person",
    "graph",
    "image_strip",
    "kept_directions",
    "linear_map",
    "mad_lib",
    "pullback",
    "rotate_scale_rotate",
    "sphere_walk",
    "stepper",
    "tangent",
    "unet",
)
SHARED = ("parts.mjs", "widgets.css")  #: what all of them load
SHARP = 2  # dots of a PNG to a page pixel

TAG = re.compile(r"<img\b[^>]*?/?>")
SOURCE = re.compile(r'\bsrc="([^"]*)"')
STYLED = re.compile(r'\sstyle="width: (\d+)px; height: (\d+)px;?"')  # how a notebook's own size arrives
SIZED = re.compile(r'\swidth="|style="[^"]*\bwidth:')
PLACE = re.compile(r'<div class="hspace-live" data-widget="([^"]*)"')

log = logging.getLogger(__name__)


def page_size(file):
    """(width, height) in page pixels of a picture file: a PNG has two dots to one; None where it cannot be read."""
    width, height = imagesize.get(file)
    if width <= 0 or height <= 0:
        return None
    dots = SHARP if Path(file).suffix == ".png" else 1
    return round(width / dots), round(height / dots)


def dress_picture(tag, files, lazy):
    """An <img> with its size, so that nothing jumps when it loads, and loaded late where it is `lazy`.

    The size is given by attributes, not by a style: a narrow page can then make the picture smaller in proportion.

    files: {name in the site's folder of pictures: source file}. Pictures from elsewhere stay as they are.
    """
    source = SOURCE.search(tag)
    file = files.get(unquote(source[1].rsplit("/", 1)[-1])) if source else None
    if file is None:
        return tag
    added = ' decoding="async"' + (' loading="lazy"' if lazy else "")
    styled = STYLED.search(tag)
    tag = STYLED.sub("", tag)
    size = styled.groups() if styled else None if SIZED.search(tag) else page_size(file)
    if size:
        added = f' width="{size[0]}" height="{size[1]}"' + added
    return tag.rstrip("/> ") + added + ">"


def dress_pictures(app, pagename, templatename, context, doctree):
    """Sizes for all pictures of the page; all but the first are loaded when they come near."""
    if not context.get("body") or not hasattr(app.builder, "images"):
        return
    files = {name: Path(app.srcdir, path) for path, name in app.builder.images.items()}
    seen = []

    def dress(match):
        seen.append(match[0])
        return dress_picture(match[0], files, lazy=len(seen) > 1)

    body = TAG.sub(dress, context["body"])
    for name in files:
        if name.endswith(".png"):
            body = body.replace(f"_images/{quote(name)}", f"_images/{quote(name[:-4])}.webp")
    context["body"] = body


def shrink(file):
    """Store a PNG as WebP instead: charts, which have few colours, without loss; pictures at a quality of 85."""
    with Image.open(file) as picture:
        chart = picture.mode in ("P", "L", "1")
        options = {"lossless": True} if chart else {"quality": 85}
        picture.convert("RGBA" if "transparency" in picture.info or "A" in picture.mode else "RGB").save(
            file.with_suffix(".webp"), method=4, **options
        )
    file.unlink()


def shrink_pictures(app, exception):
    """After all pictures lie in the site's folder."""
    if exception or app.builder.format != "html":
        return
    for name in app.builder.images.values():
        file = Path(app.outdir, "_images", name)
        if file.suffix == ".png" and file.exists():
            shrink(file)


def live_figures(doctree):
    """Names of the live figures on a page."""
    found = (PLACE.findall(node.astext()) for node in doctree.findall(nodes.raw)) if doctree else ()
    return sorted({name for names in found for name in names})


def copy_widgets(target):
    """The modules and their style from the library into a folder: the site has no second copy of its own."""
    target.mkdir(parents=True, exist_ok=True)
    for file in [*(WIDGETS / f"{name}.mjs" for name in LIVE), *(WIDGETS / name for name in SHARED)]:
        if file.exists():
            shutil.copy(file, target / file.name)


def add_live(app, pagename, templatename, context, doctree):
    """Load what brings live figures to life, on pages that hold some. A figure that is missing is a warning."""
    names = live_figures(doctree)
    for name in names:
        if name not in LIVE:
            log.warning(f"no live figure is called {name!r}; there are {', '.join(LIVE)}", location=pagename)
        elif not (WIDGETS / f"{name}.mjs").exists():
            log.warning(f"the live figure {name!r} needs {WIDGETS / name}.mjs, which is missing", location=pagename)
    for name in SHARED if names else ():
        if not (WIDGETS / name).exists():
            log.warning(f"live figures need {WIDGETS / name}, which is missing", location=pagename)
    if names:
        app.add_css_file("live/widgets.css")
        app.add_js_file("live/live.mjs", type="module")


def setup(app):
    app.connect("builder-inited", lambda app: copy_widgets(Path(app.outdir) / "_static" / "live"))
    app.connect("html-page-context", add_live)
    app.connect("html-page-context", dress_pictures, priority=800)
    app.connect("build-finished", shrink_pictures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
