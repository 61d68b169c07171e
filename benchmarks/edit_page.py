"""The page of the table of edits: its text, figures and pictures."""

from itertools import chain

import numpy as np
import torch
from benchmarks.edit_methods import ABOUT, CLOUD, METHODS, STARTS, T
from benchmarks.edit_table import USUAL, extremes, reached, with_edits
from benchmarks.edit_tasks import BIGGER, ENOUGH, FEW, HORSE, LAW, MAIN, PICTURES, TARGETS, TASKS
from tqdm import tqdm

from hspace import figures
from hspace.cats import world
from hspace.files import write
from hspace.report import SEEN

SHOWN = 6  # pictures side by side: those after the first, from which one method carries over

PAGE = """# Edits compared

<!-- Written by `hspace bench edit --page book/edits.md`. Do not edit. -->

Compared are {methods} ways to make one wish come true in Alice's pictures and to leave the rest as it is. The
pictures: the first {pictures} seeds, from 0, whose picture the guide takes for a frightening puppet; costly methods,
and wishes after the first two, have the first {few} of them. All methods follow the guide, one of the book's two
[judges](glossary.md), but for “a little at every step”: that follows the sketch, which has learned from the blurred
pictures that Alice expects on the way. None of them is scored by what it followed: success, realism and the change of
the other factors are told by the other judge, the referee, and success a second time by fitting the renderer to the
picture. What the methods do, and what the columns mean, stands further below.
{unfinished}
## In short

The targets for the best method on each of the first two wishes: success with a lower bound of at least {success:.0%},
realism within {realism} × that of the untouched, others moved by at most {others} standard deviations. The best is the
one that meets the most of them on the first {few} pictures, and of several the one with the highest lower bound. What
chose a method does not judge it: all others on which it was tried tell how good it is. The later wishes have the same
yardstick, but no targets and no other pictures. In brackets stands the usual way, straight along {usual}, on the same
pictures.

| wish | best method | judged by | success, lower bound | × untouched | others |
|---|---|---|---|---|---|
{asked}

{tasks}

## Do fifty directions suffice?

A step can change a factor only along that factor's gradient, through the sampler, with respect to $x_t$. How much of
the gradient's length lies within the fifty directions (median over {untouched} pictures; of a random direction it would
be {chance:.0%}):

| {factors} |
|{rules}
| {held} |

## The methods

All but two start from the state at $t$ = {T}: “all of x, t = 999” starts from noise, “a little at every step” at
$t$ = {starts}. Their code is in `benchmarks/edit_methods.py`.

{about}

## The columns

- *n*: pictures. *Failed*, where there are any: edits that ended in an error, or in a picture of which nothing can be
  told; they are no success, and left out of the medians and the mean.
- *Success*, with Wilson's interval: no fright means below {seen}, and the puppet still above it; no puppet below
  {seen}; a horse above {horse}; a nose bigger by more than {enough} of the {bigger} that was wished for.
  *By fit*: the same, told by the renderer's fit.
- *Realism*: median distance to the drawing of the judged factors; in brackets, how many times that of the untouched.
- *Edges*: median relative difference in edge energy.
- *Others*: root mean square change of the factors that the wish does not name, in standard deviations (median over
  pictures, with its interval).
- *Passes*: through the network for one picture, forward and backward, mean; all that a run of the method alone would
  take, with what several methods share. A product with the Jacobian of h counts as one, though the network stops at its
  bottleneck, `mid_block`. Charged to none is what is found once for all pictures: the {cloud} states that say what is
  usual at $t$ = {T}, each sampled down to there, and the first picture's directions and gradients, from which the edits
  of the others are carried over. That row is without the first picture.

## To measure again

Measured by `{command}`, with Alice and the sketch of the fingerprint `{mark}`. To go on, or to measure again in another
folder (`--out`): `hspace bench edit --page book/edits.md`, in a checkout of the repository; in two processes `torchrun
--nproc-per-node 2 -m hspace bench edit`, and then that.
"""


def text(stored):
    """What stands on the page, Markdown."""
    table = stored["rows"]
    tried = {r["method"] for r in table} - {""}
    tasks = [section(stored, task) for task in shown(stored)]
    asked = "\n".join(map(verdict, stored["best"]))
    return PAGE.format(
        methods=len(tried),
        about="\n".join(f"- **{m}**: {ABOUT[m]}." for m in METHODS if m in tried),
        unfinished=unfinished(stored),
        pictures=stored["pictures"],
        few=FEW,
        usual=USUAL,
        seen=SEEN,
        cloud=len(CLOUD),
        T=T,
        starts=STARTS,
        horse=HORSE,
        bigger=BIGGER,
        enough=ENOUGH,
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


def unfinished(stored):
    """A paragraph about what is still to be measured; empty where nothing is."""
    there = {(r["task"], r["method"]) for r in stored["rows"]}
    begun = [task for task in TASKS if (task, "") in there]
    lacking = {}  # wishes → the methods that have not been tried on them
    for method in METHODS:
        lacking.setdefault(tuple(task for task in begun if (task, method) not in there), []).append(method)
    lacking.pop((), None)
    left = [f"for {listed(titles(tasks))}: {listed(methods)}" for tasks, methods in lacking.items()]
    if others := [task for task in TASKS if task not in begun]:
        left.append(f"all of {listed(titles(others))}")
    if stored["pictures"] < PICTURES:
        left.append(f"{PICTURES - stored['pictures']} more pictures")
    return f"\n**Not finished.** Still to be measured: {'; '.join(left)}.\n" if left else ""


def titles(tasks):
    return [TASKS[task].title.lower() for task in tasks]


def listed(names):
    """“a”, “b” and “c”."""
    *most, last = (f"“{name}”" for name in names)
    return f"{', '.join(most)} and {last}" if most else last


def section(stored, task):
    """What the page says of one task: pictures, figures, tables, and the extremes of the best method.

    Where every edit failed there is no best, and no figure.
    """
    title, left_out, best = TASKS[task].title, TASKS[task].left_out, bests(stored).get(task)
    parts = [
        f"## {title}",
        image(task, "side_by_side", f"The same pictures by every method, one a row: {title.lower()}."),
        "The first pictures that frighten, under their seeds, by every method; without the very first, from which "
        f"“fifty, carried over” takes its edits{left_out and ', and without '}{left_out}.",
    ]
    if best:
        caption = "Left and right with 95 % intervals."
        caption += " Dashed is what was asked of the best, shaded the side." * (task in MAIN)
        alt = f"{title}: for each method its success, its realism and how far the other factors moved."
        parts += [image(task, "methods", alt), caption]
    parts.append(markdown(stored["rows"], task))
    if compared := beside(stored["alike"], task):
        parts.append(compared)
    if best:
        parts += [
            image(task, "changes", f"{title}: how far each method moved each factor."),
            "How far each factor moved: median, in standard deviations, and so perhaps 0 where fewer than half of the "
            "wishes came true. Framed is what the wish names.",
        ]
        if "nose" in TASKS[task].asked:
            parts.append(smile(stored["rows"], task))
        alt = f"Pairs of pictures, before and after: {title.lower()}, by the method “{best}”."
        parts += [
            image(task, "extremes", alt),
            f"By “{best}”, the best on the first {FEW} pictures: where the wish came true, those whose other factors "
            "moved least, and those where they moved most; last, if there are any, the first where it did not.",
        ]
    return "\n\n".join(parts)


def markdown(table, task):
    """The rows of one task as a table. The column of what failed is there only where something did."""
    there = [r for r in table if r["task"] == task]
    failures = ["failed"] * any(r["failed"] for r in there)
    names = ["method", "n", *failures, "success (95 %)", "by fit", "realism (× untouched)", "edges", "others (95 %)"]
    names.append("passes")
    rows = [names, ["---"] * len(names)]
    for r in there:
        of, low, high = r["success"]
        told = [r["method"] or "untouched", r["n"], *(r[name] for name in failures)]
        told += [f"{percent(of)} ({100 * low:.0f}–{high:.0%})", percent(r["success by fit"][0])]
        if r["failed"] < r["n"]:
            half, *between = r["others"]
            moved = f"{half:.2f} " + ("(too few)" if None in between else "({:.2f}–{:.2f})".format(*between))
            realism = f"{r['realism'][0]:.3f} ({r['times untouched']:.2f})"
            told += [realism, f"{r['edges']:+.2f}", moved, r["passes"]]
        rows.append(told + ["–"] * (len(names) - len(told)))
    return grid(rows)


def grid(rows):
    """Lines of a Markdown table."""
    return "\n".join(f"| {' | '.join(map(str, cells))} |" for cells in rows)


def beside(alike, task):
    """A table that compares methods of different n on the same pictures, two a line; empty where there is none."""
    pairs = [pair for pair in alike if pair[0]["task"] == task]
    if not pairs:
        return ""
    names = ["costly method", "success", "others", "the one it is like", "success", "others", "n"]
    rows = [names, ["---"] * len(names)]
    for pair in pairs:
        told = [(r["method"], percent(r["success"][0]), number(r["others"][0])) for r in pair]
        rows.append([*chain(*told), pair[0]["n"]])
    return "Rows of different n tell of different pictures. On those that both have:\n\n" + grid(rows)


def smile(table, task):
    """What became of nose, smile and luck, as a table: the median signed change, in the sizes of the story."""
    wish = TASKS[task].asked
    rows = [["method", *LAW], ["---"] * (1 + len(LAW)), ["*wished for*", *(f"{wish.get(f, 0):+.2f}" for f in LAW)]]
    there = with_edits(table, task)
    rows += [[r["method"], *(f"{r['moved'][f][0]:+.2f}" for f in LAW)] for r in there]
    start = f"Does the smile follow? With the law a nose that grows by {BIGGER} broadens the nap smile by "
    nap, luck = (world.W[:, 0] * BIGGER).tolist()
    start += f"{nap:.2f} and takes {-luck:.2f} of luck. Here is what moved (median, in the sizes of the story):"
    usual = [by_itself(r) for r in there if r["method"] == USUAL and "nap" not in wish]
    return "\n\n".join([start, grid(rows), *usual])


def by_itself(r):
    """How far the law goes by itself, where nobody asked for it."""
    nose, nap, luck = (r["moved"][f][0] for f in LAW)
    law = "{:+.1f} of nap smile and {:+.1f} of luck".format(*world.W[:, 0].tolist())
    found = f"{nap / nose:+.1f} and {luck / nose:+.1f}" if nose >= ENOUGH else "too little nose to tell"
    return f"With 1 of nose the law brings {law}. Along {USUAL}, though chosen for the nose alone: {found}."


def verdict(r):
    """The line of one wish in the first table: what the best method reaches, and in brackets the usual one."""
    by = f"{r['n']} other pictures" if r["fresh"] else f"the {r['n']} that chose it"
    met = zip(against_targets(r), reached(r).values(), strict=True)
    told = [value if ok or r["task"] not in MAIN else f"**{value}, missed**" for value, ok in met]
    if r["usual"] and r["method"] != USUAL:
        told = [f"{value} ({usual})" for value, usual in zip(told, against_targets(r["usual"]), strict=True)]
    return grid([[TASKS[r["task"]].title, r["method"], by, *told]])


def against_targets(r):
    """What the targets ask about: the lower bound of success, realism beside the untouched, the others' change."""
    return [f"{r['success'][1]:.0%}", number(r["times untouched"]), number(r["others"][0])]


def percent(share):
    """In whole percent; with a decimal where that would say all or none, and it is not."""
    coarse = f"{share:.0%}"
    return f"{share:.1%}" if coarse in ("0%", "100%") and 0 < share < 1 else coarse


def number(value):
    return "–" if value is None else f"{value:.2f}"


def bests(stored):
    """{task: its best method}."""
    return {r["task"]: r["method"] for r in stored["best"]}


def image(task, what, alt):
    """A figure, in Markdown."""
    return f"![{alt}](_static/{png(task, what)})"


def png(task, what):
    return f"edits_{task}_{what}.png".replace(" ", "_")


def forest(table, task, best):
    """The rows of one task as a figure, the best method marked."""
    there = with_edits(table, task)
    quantities = {
        "success\nshare of pictures": [r["success"] for r in there],
        "realism error\n× untouched": [[r["times untouched"], None, None] for r in there],
        "others moved\nstandard dev.": [r["others"] for r in there],
    }
    sides = zip(TARGETS.values(), ("least", "most", "most"), strict=True)
    return figures.forest(
        [r["method"] for r in there],
        {name: np.array(values, dtype=float) for name, values in quantities.items()},
        dict(zip(quantities, sides, strict=True)) if task in MAIN else None,
        ["realism error\n× untouched"],
        best,
    )


def heatmap(table, task, best):
    """How far each method moved each factor, as a figure, with what the wish names framed."""
    there = with_edits(table, task)
    values = [[r["change"][f] for f in world.FACTORS] for r in there]
    return figures.changes(values, [r["method"] for r in there], world.FACTORS, [*TASKS[task].asked], best)


def side_by_side(find, seeds, task, methods):
    """A figure of all methods on the same pictures; what has no picture is blank."""
    sides = [("", ""), *((task, method) for method in methods)]
    blank = torch.full((3, 64, 64), 255, dtype=torch.uint8)
    found = [[find(seed, *side) for seed in seeds] for side in tqdm(sides, desc=f"pictures of “{task}”", unit="method")]
    rows = torch.stack([torch.stack([blank if picture is None else picture for picture in row]) for row in found])
    return figures.table(rows, ["untouched", *methods], [str(seed) for seed in seeds], cell=72)


def extreme_pairs(find, noted, task, method):
    """A figure of the extremes, before and after, each under its seed and what it is an extreme of."""
    groups = zip(extremes(noted, task, method), ("least", "most", "missed"), strict=True)
    there = [(seed, kind) for seeds, kind in groups for seed in seeds]
    before, after = (torch.stack([find(seed, *side) for seed, _ in there]) for side in [("", ""), (task, method)])
    return figures.compare(before, after, titles=[f"{kind}\n{seed}" for seed, kind in there])


def publish(page, stored, find, noted, seeds):
    """Write the page, and its figures into the folder `_static` beside it."""
    whole = {task: drawn(stored, find, noted, seeds, task) for task in shown(stored)}
    found = {png(task, what): figure for task, some in whole.items() for what, figure in some.items()}
    static = page.parent / "_static"
    static.mkdir(parents=True, exist_ok=True)
    for name, figure in found.items():
        write(static / name, lambda beside, figure=figure: beside.write_bytes(figure.png()))
    write(page, lambda beside: beside.write_text(text(stored), encoding="utf-8"))


def drawn(stored, find, noted, seeds, task):
    """{what it shows: figure} of one task, see `section`."""
    table, best = stored["rows"], bests(stored).get(task)
    methods = [r["method"] for r in table if r["task"] == task and r["method"]]
    edited = {line["seed"] for line in noted if line["task"] == task}
    first = [seed for seed in seeds[1:] if seed in edited][:SHOWN] or seeds
    found = {"side_by_side": side_by_side(find, first, task, methods)}
    if best:
        found |= {"methods": forest(table, task, best), "changes": heatmap(table, task, best)}
        found["extremes"] = extreme_pairs(find, noted, task, best)
    return found


def shown(stored):
    """The tasks that the page tells of."""
    return [task for task in TASKS if any(r["task"] == task for r in stored["rows"])]
