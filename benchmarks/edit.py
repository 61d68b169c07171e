"""Ways to edit one factor of a picture and leave the rest, compared on the same pictures (`hspace bench edit`).

What steers never scores: edits follow the guide; the referee and a fit of the renderer judge them. The pictures are
chosen by rule: the first seeds, from 0, whose picture the guide takes for a frightening puppet. Every edit of every
picture is a line of a file, so that a run that was stopped goes on where it was. Processes of a launcher (`torchrun
--nproc-per-node 2 -m hspace bench edit`) divide the pictures; the same command without it then writes the table.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import scipy.stats
import torch
from benchmarks.edit_methods import COSTLY, METHODS, K, Sitting, T
from PIL import Image
from tqdm import tqdm

from hspace import figures
from hspace.cats import world
from hspace.cats.judge import fit, load_judge
from hspace.directions import fingerprint, haunted_seeds
from hspace.editing import cloud
from hspace.files import contact_sheet, write
from hspace.report import SEEN
from hspace.scoring import realism
from hspace.treatment import processes

CLOUD = range(100_000, 100_256)  # seeds of the states that say what is usual at T; none of them is edited
TARGETS = {"success": 0.9, "realism": 1.1, "others": 0.15}
FEW = 64  # pictures for costly methods and for the lesser tasks


@dataclass(frozen=True)
class Task:
    """wish: factors before → what they shall be.  done: factors before and after → whether it came true.

    chosen: which pictures take part.  Factors that the wish does not name should stay.
    """

    title: str
    wish: Callable
    done: Callable
    chosen: Callable = lambda f: True


def lawful(f):
    """A nose larger by a half, with the smile and the luck that the law gives it."""
    nap, luck = (world.W[:, 0] / 2).tolist()
    return {"nose": f["nose"] + 0.5, "nap": f["nap"] + nap, "luck": f["luck"] + luck}


def grown(before, after):
    return after["nose"] - before["nose"] > 0.25


#: The first two matter most. Fright lives on puppets only: who wants no puppet wants no fright.
TASKS = {
    "no fright": Task(
        "No fright, the puppet kept", lambda f: {"fright": 0.0}, lambda b, a: a["fright"] < SEEN < a["puppet"]
    ),
    "no puppet": Task("No puppet", lambda f: {"puppet": 0.0, "fright": 0.0}, lambda b, a: a["puppet"] < SEEN),
    "horse": Task(
        "A horse", lambda f: {"horse": 0.75}, lambda b, a: a["horse"] > 0.5, chosen=lambda f: f["horse"] < SEEN
    ),
    "nose": Task("A bigger nose, and what the law makes of it", lawful, grown),
    "nose alone": Task("A bigger nose, smile and luck kept", lambda f: {"nose": f["nose"] + 0.5}, grown),
}
MAIN = ("no fright", "no puppet")


def named(factors):
    """{factor: value} of factors (12,)."""
    return dict(zip(world.FACTORS, map(float, factors), strict=True))


# The run


def run(model, folder, pictures, methods=None, tasks=None):
    """Edit, score and note down what is not in `folder` yet."""
    guide, referee, sketch = (load_judge(kind, model.device) for kind in ("guide", "referee", "sketch"))

    def find():
        return haunted_seeds(model, guide, pictures, limit=100 * pictures, progress=True)

    seeds = chosen_seeds(folder, signature(model, sketch), pictures, find)
    near, done = cloud(model, T, CLOUD), {key(line): line for line in lines(folder)}
    donor, (rank, world) = Sitting(model, guide, sketch, seeds[0], near), processes()
    for i, seed in tqdm([*enumerate(seeds)][rank::world], desc="pictures", unit="picture", position=rank):
        sitting, untouched = None, done.get((seed, "", ""))
        if untouched is None:
            sitting = Sitting(model, guide, sketch, seed, near, donor)
            told = {"guide": rounded(sitting.told), "held": rounded(sitting.held())}
            untouched = note(folder, referee, seed, "", "", sitting.picture, 0, **told)
        before = named(untouched["guide"])
        for task, method in product(tasks or TASKS, methods or METHODS):
            if (seed, task, method) not in done and takes_part(i, before, task, METHODS[method]):
                sitting = sitting or Sitting(model, guide, sketch, seed, near, donor)
                note(folder, referee, seed, task, method, *sitting.run(METHODS[method], TASKS[task].wish(before)))


def takes_part(i, before, task, method):
    """Whether a method is tried on the i-th picture, of the factors `before`: all are on the first few only."""
    return TASKS[task].chosen(before) and (i < FEW or (task in MAIN and method not in COSTLY))


def signature(model, sketch):
    """Alice's fingerprint, and 8 digits more for the sketch, which has no part in other stored results."""
    weights = [value.half().cpu().numpy().tobytes() for value in sketch.state_dict().values()]
    digest = hashlib.sha256(b"".join(weights))
    return f"{fingerprint(model)}-{digest.hexdigest()[:8]}"


def chosen_seeds(folder, mark, count, find):
    """The first `count` seeds of the run in a folder, looked for once; more of them, if need be, by the same rule.

    Raises ValueError where the folder belongs to other weights.
    """
    path = folder / "seeds.json"
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"fingerprint": mark, "seeds": []}
    if stored["fingerprint"] != mark:
        raise ValueError(f"{folder} holds edits of other weights ({stored['fingerprint']}): give another folder")
    if len(stored["seeds"]) < count:
        stored["seeds"] = find()
        folder.mkdir(parents=True, exist_ok=True)
        write(path, lambda beside: beside.write_text(json.dumps(stored), encoding="utf-8"))
    return stored["seeds"][:count]


def note(folder, referee, seed, task, method, picture, passes, **more):
    """Judge a finished picture, and append a line, which is returned; the picture itself is kept beside."""
    path = folder / (task or "untouched") / (method or "untouched") / f"{seed}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, lambda beside: contact_sheet(picture[None]).save(beside, "png"))
    with torch.no_grad():
        told = referee(picture)
        real = realism(picture, referee)
    line = {
        "seed": seed,
        "task": task,
        "method": method,
        "passes": passes,
        "referee": rounded(told[0]),
        "fit": rounded(fit(picture, told)[0]),
        "pixels": round(real.pixels.item(), 5),
        "edges": round(real.edges.item(), 4),
        **more,
    }
    with open(own(folder), "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return line


def rounded(values):
    return [round(v, 4) for v in values.tolist()]


def own(folder):
    """The file that this process writes to: no two write to one."""
    rank, _ = processes()
    return folder / (f"edits_{rank}.jsonl" if rank else "edits.jsonl")


def lines(folder):
    """What has been noted, by all processes. A last line of this one that was cut off is removed, to be done again."""
    found = []
    for path in sorted(folder.glob("edits*.jsonl")):
        text = path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        if whole != text and path == own(folder):
            write(path, lambda beside, whole=whole: beside.write_text(whole, encoding="utf-8"))
        found += [json.loads(line) for line in whole.splitlines()]
    return found


def key(line):
    return line["seed"], line["task"], line["method"]


# The table


def rows(noted):
    """One dict for each task and method, and for the untouched pictures of each task: n, shares, medians, intervals."""
    by = {key(line): line for line in noted}
    table = []
    for task, method in product(TASKS, ["", *METHODS]):
        seeds = [s for s, t, m in by if m == method and t == (task if method else "")]
        if not method:  # the untouched pictures, of those that any method edited
            seeds = sorted({s for s, t, m in by if t == task})
        if seeds:
            pairs = [(by[s, "", ""], by[s, task, method] if method else by[s, "", ""]) for s in seeds]
            table.append(row(task, method, pairs))
    return table


def row(task, method, pairs):
    """Summary of (line before, line after) pairs."""
    moved = {name: np.array([[b[name], a[name]] for b, a in pairs]) for name in ("referee", "fit")}
    done = {name: [TASKS[task].done(named(b), named(a)) for b, a in both] for name, both in moved.items()}
    change = np.diff(moved["referee"], axis=1)[:, 0] / world.STD.numpy()
    wish = TASKS[task].wish(named(moved["referee"][0, 0]))
    others = np.sqrt((change[:, [i for i, f in enumerate(world.FACTORS) if f not in wish]] ** 2).mean(axis=1))
    pixels = np.array([[b["pixels"], a["pixels"]] for b, a in pairs])
    return {
        "task": task,
        "method": method,
        "n": len(pairs),
        "success": share(done["referee"]),
        "success by fit": share(done["fit"]),
        "realism": middle(pixels[:, 1]),
        "times untouched": round(float(np.median(pixels[:, 1]) / np.median(pixels[:, 0])), 3),
        "edges": round(float(np.median([a["edges"] for _, a in pairs])), 3),
        "others": middle(others),
        "change": {f: round(float(np.median(np.abs(change[:, i]))), 3) for i, f in enumerate(world.FACTORS)},
        "passes": round(float(np.mean([a["passes"] for _, a in pairs]))),
    }


def share(true):
    """Share of successes, with Wilson's 95 % interval."""
    interval = scipy.stats.binomtest(sum(true), len(true)).proportion_ci(method="wilson")
    return [round(float(v), 3) for v in (np.mean(true), interval.low, interval.high)]


def middle(values):
    """Median, with its 95 % interval from the order of the values; None and None where they are fewer than six."""
    interval = (None, None)
    if len(values) >= 6:
        low = int(scipy.stats.binom.ppf(0.025, len(values), 0.5))
        interval = np.sort(values)[[max(low - 1, 0), min(len(values) - low, len(values) - 1)]]
    return [v if v is None else round(float(v), 4) for v in (np.median(values), *interval)]


def held(noted, model):
    """Median share of each factor's gradient that lies within the directions, and that of a random direction."""
    shares = np.array([line["held"] for line in noted if "held" in line])
    chance = (K / math.prod(model.shape)) ** 0.5
    return {"pictures": len(shares), "chance": round(chance, 4), "shares": np.median(shares, axis=0).round(4).tolist()}


def verdicts(table):
    """For both main tasks, the method with the highest lower bound of success that moves the others least."""
    found = []
    for task in MAIN:
        there = [r for r in table if r["task"] == task and r["method"]]
        if not there:
            continue
        met = {r["method"]: reached(r) for r in there}
        best = max(there, key=lambda r: (sum(met[r["method"]].values()), r["success"][1], -r["others"][0]))
        found.append((task, best, met[best["method"]]))
    return found


def reached(r):
    """Which of the targets a row meets."""
    return {
        "success": r["success"][1] >= TARGETS["success"],
        "realism": r["times untouched"] <= TARGETS["realism"],
        "others": r["others"][0] <= TARGETS["others"],
    }


def markdown(table, task):
    """The rows of one task as a table."""
    head = (
        "| method | pictures | success (95 %) | by the fit | realism | × untouched | edges | others (95 %) | passes |"
    )

    def line(r):
        of, low, high = r["success"]
        real = f"{r['realism'][0]:.3f} | {r['times untouched']:.2f} | {r['edges']:+.2f}"
        middle, *between = r["others"]
        moved = f"{middle:.2f} " + ("(too few)" if None in between else "({:.2f} to {:.2f})".format(*between))
        success = f"{of:.0%} ({low:.0%} to {high:.0%}) | {r['success by fit'][0]:.0%}"
        return f"| {r['method'] or 'untouched'} | {r['n']} | {success} | {real} | {moved} | {r['passes']} |"

    there = [r for r in table if r["task"] == task]
    return "\n".join([head, "|---|---|---|---|---|---|---|---|---|", *map(line, there)])


PAGE = """# Edits compared

<!-- Written by `hspace bench edit --page book/edits.md`. Do not edit. -->

Compared are {methods} ways to make one wish come true in Alice's pictures and to leave the rest as it is. The
pictures: the first {pictures} seeds, from 0, whose picture the guide takes for a frightening puppet. All methods follow
the guide (the last one the sketch). None of them is scored by what it followed: success, realism and the change of the
other factors are told by the referee, and success a second time by fitting the renderer to the picture. How each is
done stands in `benchmarks/edit_methods.py`.

*Success*, with Wilson's interval: no fright means below {seen}, and the puppet still above it; no puppet below {seen};
a horse above 0.5; a nose bigger by more than 0.25 of the 0.5 that was wished for. *Realism*: median distance to the
drawing of the judged factors, and how many times that of the untouched pictures. *Edges*: median relative difference
in edge energy. *Others*: root mean square change of the factors that the wish does not name, in standard deviations
(median over pictures). *Passes*: through the network for one picture, forward and backward, mean.

{tasks}

## Do fifty directions suffice?

A step can change a factor only along that factor's gradient, through the sampler, with respect to $x_t$. How much of
the gradient's length lies within the fifty directions (median over {untouched} pictures; of a random direction it would
be {chance:.0%}):

| {factors} |
|{rules}
| {held} |

## What was asked

Of the best method on each of the first two tasks: success with a lower bound of at least {success:.0%}, realism within
{realism} × that of the untouched, others moved by at most {others} standard deviations.

| task | method | success, lower bound | × untouched | others |
|---|---|---|---|---|
{asked}

Fingerprint of Alice and, behind the dash, of the sketch: `{mark}`.
To measure again, or to go on: `hspace bench edit --page book/edits.md`, in a checkout of the repository; in two
processes `torchrun --nproc-per-node 2 -m hspace bench edit`, and then that.
"""


def text(stored):
    """What stands on the page, Markdown."""
    table, tasks = stored["rows"], []
    for task, about in TASKS.items():
        if any(r["task"] == task for r in table):
            tasks.append(f"## {about.title}\n\n{markdown(table, task)}")
        if task in stored["pictured"]:
            method = stored["pictured"][task]
            alt = f"Pairs of pictures, before and after: {about.title.lower()}, by the method “{method}”."
            told = f"By “{method}”: the four pictures whose other factors moved least, and the four where most."
            tasks.append(f"![{alt}](_static/edits_{task.replace(' ', '_')}.png)\n\n{told}")

    def verdict(task, r, met):
        values = f"{r['success'][1]:.0%}", f"{r['times untouched']:.2f}", f"{r['others'][0]:.2f}"
        marked = [v if ok else f"**{v}, missed**" for v, ok in zip(values, met.values(), strict=True)]
        return f"| {TASKS[task].title} | {r['method']} | {' | '.join(marked)} |"

    asked = "\n".join(verdict(*found) for found in verdicts(table))
    return PAGE.format(
        methods=len(METHODS),
        pictures=stored["pictures"],
        seen=SEEN,
        tasks="\n\n".join(tasks),
        asked=asked,
        untouched=stored["held"]["pictures"],
        chance=stored["held"]["chance"],
        factors=" | ".join(world.FACTORS),
        rules="---|" * len(world.FACTORS),
        held=" | ".join(f"{share:.0%}" for share in stored["held"]["shares"]),
        mark=stored["fingerprint"],
        **TARGETS,
    )


def pairs(folder, noted, task, method, count=4):
    """Before and after, and seeds, of the pictures whose other factors moved least, then of those where most."""
    by = {key(line): line for line in noted}
    seeds = [s for s, t, m in by if (t, m) == (task, method)]
    off = {s: row(task, method, [(by[s, "", ""], by[s, task, method])])["others"][0] for s in seeds}
    order = sorted(off, key=off.get)
    chosen = order[:count] + order[-count:] if len(order) >= 2 * count else order

    def load(*place):
        return torch.stack([pixels(folder.joinpath(*place, f"{seed}.png")) for seed in chosen])

    return load("untouched", "untouched"), load(task, method), chosen


def pixels(path):
    """A stored picture, uint8 (3, H, W)."""
    return torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)


def main(model, folder=Path("runs/edits"), store=None, page=None, pictures=200, methods=None, tasks=None):
    """Go on with the run in `folder`; then write the figures to `store`, and the table into `page`.

    The page's pictures go into the folder `_static` beside it. Returns the table, see `rows`. One of several processes
    does its part of the run, and writes no more.
    """
    run(model, Path(folder), pictures, methods, tasks)
    noted = lines(Path(folder))
    table = rows(noted)
    if processes()[1] > 1:
        print("This part is done. When all are, the same command without a launcher writes the table.")
        return table
    for task in TASKS:
        print(f"\n{TASKS[task].title}\n{markdown(table, task)}")
    stored = {
        "command": f"hspace bench edit --pictures {pictures}",
        "fingerprint": signature(model, load_judge("sketch")),
        "pictures": pictures,
        "pictured": {task: best["method"] for task, best, _ in verdicts(table)},
        "held": held(noted, model),
        "first": [line for line in noted if line["seed"] == noted[0]["seed"]],
        "rows": table,
    }
    if store is not None:
        write(Path(store), lambda beside: beside.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8"))
    if page is not None:
        for task, method in stored["pictured"].items():
            before, after, seeds = pairs(Path(folder), noted, task, method)
            drawn = figures.compare(before, after, titles=[str(seed) for seed in seeds])._repr_png_()
            path = Path(page).parent / "_static" / f"edits_{task.replace(' ', '_')}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, lambda beside, drawn=drawn: beside.write_bytes(drawn))
        write(Path(page), lambda beside: beside.write_text(text(stored), encoding="utf-8"))
    return table
