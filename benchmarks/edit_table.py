"""The table of edits: from the lines that a run noted to rows with shares, medians and intervals."""

import math
from itertools import product

import numpy as np
import scipy.stats
from benchmarks.edit_methods import LIKE, METHODS, K
from benchmarks.edit_tasks import FEW, LAW, TARGETS, TASKS, named

from hspace.cats import world

USUAL = "one singular vector"  # straight along one direction, the usual way, beside which the best is shown


def key(line):
    return line["seed"], line["task"], line["method"]


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


def by_method(noted):
    """{(task, method): row}."""
    return {(r["task"], r["method"]): r for r in rows([*noted])}


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
    signed = np.diff(moved["referee"], axis=1)[:, 0]
    change = signed / world.STD.numpy()
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
        "moved": {f: middle(signed[:, i]) for i, f in enumerate(world.FACTORS) if f in LAW},
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


def alike(noted):
    """Costly methods beside those that they are like, on the pictures on which both were tried: pairs of rows.

    Only where one was tried on more: elsewhere the table itself compares them.
    """
    tried = {}
    for seed, task, method in comparable(noted):
        tried.setdefault((task, method), set()).add(seed)
    found = []
    for task, (method, like) in product(TASKS, LIKE.items()):
        one, other = (tried.get((task, name), set()) for name in (method, like))
        if one & other and one != other:
            both = by_method(line for line in noted if line["seed"] in one & other)
            found.append([both[task, method], both[task, like]])
    return found


def held(noted, model):
    """Median share of each factor's gradient that lies within the directions, and that of a random direction."""
    shares = np.array([line["held"] for line in noted if "held" in line])
    chance = (K / math.prod(model.shape)) ** 0.5
    return {"pictures": len(shares), "chance": round(chance, 4), "shares": np.median(shares, axis=0).round(4).tolist()}


def with_edits(table, task):
    """The rows of one task that tell of edits: not of the untouched, and not where every edit failed."""
    return [r for r in table if r["task"] == task and r["method"] and r["failed"] < r["n"]]


def best(table):
    """{task: the method that meets the most targets}; those of the later tasks have none, and the same yardstick.

    Of several, that with the highest lower bound of success; of these, that which moves the others least.
    """
    found = {}
    for task in TASKS:
        if there := with_edits(table, task):
            merits = [(sum(reached(r).values()), r["success"][1], -r["others"][0]) for r in there]
            found[task] = there[merits.index(max(merits))]["method"]
    return found


def verdicts(noted):
    """What the best method of each task reaches: rows, with "fresh": whether of other pictures than chose it.

    The first `FEW` pictures, on which all methods are tried, tell which is the best; all others, where it was tried on
    any, tell how good it is. "usual": the row of the method `USUAL` on the same pictures, or None.
    """
    first = {*sorted({line["seed"] for line in noted})[:FEW]}
    chosen, others = (by_method(line for line in noted if (line["seed"] in first) == early) for early in (True, False))
    found = []
    for task, method in best([*chosen.values()]).items():
        fresh = (task, method) in others
        table = others if fresh else chosen
        found.append({"fresh": fresh, **table[task, method], "usual": table.get((task, USUAL))})
    return found


def reached(r):
    """Which of the targets a row meets: none, where every edit failed."""
    values = {"success": -r["success"][1], "realism": r["times untouched"], "others": r["others"][0]}
    asked = TARGETS | {"success": -TARGETS["success"]}
    return {name: r["failed"] < r["n"] and value <= asked[name] for name, value in values.items()}


def extremes(noted, task, method, count=4):
    """Seeds of a method's pictures, three lists: where its wish came true and other factors moved least; where they
    moved most; and the first where it did not come true."""
    by = comparable(noted)
    seeds = [s for (s, t, m), line in by.items() if (t, m) == (task, method) and "failed" not in line]
    told = {s: row(task, method, [(by[s, "", ""], by[s, task, method])]) for s in seeds}
    true = sorted((s for s in seeds if told[s]["success"][0]), key=lambda s: told[s]["others"][0])
    return true[:count], true[count:][-count:], sorted({*seeds} - {*true})[:count]
