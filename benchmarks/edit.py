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
import os
import shlex
from pathlib import Path

import numpy as np
import torch
from benchmarks.edit_methods import CLOUD, COSTLY, METHODS, Sitting, T, carried
from benchmarks.edit_page import markdown, publish
from benchmarks.edit_table import alike, held, key, rows, verdicts
from benchmarks.edit_tasks import FEW, MAIN, PICTURES, TASKS, named
from PIL import Image
from tqdm import tqdm

from hspace.cats.judge import fit, load_judge
from hspace.directions import fingerprint, haunted_seeds
from hspace.editing import cloud
from hspace.files import contact_sheet, write
from hspace.scoring import realism
from hspace.treatment import lock_folder, processes

FOLDER = Path(__file__).parent / "edits"  # of the run whose table is on the page


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
    for task in dict.fromkeys(r["task"] for r in table):
        print(f"\n{TASKS[task].title}\n{markdown(table, task)}")
    guide, sketch = (load_judge(kind, model.device) for kind in ("guide", "sketch"))
    stored = {
        "command": command(pictures, methods, tasks),
        "fingerprint": signature(model, sketch),
        "pictures": pictures,
        "best": verdicts(noted),
        "alike": alike(noted),
        "held": held(noted, model),
        "rows": table,
    }
    if store is not None:
        write(Path(store), lambda beside: beside.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8"))
    if page is not None:
        publish(Path(page), stored, finder(sittings(model, guide, sketch, seeds[0]), folder, noted), noted, seeds)
    return table
