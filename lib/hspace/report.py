"""Alice's model card: what the finished weights can do, measured, and the page that says so.

Everything here is computed from the weights, the judges and the world; `book/alice.md` and its pictures are written
from the figures this module measures, and never by hand.
"""

import itertools
import json
from pathlib import Path

import torch
from tqdm import tqdm

from hspace.cats import world
from hspace.cats.judge import JUDGES, load_judge
from hspace.cats.render import blur, render
from hspace.cats.train import bundled_curve, lawless, r_squared
from hspace.directions import fingerprint
from hspace.files import write
from hspace.scoring import ks_distance, realism

TARGETS = {"realism": 0.05, "ks": 0.15, "law": 0.15, "inversion": 0.05, "judge": 0.97}
SEEN = 0.25  # a judged puppet or horse above this counts as one: half of the least that the world draws


@torch.no_grad()
def measure(model, samples=512, steps=50, inverted=64, inversion_steps=100, progress=True):
    """All figures of the model card, as a dict of plain numbers, and the 64 first samples (64, 3, 64, 64).

    samples: DDIM pictures of seeds 0, 1, 2, ... in `steps` steps, against as many held-out pictures of the world.
    inverted: real pictures that are inverted to noise and drawn again in `inversion_steps` steps.
    """
    referee = load_judge("referee")
    people = world.sample(samples, seed=99)
    real = render(people)
    drawn = draw(model, samples, steps, progress)
    told, truth = judged(referee, drawn), judged(referee, real)
    figures = {
        "fingerprint": fingerprint(model),
        "weights": sum(p.numel() for p in model.network.parameters()),
        "samples": samples,
        "steps": steps,
        "realism": realism_figures(real, drawn, referee),
        "ks": {name: ks(truth, told, name) for name in world.FACTORS},
        "shares": {"world": shares(truth), "Alice": shares(told)},
        "law": {"world": fit_law(truth), "Alice": fit_law(told)},
        "inversion": inversion(model, real[:inverted], inversion_steps, progress),
        "judges": {kind: r_squared(load_judge(kind)) for kind in JUDGES},
        "lawless": {kind: r_squared(load_judge(kind), lawless(samples, seed=98)) for kind in JUDGES},
    }
    return figures, drawn[:64], (truth, told)


def draw(model, samples, steps, progress):
    """DDIM pictures of seeds 0 .. samples - 1, on the CPU, as the judges are."""
    seeds = torch.arange(samples).split(32)
    bar = tqdm(seeds, desc="drawing", disable=not progress)
    return torch.cat([model.picture(model.denoise(model.noise(part.tolist()), steps=steps)).cpu() for part in bar])


def judged(judge, pictures):
    """Factors of many pictures, (n, 12)."""
    return torch.cat([judge(part) for part in pictures.split(256)])


def quantiles(values):
    """Median and 90 % of a row of numbers, to four digits."""
    return {"median": round(values.quantile(0.5).item(), 4), "p90": round(values.quantile(0.9).item(), 4)}


def realism_figures(real, drawn, judge):
    """Realism of Alice's pictures, beside real ones, the same blurred by one pixel and the same with noise of 0.1."""
    noise = 0.1 * torch.randn(real.shape, generator=torch.Generator().manual_seed(5))
    sets = {"Alice": drawn, "real": real, "real, blurred": blur(real), "real, with noise": real + noise}
    found = {name: realism(pictures, judge) for name, pictures in sets.items()}
    return {name: {"pixels": quantiles(r.pixels), "edges": quantiles(r.edges)} for name, r in found.items()}


def ks(truth, told, name):
    """KS distance of one factor between real and drawn pictures; fright among puppets, where it can be seen."""
    i, p = world.column(name), world.column("puppet")
    if name == "fright":
        truth, told = truth[truth[:, p] > SEEN], told[told[:, p] > SEEN]
    return round(ks_distance(truth[:, i], told[:, i]), 3)


def shares(judged):
    """Shares of puppets, horses and both."""
    puppet, horse = (judged[:, world.column(name)] > SEEN for name in ("puppet", "horse"))
    share = {"puppets": puppet, "horses": horse, "both": puppet & horse}
    return {name: round(where.float().mean().item(), 3) for name, where in share.items()}


def fit_law(judged):
    """W fitted to judged pictures by least squares with a constant: entries and their 95 % half widths, 2 × 2 each.

    Rows nap, luck; columns nose, ear.  The half width is 1.96 standard errors (ordinary least squares).
    """
    inputs, outputs = (judged[:, [world.column(name) for name in pair]] for pair in (("nose", "ear"), ("nap", "luck")))
    X = torch.cat([inputs, torch.ones(len(inputs), 1)], dim=1).double()
    solved = torch.linalg.lstsq(X, outputs.double()).solution
    spread = (outputs - X @ solved).square().sum(dim=0) / (len(X) - 3)
    error = (spread[:, None] * torch.linalg.inv(X.T @ X).diagonal()[:2]).sqrt()
    rounded = [[[round(v, 3) for v in row] for row in table.tolist()] for table in (solved[:2].T, 1.96 * error)]
    return {"W": rounded[0], "half width": rounded[1]}


def inversion(model, pictures, steps, progress):
    """DDIM inversion to noise and back: root mean square error of each picture."""
    back = []
    for part in tqdm(pictures.split(16), desc="inverting", disable=not progress):
        noise = model.invert(part.to(model.device), steps=steps, iterations=2)
        back.append(model.denoise(noise, steps=steps).cpu())
    error = (torch.cat(back) - pictures).square().mean(dim=(1, 2, 3)).sqrt()
    return {"pictures": len(pictures), "steps": steps, **quantiles(error), "worst": round(error.max().item(), 4)}


def verdicts(figures):
    """What each target asks and what was reached: rows (what, asked, reached, met)."""
    judges = min(min(scores.values()) for scores in figures["judges"].values())
    drawn, law = figures["realism"]["Alice"]["pixels"]["median"], torch.tensor(figures["law"]["Alice"]["W"])
    off, worst = (law - world.W).abs().max().item(), max(figures["ks"].values())
    back = figures["inversion"]["median"]
    return [
        (
            "median realism error, RMS on the [-1, 1] scale",
            f"≤ {TARGETS['realism']}",
            f"{drawn:.3f}",
            drawn <= TARGETS["realism"],
        ),
        ("largest KS distance of a factor", f"≤ {TARGETS['ks']}", f"{worst:.3f}", worst <= TARGETS["ks"]),
        ("largest error of an entry of W", f"≤ {TARGETS['law']}", f"{off:.3f}", off <= TARGETS["law"]),
        (
            "median error of inversion and back, RMS",
            f"≤ {TARGETS['inversion']}",
            f"{back:.3f}",
            back <= TARGETS["inversion"],
        ),
        ("smallest R² of a judge on a factor", f"≥ {TARGETS['judge']}", f"{judges:.3f}", judges >= TARGETS["judge"]),
    ]


def plans(curve):
    """The plans of the runs that made a curve, the first one first."""
    return [*(plans(curve["earlier"]) if curve.get("earlier") else []), curve["plan"]]


def starts(curve):
    """Where in a curve its later runs begin: {step: name}, "run 2" and then numbers alone, as they may lie close."""
    ends = itertools.accumulate(plan["steps"] for plan in plans(curve)[:-1])
    return {end: f"run {i}" if i == 2 else str(i) for i, end in enumerate(ends, 2)}


def describe(plan):
    """A run in a sentence. Plans of earlier trainers lack what those could not do yet."""
    how = f"{plan['steps']} steps of {plan['batch']} pictures at a learning rate of {plan['rate']:g}, with "
    if "crowding" not in plan:
        how += "AdamW; timesteps uniform, errors in the picture weighted up to 6"
    else:
        how += (
            "Muon for matrices and AdamW for the rest; timesteps drawn as T u^"
            f"{plan['crowding']:g}, errors in the picture weighted up to {plan['limit']:g}"
        )
    if plan.get("middle"):
        how += f"; {plan['middle']:.0%} of the timesteps logit-normal instead"
    if plan.get("detail"):
        how += f"; pixels weighted to {plan['detail']:.0%} by the detail that the world has there"
    return how + f"; running average of the weights at {plan['decay']:g}."


def page(figures, curve):
    """The model card as Markdown."""
    W = figures["law"]["Alice"]
    guide, referee = ((figures["judges"][kind], figures["lawless"][kind]) for kind in JUDGES)
    met = "\n".join(
        f"| {what} | {asked} | {reached} | {'yes' if ok else '**no**'} |"
        for what, asked, reached, ok in verdicts(figures)
    )
    real = "\n".join(
        f"| {name} | {r['pixels']['median']:.3f} | {r['pixels']['p90']:.3f} | {r['edges']['median']:+.3f} |"
        for name, r in figures["realism"].items()
    )
    factors = "\n".join(
        f"| {name} | {figures['ks'][name]:.3f} | {guide[0][name]:.3f} ({guide[1][name]:.3f}) | "
        f"{referee[0][name]:.3f} ({referee[1][name]:.3f}) |"
        for name in world.FACTORS
    )
    share = "\n".join(
        f"| {who} | {s['puppets']:.1%} | {s['horses']:.1%} | {s['both']:.1%} |" for who, s in figures["shares"].items()
    )
    law = "\n".join(
        f"| {out} | "
        + " | ".join(f"{W['W'][i][j]:.2f} ± {W['half width'][i][j]:.2f} ({world.W[i, j]:g})" for j in (0, 1))
        + " |"
        for i, out in enumerate(("nap", "luck"))
    )
    back = figures["inversion"]
    half = ", bfloat16" if curve["bf16"] else ""
    told = "\n".join(f"{i}. {describe(plan)}" for i, plan in enumerate(plans(curve), 1))
    return f"""# Alice's model card

<!-- Written by `hspace report` from the weights. Do not edit. -->

Alice is a diffusion model who draws cat people, 64 by 64 pixels. She was trained from nothing on pictures drawn by
`hspace.cats`, and her weights ship with the book. This page is written by `hspace report`; every number on it is
measured.

![Sixty-four cat people drawn by Alice from the seeds 0 to 63.](_static/alice.png)

## What she is

A `UNet2DModel` of the diffusers library with {figures["weights"] / 1e6:.2f} million weights; her bottleneck,
`mid_block`, holds 128 × 8 × 8 = 8192 numbers. Linear noise schedule of 1000 steps, v-prediction.
Trained for {len(curve["loss"])} steps ({curve["device"].upper()}{half}), every picture drawn fresh:

{told}

`hspace train` trains her anew, `hspace train --onward` further. Where a run weighs its steps otherwise than the one
before, the loss jumps.

![Her training loss, step by step; dashed lines mark where a run went on from the one before.](_static/alice_loss.png)

Her fingerprint, over her weights, the judges and the renderer, is `{figures["fingerprint"]}`. Every stored
result of this book carries it.

## What was asked, what was reached

| figure | asked | reached | met |
|---|---|---|---|
{met}

From {figures["samples"]} pictures of DDIM with {figures["steps"]} steps (seeds 0 to {figures["samples"] - 1});
judged by the referee, which has no part in any edit.

## Realism

The distance between a picture and the drawing of its judged factors. Pixels: root mean square difference on the
[-1, 1] scale. Edges: relative difference in edge energy; below 0 is blurred, above 0 is rough. The blur has a standard
deviation of one pixel, the noise one of 0.1.

| pictures | pixels, median | pixels, 90 % | edges, median |
|---|---|---|---|
{real}

## Factors

KS distance between the factors of her pictures and of the world's, both through the referee (fright among puppets,
where it can be seen), and how well each judge knows a factor (R² on 2048 held-out pictures; in brackets on pictures
that break the law, whose smile and luck have nothing to do with nose and ears).

| factor | KS distance | R² of the guide | R² of the referee |
|---|---|---|---|
{factors}

![Twelve small histograms: each factor in the world's pictures and in hers.](_static/alice_factors.png)

| pictures | puppets | horses | both |
|---|---|---|---|
{share}

## The law, from her drawings

Nobody told Alice the law $[\\text{{nap}}, \\text{{luck}}] = W\\,[\\text{{nose}}, \\text{{ear}}]$. Fitted back
from her own pictures by least squares, with 95 % intervals, and in brackets what the world has:

| | nose | ear |
|---|---|---|
{law}

![The four entries of W as she draws them, with their intervals, beside the world's.](_static/alice_law.png)

## There and back

{back["pictures"]} real pictures were inverted to noise in {back["steps"]} DDIM steps and drawn again.
Root mean square error on the [-1, 1] scale: median {back["median"]:.3f}, 90 % of them
within {back["p90"]:.3f}, worst {back["worst"]:.3f}.

## Use and limits

She draws one kind of picture and knows nothing else. She was made to be looked into: her world has twelve known
factors, so that what a direction does can be measured. The weights are under the MIT licence, like
the code.
"""


def make(model, book, store, **options):
    """Measure, store the figures as JSON at `store`, and write the page and its pictures into the folder `book`."""
    from hspace import figures as draw_figures

    book, store = Path(book), Path(store)
    curve = bundled_curve()
    figures, pictures, (truth, told) = measure(model, **options)
    store.parent.mkdir(parents=True, exist_ok=True)
    write(store, lambda path: path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8"))
    static = book / "_static"
    static.mkdir(parents=True, exist_ok=True)
    made = {
        "alice": draw_figures.sheet(pictures, columns=8),
        "alice_loss": draw_figures.loss_curve(torch.tensor(curve["loss"]), starts=starts(curve)),
        "alice_factors": draw_figures.histograms(truth, told, world.FACTORS, [figures["ks"][n] for n in world.FACTORS]),
        "alice_law": draw_figures.law(
            world.W, torch.tensor(figures["law"]["Alice"]["W"]), torch.tensor(figures["law"]["Alice"]["half width"])
        ),
    }
    for name, figure in made.items():
        write(static / f"{name}.png", lambda path, figure=figure: path.write_bytes(figure._repr_png_()))
    write(book / "alice.md", lambda path: path.write_text(page(figures, curve), encoding="utf-8"))
    return figures
