"""A treatment as one page of HTML that can be sent to a colleague: pictures along each direction, and what they do.

The page holds everything itself and no script; its own policy forbids it to fetch anything. All text from outside
(model names, prompts, factors) is escaped.
"""

import base64
import hashlib
import html
import io
import shutil
from functools import partial
from itertools import pairwise
from pathlib import Path

import torch
from tqdm import tqdm

from hspace import __version__
from hspace.directions import strips
from hspace.files import contact_sheet, write
from hspace.geometry import match

LENGTHS = (-8.0, -4.0, 0.0, 4.0, 8.0)
MANY, SMALL = 3, 128  # changes named under a strip; pictures up to this size are PNG, larger ones JPEG

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #111; --soft: #555; --link: #0b57d0; --line: #8888; }
@media (prefers-color-scheme: dark) { :root { --page: #16181c; --ink: #eee; --soft: #bbb; --link: #8ab4f8; } }
html { background: var(--page); color: var(--ink); }
a { color: var(--link); }
body { overflow-wrap: anywhere; font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
h1, h2 { line-height: 1.2; }
h2 { border-top: 1px solid var(--line); margin-top: 2.5rem; padding-top: 1rem; }
table { border-collapse: collapse; }
th { font-weight: 600; padding-right: 1.5rem; text-align: left; vertical-align: top; }
ol { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 22rem), 1fr)); padding: 0; }
li { list-style: none; min-width: 0; }
img { display: block; height: auto; max-width: 100%; width: 100%; }
img.small { image-rendering: pixelated; }
p { margin: 0.25rem 0; }
.soft { color: var(--soft); }
""".strip()

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
{style}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{head}
{units}
</main>
</body>
</html>
"""


def gallery(
    model,
    treatment,
    path,
    *,
    units=None,
    count=10,
    lengths=LENGTHS,
    judge=None,
    like=None,
    title="Directions",
    batch=8,
    progress=True,
):
    """Write the gallery of a treatment to `path`, one HTML file.  Returns the path.

    model: the treated one.  treatment: a `Treatment`.  units: pairs (seed, t), those that are done by default.
    count: directions of each.  lengths: of the steps along them, in X, rising.
    judge: any function from float32 pictures (B, C, H, W) to numbers (B, F); under each strip stands how they change
        from its first picture to its last, in the judge's `std` and by its `factors` where it has them.
    like: a unit (seed, t) whose directions all others are matched to, by their spaces, see `geometry.match`; each
        strip then says how much of its partner it holds. By default each unit shows its own singular directions.
    batch: pictures that are finished at once.
    Each unit's section is kept in a folder `<path>.parts` until the page is whole, and taken from there where a gallery
    that was stopped is made again. A judge is known there by what it says of one picture.
    Raises ValueError for another model, for units that are not there, and for lengths without a way between them.
    """
    treatment.check_model(model)
    units = list(treatment.status().done if units is None else units)
    if not units:
        raise ValueError(f"no such unit of {treatment.folder} is done yet: run `hspace directions` first")
    if len(lengths) < 2 or not all(a < b for a, b in pairwise(lengths)):
        raise ValueError(f"lengths = {list(lengths)} must be two or more rising numbers, such as -8,-4,0,4,8")
    if not 1 <= count <= treatment.plan.k:
        raise ValueError(f"count = {count}: the units hold 1 to {treatment.plan.k} directions")
    pattern = None if like is None else treatment.read(*like).svd.V[:, :count]
    path, sections = Path(path), []
    parts = path.with_name(path.name + ".parts")
    shared = __version__, count, *map(float, lengths), *_known(model, judge, treatment.read(*units[0]))
    for seed, t in tqdm(units, "gallery", unit="unit", disable=not progress):
        unit = treatment.read(seed, t)
        name = treatment.plan.name(seed)
        name = name[0].upper() + name[1:]
        key = _key([treatment.path(*each) for each in ((seed, t), like) if each], name, *shared)
        make = partial(_section, model, unit, name, count, lengths, judge, pattern, batch)
        sections.append(_kept(parts / f"seed{seed}_t{t}_{key}.html", make))
    page = PAGE.format(
        title=html.escape(title),
        style=STYLE,
        head=_head(treatment, units, lengths, like),
        units="\n".join(sections),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, lambda beside: beside.write_text(page, encoding="utf-8"))
    shutil.rmtree(parts, ignore_errors=True)
    return path


def _kept(path, make):
    """The text of the file, which `make` gives where there is none yet."""
    if not path.exists():
        text = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, lambda beside: beside.write_text(text, encoding="utf-8"))
    return path.read_text(encoding="utf-8")


@torch.no_grad()
def _known(model, judge, unit):
    """What decoder and judge make of a unit's picture, to three digits, a list: by that they are known again."""
    picture = model.picture(model.denoise(unit.x.to(model.device, model.dtype), start=unit.t)).float()
    told = [picture.mean(), picture.std()]
    if judge is not None:
        told += [*judge(picture)[0], *getattr(judge, "std", torch.ones(())).flatten()]
    return [f"{float(value):.3g}" for value in told] + [str(name) for name in getattr(judge, "factors", ())]


def _key(paths, *said):
    """16 hex digits over the content of files and all that is said."""
    digest = hashlib.sha256(repr(said).encode())
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _head(treatment, units, lengths, like):
    plan, manifest, about = treatment.plan, treatment.manifest, dict(treatment.about)
    for name in {"model", "pictures"} & set(about):
        if Path(about[name]).is_dir():
            about[name] = Path(about[name]).name  # where it lies on this machine is nobody's business
    steps = ", ".join(f"{length:g}" for length in lengths)
    rows = {
        **about,
        "weights": manifest["model"][:16],
        "layer": plan.layer,
        "directions": f"the {plan.k} strongest of ∂h/∂x at each picture, found to {plan.tol:g}",
        "strips": f"steps of {steps} in x, then finished in the sampler's {manifest['steps']} steps",
        "made by": f"hspace {manifest['hspace']}",
    }
    if like is not None:
        matched = f"{plan.name(like[0])}, t = {like[1]}"
        rows["matched to"] = f"{matched}: the spaces are matched, so strip 3 shows the same in all"
    cells = "\n".join(
        f"<tr><th scope='row'>{html.escape(str(name))}</th><td>{html.escape(str(value))}</td></tr>"
        for name, value in rows.items()
    )
    links = " · ".join(f"<a href='#seed{seed}-t{t}'>{html.escape(plan.name(seed))}, t = {t}</a>" for seed, t in units)
    return f"<table>\n{cells}\n</table>\n<nav aria-label='Pictures'><p>{links}</p></nav>"


def _section(model, unit, name, count, lengths, judge, pattern, batch):
    """One unit: heading, what is known of the search, and a strip for each direction."""
    S, x, V = unit.svd, unit.x.to(model.device, model.dtype), unit.svd.V[:, :count]
    notes = [f"σ = {value:.3g}" for value in S.s[:count].tolist()]
    if pattern is not None:
        turned, cosines = match(S.V, pattern)
        V = torch.nn.functional.normalize(turned, dim=0)
        notes = [f"holds {100 * value**2:.0f} % of its partner" for value in cosines.tolist()]
    shown = strips(model, x, unit.t, V, lengths, batch)
    changes = _changes(judge, shown) if judge is not None else [""] * count
    items = "\n".join(
        _item(unit, name, i, strip, lengths, note, change)
        for i, (strip, note, change) in enumerate(zip(shown.cpu(), notes, changes, strict=True), 1)
    )
    certainty = "converged" if S.converged else "NOT converged"
    known = f"{S.products} products, {certainty}, residuals up to {S.residuals.max():.1e}"
    if "lost" in unit.about:
        known += f"; inverted and drawn again, the picture differs by {unit.about['lost']:.2g} (rms, of a range of 2)"
        known += f"; its state has {100 * unit.about['norm']:.0f} % of the norm of a noisy picture"
    heading = f"<h2 id='seed{unit.seed}-t{unit.t}'>{html.escape(name)}, t = {unit.t}</h2>"
    return f"<section>\n{heading}\n<p class='soft'>{known}</p>\n<ol>\n{items}\n</ol>\n</section>"


def _item(unit, name, i, strip, lengths, note, change):
    first, last = f"{lengths[0]:g}", f"{lengths[-1]:g}"
    alt = f"{name} at t = {unit.t}, direction {i}: {len(lengths)} pictures, from {first} to {last}"
    picture = _picture(strip, alt)
    words = html.escape("; ".join(filter(None, (note, change))))
    name = f"seed{unit.seed}-t{unit.t}-{i}"
    return f"<li id='{name}'>{picture}\n<p><b>{i}</b> <span class='soft'>{words}</span></p></li>"


def _picture(strip, alt):
    """Pictures (L, C, H, W) in [-1, 1] side by side as an <img> that holds its own data."""
    image, file, small = row(strip), io.BytesIO(), strip.shape[-1] <= SMALL
    kind, options = ("png", {"optimize": True}) if small else ("jpeg", {"quality": 90})
    image.save(file, format=kind, **options)
    data = base64.b64encode(file.getvalue()).decode()
    style = " class='small'" if small else ""
    size = f"width='{image.width}' height='{image.height}'"
    return f"<img{style} {size} alt='{html.escape(alt)}' src='data:image/{kind};base64,{data}'>"


def row(pictures):
    """Pictures (L, C, H, W) in [-1, 1], grey or in colour, side by side: one image.  ValueError for other channels."""
    if pictures.shape[1] not in (1, 3):
        channels = f"pictures with {pictures.shape[1]} channels cannot be shown"
        raise ValueError(f"{channels}: load the model together with what decodes its latents (its vae)")
    return contact_sheet(pictures.float().expand(-1, 3, -1, -1)[None])


@torch.no_grad()
def _changes(judge, shown):
    """For each strip (k, L, C, H, W) the numbers that change most from its first picture to its last, as text."""
    first, last = judge(shown[:, 0].float()), judge(shown[:, -1].float())
    change = ((last - first) / getattr(judge, "std", torch.ones(())).to(first)).cpu()
    names = [str(name) for name in getattr(judge, "factors", range(change.shape[1]))]
    order = change.abs().argsort(dim=1, descending=True)[:, :MANY].tolist()
    return [", ".join(f"{names[j]} {one[j]:+.2f}" for j in best) for one, best in zip(change, order, strict=True)]
