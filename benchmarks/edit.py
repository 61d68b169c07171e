"""Ways to edit one factor of a picture and leave the rest, compared on the same pictures (`hspace bench edit`).

What steers never scores: edits follow the guide; the referee and a fit of the renderer judge them. The pictures are
chosen by rule: the first seeds, from 0, whose picture the guide takes for a frightening puppet. Every edit of every
picture is a line of a file, so that a run that was stopped goes on where it was: it loses one task of one picture at
most, whose edits are judged together. The lines of the whole run are in the repository, the pictures are not: those
that the page shows are made again. Processes of a launcher (`torchrun --nproc-per-node 2 -m hspace bench edit`) divide
the pictures; the same command without it then writes the table.
"""

import contextlib
import functools
import hashlib
import json
import math
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import scipy.stats
import torch
from benchmarks.edit_methods import ABOUT, COSTLY, METHODS, K, Sitting, T, carried
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
from hspace.treatment import lock_folder, processes

CLOUD = range(100_000, 100_256)  # seeds of the states that say what is usual at T; none of them is edited
TARGETS = {"success": 0.9, "realism": 1.1, "others": 0.15}
PICTURES = 200  # frightening puppets that the whole comparison takes
FEW = 64  # pictures for costly methods and for the lesser tasks
SHOWN = 6  # pictures side by side: those after the first, from which one method carries over
FOLDER = Path(__file__).parent / "edits"  # of the run whose table is on the page


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
    """Edit, score and note down what is not in `folder` yet. Returns the seeds of the pictures."""
    guide, referee, sketch = (load_judge(kind, model.device) for kind in ("guide", "referee", "sketch"))

    def find():
        return haunted_seeds(model, guide, pictures, limit=100 * pictures, progress=True)

    seeds = chosen_seeds(folder, signature(model, sketch), pictures, find)
    sit = sittings(model, guide, sketch, seeds[0])
    rank, ranks = processes()
    with writing(folder):
        mend(own(folder))
        done = {key(line): line for line in lines(folder)}
        for some, ways in stages(tasks or TASKS, methods or METHODS):
            title = f"pictures, {len(some)} tasks, {len(ways)} methods"
            for i, seed in tqdm([*enumerate(seeds)][rank::ranks], desc=title, unit="picture", position=rank):
                sitting = sit(seed)
                if (seed, "", "") not in done:
                    done[seed, "", ""] = look(folder, referee, sitting)
                before = named(done[seed, "", ""]["guide"])
                for task in some:
                    there = [m for m in ways if takes_part(i, before, task, METHODS[m])]
                    wish, new = TASKS[task].wish(before), [m for m in there if (seed, task, m) not in done]
                    if new:
                        note(folder, referee, seed, task, {m: attempt(sitting, METHODS[m], wish) for m in new})
    return seeds


def stages(tasks, methods):
    """What is done with all pictures before what, so that a run that is stopped has whole rows: (tasks, methods) each.

    The two main tasks come before the others, and for both the costly methods last.
    """
    for some in ([t for t in tasks if t in MAIN], [t for t in tasks if t not in MAIN]):
        for costly in (False, True):
            ways = [m for m in methods if (METHODS[m] in COSTLY) == costly]
            if some and ways:
                yield some, ways


def sittings(model, guide, sketch, first):
    """seed → a `Sitting`. They share what is found once for all pictures, and carry over from the first seed's."""
    near = functools.cache(lambda: cloud(model, T, CLOUD))
    donor = functools.cache(lambda: Sitting(model, guide, sketch, first, near))
    return lambda seed: donor() if seed == first else Sitting(model, guide, sketch, seed, near, donor)


def takes_part(i, before, task, method):
    """Whether a method is tried on the i-th picture, of the factors `before`: all are on the first few only.

    Nothing is carried to the first picture, from which it is carried.
    """
    tried = i < FEW or (task in MAIN and method not in COSTLY)
    return tried and TASKS[task].chosen(before) and (i > 0 or method is not carried)


def attempt(sitting, method, wish):
    """(picture, {"passes": ...}) of an edit; (None, {"failed": why}) where it comes to nothing."""
    try:
        picture, passes = sitting.run(method, wish)
    except ValueError as error:
        return None, {"failed": str(error)}
    return picture, {"passes": passes}


def look(folder, referee, sitting):
    """Note down the untouched picture of a sitting; returns its line."""
    about = {"passes": 0, "guide": rounded(sitting.told), "held": rounded(sitting.held())}
    return note(folder, referee, sitting.seed, "", {"": (sitting.picture, about)})[0]


def signature(model, sketch):
    """Alice's fingerprint, and 8 digits more for the sketch, which has no part in other stored results."""
    weights = [value.half().cpu().numpy().tobytes() for value in sketch.state_dict().values()]
    digest = hashlib.sha256(b"".join(weights))
    return f"{fingerprint(model)}-{digest.hexdigest()[:8]}"


def chosen_seeds(folder, mark, count, find):
    """The first `count` seeds of the run in a folder, looked for once; more of them, if need be, by the same rule.

    Raises ValueError where the folder belongs to other weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "seeds.json"
    with lock_folder(folder, "seeds", patience=-1):  # of several processes one looks for them, and the others wait
        stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"fingerprint": mark, "seeds": []}
        if stored["fingerprint"] != mark:
            raise ValueError(f"{folder} holds edits of other weights ({stored['fingerprint']}): give another folder")
        if len(stored["seeds"]) < count:
            stored["seeds"] = find()
            write(path, lambda beside: beside.write_text(json.dumps(stored), encoding="utf-8"))
    return stored["seeds"][:count]


def note(folder, referee, seed, task, edits):
    """Keep and judge the finished pictures of a task, together, and append a line for each edit. Returns the lines.

    edits: {method: (picture or None, what else the line says)}.
    """
    finished = {method: picture for method, (picture, _) in edits.items() if picture is not None}
    for method, picture in finished.items():
        keep(folder, seed, task, method, picture)
    found = dict(zip(finished, scores(torch.cat([*finished.values()]), referee), strict=True)) if finished else {}
    made = [
        {"seed": seed, "task": task, "method": method, **said, **found.get(method, {})}
        for method, (_, said) in edits.items()
    ]
    with open(own(folder), "a", encoding="utf-8") as file:
        file.write("".join(json.dumps(line) + "\n" for line in made))
        file.flush()
        os.fsync(file.fileno())
    return made


def place(folder, seed, task, method):
    """The file of a finished picture."""
    return folder / (task or "untouched") / (method or "untouched") / f"{seed}.png"


def keep(folder, seed, task, method, picture):
    """Store a finished picture (1, 3, 64, 64)."""
    path = place(folder, seed, task, method)
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, lambda beside: contact_sheet(picture[None]).save(beside, "png"))


def scores(pictures, referee):
    """What the lines say of finished pictures (B, 3, 64, 64), a dict each; {"failed": why} where none can be had."""
    try:
        return judged(pictures, referee)
    except ValueError as error:
        if len(pictures) == 1:
            return [{"failed": str(error)}]
    return [found for picture in pictures for found in scores(picture[None], referee)]


def judged(pictures, referee):
    """The scores of finished pictures. Raises ValueError where one of them leads to NaN or infinite numbers."""
    with torch.no_grad():
        factors, real = referee(pictures), realism(pictures, referee)
    found = {"referee": factors, "fit": fit(pictures, factors), "pixels": real.pixels, "edges": real.edges}
    for name, values in found.items():
        if not values.isfinite().all():
            raise ValueError(f"{name} is NaN or infinite")
    lists = {name: values.double().numpy(force=True).round(5).tolist() for name, values in found.items()}
    return [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]


def rounded(values):
    return [round(v, 4) for v in values.tolist()]


def own(folder):
    """The file that this process writes to: no two write to one."""
    rank, _ = processes()
    return folder / (f"edits_{rank}.jsonl" if rank else "edits.jsonl")


@contextlib.contextmanager
def writing(folder):
    """Hold this process's file; without a launcher those of all: no two runs write into a folder.

    Raises BlockingIOError where another process holds one.
    """
    files = {own(folder)} | ({*folder.glob("edits*.jsonl")} if processes()[1] == 1 else set())
    with contextlib.ExitStack() as stack:
        for path in sorted(files):
            stack.enter_context(lock_folder(folder, path.stem))
        yield


def mend(path):
    """Remove a last line that was cut off, to be done again."""
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        write(path, lambda beside: beside.write_text(whole, encoding="utf-8"))


def lines(folder):
    """What has been noted, by all processes; not the last line of one that is just writing it."""
    found = []
    for path in sorted(folder.glob("edits*.jsonl")):
        text = path.read_text(encoding="utf-8")
        found += [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    return found


def key(line):
    return line["seed"], line["task"], line["method"]


# The table


def rows(noted):
    """One dict for each task and method, and for the untouched pictures of each task: n, shares, medians, intervals."""
    by = comparable(noted)
    table = []
    for task, method in product(TASKS, ["", *METHODS]):
        seeds = [s for s, t, m in by if m == method and t == (task if method else "")]
        if not method:  # the untouched pictures, of those that any method edited
            seeds = sorted({s for s, t, m in by if t == task})
        if seeds:
            pairs = [(by[s, "", ""], by[s, task, method] if method else by[s, "", ""]) for s in seeds]
            table.append(row(task, method, pairs))
    return table


def comparable(noted):
    """{(seed, task, method): line}, without the pictures of which nothing could be told before any edit."""
    blank = {line["seed"] for line in noted if not line["task"] and "failed" in line}
    return {key(line): line for line in noted if line["seed"] not in blank}


def row(task, method, pairs):
    """Summary of (line before, line after) pairs. An edit that failed is no success, and counts in no median."""
    whole = [(b, a) for b, a in pairs if "failed" not in a]
    moved = {
        name: np.array([[b[name], a[name]] for b, a in whole]).reshape(-1, 2, len(world.FACTORS))
        for name in ("referee", "fit")
    }
    lost = [False] * (len(pairs) - len(whole))
    done = {name: [TASKS[task].done(named(b), named(a)) for b, a in both] + lost for name, both in moved.items()}
    change = np.diff(moved["referee"], axis=1)[:, 0] / world.STD.numpy()
    wish = TASKS[task].wish(named(pairs[0][0]["referee"]))
    others = np.sqrt((change[:, [i for i, f in enumerate(world.FACTORS) if f not in wish]] ** 2).mean(axis=1))
    pixels = np.array([[b["pixels"], a["pixels"]] for b, a in whole]).reshape(-1, 2)
    return {
        "task": task,
        "method": method,
        "n": len(pairs),
        "failed": len(lost),
        "success": share(done["referee"]),
        "success by fit": share(done["fit"]),
        "realism": middle(pixels[:, 1]),
        "times untouched": round(float(np.median(pixels[:, 1]) / np.median(pixels[:, 0])), 3) if whole else None,
        "edges": middle([a["edges"] for _, a in whole])[0],
        "others": middle(others),
        "change": {f: middle(np.abs(change[:, i]))[0] for i, f in enumerate(world.FACTORS)},
        "passes": round(float(np.mean([a["passes"] for _, a in whole]))) if whole else None,
    }


def share(true):
    """Share of successes, with Wilson's 95 % interval."""
    interval = scipy.stats.binomtest(sum(true), len(true)).proportion_ci(method="wilson")
    return [round(float(v), 3) for v in (np.mean(true), interval.low, interval.high)]


def middle(values):
    """Median, with its 95 % interval from the order of the values; None for both ends where they are fewer than six.

    Of no values all three are None.
    """
    interval = (None, None)
    if len(values) >= 6:
        low = int(scipy.stats.binom.ppf(0.025, len(values), 0.5))
        interval = np.sort(values)[[max(low - 1, 0), min(len(values) - low, len(values) - 1)]]
    median = np.median(values) if len(values) else None
    return [v if v is None else round(float(v), 4) for v in (median, *interval)]


def held(noted, model):
    """Median share of each factor's gradient that lies within the directions, and that of a random direction."""
    shares = np.array([line["held"] for line in noted if "held" in line])
    chance = (K / math.prod(model.shape)) ** 0.5
    return {"pictures": len(shares), "chance": round(chance, 4), "shares": np.median(shares, axis=0).round(4).tolist()}


def unfinished(stored):
    """A paragraph about what is still to be measured; empty where nothing is."""
    there = {(r["task"], r["method"]) for r in stored["rows"]}
    begun = [task for task in TASKS if (task, "") in there]
    left = [f"the wish “{about.title.lower()}”" for task, about in TASKS.items() if task not in begun]
    for m in METHODS:
        lacking = [f"“{TASKS[task].title.lower()}”" for task in begun if (task, m) not in there]
        left += [f"by “{m}” {' and '.join(lacking)}"] * bool(lacking)
    if stored["pictures"] < PICTURES:
        left.append(f"{PICTURES - stored['pictures']} more pictures")
    return f"\n**Not finished.** Still to be measured: {'; '.join(left)}.\n" if left else ""


def forest(table, task):
    """The rows of one task as a figure."""
    there = [r for r in table if r["task"] == task and r["method"] and r["failed"] < r["n"]]
    best = {t: r["method"] for t, r, _ in verdicts(table)}
    quantities = {
        "success": [r["success"] for r in there],
        "× untouched": [[r["times untouched"], None, None] for r in there],
        "others moved": [r["others"] for r in there],
    }
    sides = zip(TARGETS.values(), ("least", "most", "most"), strict=True)
    return figures.forest(
        [r["method"] for r in there],
        {name: np.array(values, dtype=float) for name, values in quantities.items()},
        dict(zip(quantities, sides, strict=True)) if task in MAIN else None,
        ["× untouched"],
        best.get(task),
    )


def verdicts(table):
    """For both main tasks, the method that meets the most targets.

    Of several, that with the highest lower bound of success; of these, that which moves the others least.
    """
    found = []
    for task in MAIN:
        there = [r for r in table if r["task"] == task and r["method"] and r["failed"] < r["n"]]
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
    names = "method", "pictures", "failed", "success (95 %)", "by the fit", "realism", "× untouched", "edges"
    head = f"| {' | '.join(names)} | others (95 %) | passes |"

    def line(r):
        of, low, high = r["success"]
        first = f"| {r['method'] or 'untouched'} | {r['n']} | {r['failed']} | {of:.0%} ({low:.0%} to {high:.0%})"
        if r["failed"] == r["n"]:
            return f"{first} | {r['success by fit'][0]:.0%} | – | – | – | – | – |"
        real = f"{r['realism'][0]:.3f} | {r['times untouched']:.2f} | {r['edges']:+.2f}"
        half, *between = r["others"]
        moved = f"{half:.2f} " + ("(too few)" if None in between else "({:.2f} to {:.2f})".format(*between))
        return f"{first} | {r['success by fit'][0]:.0%} | {real} | {moved} | {r['passes']} |"

    there = [r for r in table if r["task"] == task]
    return "\n".join([head, "|---" * 10 + "|", *map(line, there)])


def png(task, what):
    return f"edits_{task}_{what}.png".replace(" ", "_")


PAGE = """# Edits compared

<!-- Written by `hspace bench edit --page book/edits.md`. Do not edit. -->

Compared are {methods} ways to make one wish come true in Alice's pictures and to leave the rest as it is. The
pictures: the first {pictures} seeds, from 0, whose picture the guide takes for a frightening puppet. All methods follow
the guide (“a little at every step” the sketch). None of them is scored by what it followed: success, realism and the
change of the other factors are told by the referee, and success a second time by fitting the renderer to the picture.
{unfinished}
## The methods

All but two start from the state at $t$ = {T}: “all of x, t = 999” starts from noise, “a little at every step” at
$t$ = 800. Their code is in `benchmarks/edit_methods.py`.

{about}

## The columns

- *Failed*: edits that ended in an error, or in a picture of which nothing can be told; they are no success, and left
  out of the medians and the mean.
- *Success*, with Wilson's interval: no fright means below {seen}, and the puppet still above it; no puppet below
  {seen}; a horse above 0.5; a nose bigger by more than 0.25 of the 0.5 that was wished for.
- *Realism*: median distance to the drawing of the judged factors, and how many times that of the untouched pictures.
- *Edges*: median relative difference in edge energy.
- *Others*: root mean square change of the factors that the wish does not name, in standard deviations (median over
  pictures).
- *Passes*: through the network for one picture, forward and backward, mean; all that a run of the method alone would
  take, with what several methods share. A product with the Jacobian of h counts as one, though the network stops at its
  bottleneck, `mid_block`. Charged to none is what is found once for all pictures: the {cloud} states that say what is
  usual at $t$ = {T}, each sampled down to there, and the first picture's directions and gradients, from which the edits
  of the others are carried over. That row is without the first picture.

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
Measured by `{command}`.
To go on, or to measure again in another folder (`--out`): `hspace bench edit --page book/edits.md`, in a checkout of
the repository; in two processes `torchrun --nproc-per-node 2 -m hspace bench edit`, and then that.
"""


def section(stored, task):
    """What the page says of one task: pictures, figure, table, and the extremes of the best method."""
    title, best = TASKS[task].title, stored["pictured"].get(task)
    alt = f"{title}: for each method its success, its realism and how far the other factors moved."
    parts = [f"## {title}", f"![{alt}](_static/{png(task, 'methods')})", markdown(stored["rows"], task)]
    if best:
        alt = f"The same pictures by every method, one a row: {title.lower()}."
        parts[1:1] = [
            f"![{alt}](_static/{png(task, 'side_by_side')})",
            "The first pictures that frighten, by every method; without the very first, from which “fifty, carried "
            "over” takes its edits.",
        ]
        alt = f"Pairs of pictures, before and after: {title.lower()}, by the method “{best}”."
        parts += [
            f"![{alt}](_static/{png(task, 'extremes')})",
            f"By “{best}”, which meets most of what was asked: the four pictures whose other factors moved least, and "
            "the four where most.",
        ]
    return "\n\n".join(parts)


def verdict(task, r, met):
    """A line of the last table."""
    values = f"{r['success'][1]:.0%}", f"{r['times untouched']:.2f}", f"{r['others'][0]:.2f}"
    marked = [v if ok else f"**{v}, missed**" for v, ok in zip(values, met.values(), strict=True)]
    return f"| {TASKS[task].title} | {r['method']} | {' | '.join(marked)} |"


def text(stored):
    """What stands on the page, Markdown."""
    table = stored["rows"]
    tried = {r["method"] for r in table} - {""}
    tasks = [section(stored, task) for task in TASKS if any(r["task"] == task for r in table)]
    asked = "\n".join(verdict(*found) for found in verdicts(table))
    return PAGE.format(
        methods=len(tried),
        about="\n".join(f"- **{m}**: {ABOUT[m]}." for m in METHODS if m in tried),
        unfinished=unfinished(stored),
        pictures=stored["pictures"],
        seen=SEEN,
        cloud=len(CLOUD),
        T=T,
        tasks="\n\n".join(tasks),
        asked=asked,
        untouched=stored["held"]["pictures"],
        chance=stored["held"]["chance"],
        factors=" | ".join(world.FACTORS),
        rules="---|" * len(world.FACTORS),
        held=" | ".join(f"{share:.0%}" for share in stored["held"]["shares"]),
        mark=stored["fingerprint"],
        command=stored["command"],
        **TARGETS,
    )


def extremes(noted, task, method, count=4):
    """Seeds of the pictures whose other factors a method moved least, then of those where it moved them most."""
    by = comparable(noted)
    seeds = [s for (s, t, m), line in by.items() if (t, m) == (task, method) and "failed" not in line]
    off = {s: row(task, method, [(by[s, "", ""], by[s, task, method])])["others"][0] for s in seeds}
    order = sorted(off, key=off.get)
    return order[:count] + order[-count:] if len(order) >= 2 * count else order


def finder(sit, folder, noted):
    """(seed, task, method) → the finished picture, uint8 (3, H, W): made again where the folder lacks it.

    None where there is none: of an edit that failed or was not tried.
    """
    by, sit = {key(line): line for line in noted}, functools.cache(sit)

    def find(seed, task, method):
        if "failed" in by.get((seed, task, method), {"failed": "not tried"}):
            return None
        path = place(folder, seed, task, method)
        if not path.exists():
            wish = TASKS[task].wish(named(by[seed, "", ""]["guide"])) if task else None
            keep(folder, seed, task, method, sit(seed).run(METHODS[method], wish)[0] if task else sit(seed).picture)
        return pixels(path)

    return find


def extreme_pairs(find, noted, task, method):
    """A figure of the extremes, before and after."""
    seeds = extremes(noted, task, method)
    before, after = (torch.stack([find(seed, *side) for seed in seeds]) for side in [("", ""), (task, method)])
    return figures.compare(before, after, titles=[str(seed) for seed in seeds])


def side_by_side(find, seeds, task, methods):
    """A figure of all methods on the same pictures; what has no picture is blank."""
    sides = [("", ""), *((task, method) for method in methods)]
    blank = torch.full((3, 64, 64), 255, dtype=torch.uint8)
    found = [[find(seed, *side) for seed in seeds] for side in tqdm(sides, desc=f"pictures of “{task}”", unit="method")]
    rows = torch.stack([torch.stack([blank if picture is None else picture for picture in row]) for row in found])
    return figures.table(rows, ["untouched", *methods], [str(seed) for seed in seeds], cell=72)


def pixels(path):
    """A stored picture, uint8 (3, H, W)."""
    return torch.from_numpy(np.array(Image.open(path))).permute(2, 0, 1)


def command(pictures, methods, tasks):
    """What was asked for, as a line to type."""
    words = ["hspace", "bench", "edit", "--pictures", str(pictures)]
    for option, given in (("--methods", methods), ("--tasks", tasks)):
        if given:
            words += [option, *given]
    return shlex.join(words)


def publish(page, stored, find, noted, seeds):
    """Write the page, and its figures into the folder `_static` beside it."""
    table, static = stored["rows"], page.parent / "_static"
    drawn = {png(task, "methods"): forest(table, task) for task in TASKS if any(r["task"] == task for r in table)}
    for task, best in stored["pictured"].items():
        tried = [r["method"] for r in table if r["task"] == task and r["method"]]
        drawn[png(task, "side_by_side")] = side_by_side(find, seeds[1:][:SHOWN] or seeds, task, tried)
        drawn[png(task, "extremes")] = extreme_pairs(find, noted, task, best)
    static.mkdir(parents=True, exist_ok=True)
    for name, figure in drawn.items():
        write(static / name, lambda beside, figure=figure: beside.write_bytes(figure.png()))
    write(page, lambda beside: beside.write_text(text(stored), encoding="utf-8"))


def main(model, folder=FOLDER, store=None, page=None, pictures=PICTURES, methods=None, tasks=None):
    """Go on with the run in `folder`; then write the figures to `store`, and the table into `page`.

    Returns the table, see `rows`. One of several processes does its part of the run, and writes no more.
    """
    folder = Path(folder)
    seeds = run(model, folder, pictures, methods, tasks)
    noted = [line for line in lines(folder) if line["seed"] in {*seeds}]
    table = rows(noted)
    if processes()[1] > 1:
        print("This part is done. When all are, the same command without a launcher writes the table.")
        return table
    for task in TASKS:
        print(f"\n{TASKS[task].title}\n{markdown(table, task)}")
    guide, sketch = (load_judge(kind, model.device) for kind in ("guide", "sketch"))
    stored = {
        "command": command(pictures, methods, tasks),
        "fingerprint": signature(model, sketch),
        "pictures": pictures,
        "pictured": {task: best["method"] for task, best, _ in verdicts(table)},
        "held": held(noted, model),
        "rows": table,
    }
    if store is not None:
        write(Path(store), lambda beside: beside.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8"))
    if page is not None:
        publish(Path(page), stored, finder(sittings(model, guide, sketch, seeds[0]), folder, noted), noted, seeds)
    return table
