"""The command line: `hspace check | directions | edit | gallery | train | report | results | bench`."""

import argparse
import contextlib
import os
import re
import sys
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).parent
SEEDS, TIMESTEPS = tuple(range(10)), (900, 600, 300)
BUNDLED = "Alice"  # the name of the bundled model in a manifest
DTYPES = ("float32", "bfloat16", "float16", "float64")
#: What takes less of a GPU's memory, by command; --device cpu does for each.
FRUGAL = {
    "directions": "write --chunk 1 or --memory free",
    "edit": "take fewer --pictures",
    "gallery": "write --batch 1",
    "results": "take a smaller --k",
    "bench": "take a smaller --k or fewer --pictures",
}
LOCAL_RANKS = ("LOCAL_RANK", "MPI_LOCALRANKID", "OMPI_COMM_WORLD_LOCAL_RANK", "MV2_COMM_WORLD_LOCAL_RANK")


def main(arguments=None):
    """Run a command; errors that the user can mend are one line on stderr and exit code 2."""
    options = parser().parse_args(arguments)
    with contextlib.suppress(AttributeError):  # of a notebook's stdout; a file on Windows has no letter for "→"
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        options.run(options)
    except (ValueError, OSError, FloatingPointError, ImportError) as error:
        print(f"hspace {options.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        if type(error).__name__ != "OutOfMemoryError":  # torch's, which is not imported here
            raise
        remedy = f"{FRUGAL[options.command]}, or --device cpu" if options.command in FRUGAL else "write --device cpu"
        print(f"hspace {options.command}: the GPU's memory is full{kept(options)}: {remedy}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"hspace {options.command}: stopped{kept(options)}", file=sys.stderr)
        return 130
    return 0


def kept(options):
    """What is to be said of a command that goes on where it was stopped, "" for others."""
    goes_on = {
        "directions": lambda: True,
        "gallery": lambda: options.out.with_name(f"{options.out.name}.parts").is_dir(),
        "train": lambda: not options.judges and not options.sketch,
        "bench": lambda: options.what == "edit",
    }
    return "; what is done is kept" if goes_on.get(options.command, lambda: False)() else ""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the usage before them."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}; `{self.prog} --help` lists the options\n")


def parser():
    """All commands with their options."""
    top = Parser(prog="hspace", description="Geometry inside a diffusion model.")
    commands = top.add_subparsers(dest="command", required=True)

    check = commands.add_parser("check", help="whether this machine is ready for the chapters, and what to do if not")
    check.set_defaults(run=run_check)

    train = commands.add_parser("train", help="train Alice, or the judges, from nothing; goes on where it was stopped")
    train.add_argument("--out", type=Path, default=Path("runs/alice"), help="folder of the run (default: %(default)s)")
    train.add_argument("--steps", type=int, help="of Alice's training (default: those that made the bundled one)")
    train.add_argument("--rate", type=float, help="her learning rate")
    train.add_argument("--seed", type=int, help="of her weights, pictures and noise")
    train.add_argument("--device", help="cpu or cuda (default: cuda where there is one; the judges train on the CPU)")
    train.add_argument("--onward", action="store_true", default=None, help="train the bundled Alice further")
    instead = train.add_mutually_exclusive_group()
    instead.add_argument("--judges", action="store_true", help="train the two judges instead of Alice")
    instead.add_argument("--sketch", action="store_true", help="train the judge of what Alice expects, instead of her")
    train.set_defaults(run=run_train)

    report = commands.add_parser("report", help="measure Alice and write her model card")
    report.add_argument("--book", type=Path, default=Path("book"), help="folder of the page (default: %(default)s)")
    report.add_argument("--store", type=Path, default=HERE / "results" / "report.json", help="file of the figures")
    report.add_argument("--samples", type=positive, default=512, help="pictures to draw (default: %(default)s)")
    report.add_argument("--inverted", type=positive, default=64, help="real pictures to invert (default: %(default)s)")
    add_model(report, usual="cpu")
    report.set_defaults(run=run_report)

    directions = commands.add_parser(
        "directions",
        help="the treatment: top directions of many pictures at many timesteps; goes on where it stopped",
        epilog="Several GPUs: accelerate launch --multi_gpu --num_processes 8 -m hspace directions ...",
    )
    directions.add_argument("--out", type=Path, required=True, help="folder of the treatment, a new or a begun one")
    directions.add_argument("--seeds", type=seeds, help="pictures, such as 0-9 or 3,7,12 (default: 0-9)")
    directions.add_argument("--pictures", type=Path, help="instead: a folder of PNG and JPEG files, to be inverted")
    directions.add_argument("--prompt", help="what to draw, for a model that draws from words")
    directions.add_argument("--guidance", type=float, help="how closely to follow it, 1 for no more (default: 7.5)")
    directions.add_argument("--timesteps", type=integers, help="such as 900,600,300 (default)")
    directions.add_argument("--k", type=positive, help="directions of each (default: 50)")
    directions.add_argument("--layer", help="the module whose output is h (default: mid_block)")
    directions.add_argument("--tol", type=float, help="bound on the residuals (default: 0.001)")
    directions.add_argument("--block", type=positive, help="columns multiplied at once by the search (default: 4)")
    directions.add_argument("--chunk", type=positive, help="columns in memory at once (default: 16, less if need be)")
    directions.add_argument("--memory", type=memory, help="fit the chunk into so many GiB, or into what is 'free'")
    directions.add_argument("--cold", dest="warm", action="store_false", default=None, help="no start from the last t")
    directions.add_argument("--steps", type=positive, help="steps of the sampler (default: 20)")
    directions.add_argument("--status", action="store_true", help="only say what is done, from the files")
    add_model(directions)
    directions.add_argument("--revision", help="of a model of the hub: a branch, a tag or a commit")
    directions.add_argument("--dtype", choices=DTYPES, help="of the network (default: float32)")
    directions.set_defaults(run=run_directions)

    edit = commands.add_parser("edit", help="change a treated picture: along a direction, or as wished")
    edit.add_argument("treatment", type=Path, help="folder made by `hspace directions`")
    edit.add_argument("--seed", type=int, required=True, help="the picture")
    edit.add_argument("--t", type=int, required=True, help="the timestep of the edit")
    edit.add_argument("--direction", type=positive, help="which of its directions, from 1")
    edit.add_argument("--length", type=float, default=8.0, help="of the way, in x (default: %(default)s)")
    edit.add_argument("--pictures", type=positive, default=4, help="pictures on the way (default: %(default)s)")
    edit.add_argument(
        "--walk", action="store_true", help="ask for the direction anew at each picture, no straight line"
    )
    edit.add_argument(
        "--wish", type=wish, action="append", help="instead: a factor as wished, by its name or number: fright=0"
    )
    edit.add_argument("--judge", help="guide (default for wishes), referee, or your own: module:function")
    edit.add_argument("--out", type=Path, default=Path("edit.png"), help="file of the pictures (default: %(default)s)")
    add_model(edit)
    edit.set_defaults(run=run_edit)

    gallery = commands.add_parser("gallery", help="a treatment as one HTML file that can be sent to a colleague")
    gallery.add_argument("treatment", type=Path, help="folder made by `hspace directions`")
    gallery.add_argument("--out", type=Path, default=Path("gallery.html"), help="the file (default: %(default)s)")
    gallery.add_argument("--seeds", type=seeds, help="only these (default: all that are done)")
    gallery.add_argument("--timesteps", type=integers, help="only these (default: all that are done)")
    gallery.add_argument("--count", type=positive, default=10, help="directions of each picture (default: %(default)s)")
    gallery.add_argument("--reach", type=above, default=8.0, help="of each strip, both ways, in x (default: 8)")
    gallery.add_argument("--pictures", type=positive, default=5, help="in each strip (default: %(default)s)")
    gallery.add_argument("--judge", help="says what changes: guide, referee, or your own: module:function")
    gallery.add_argument("--like", type=integers, help="match all to the directions of one, as SEED,TIMESTEP")
    gallery.add_argument("--title", default="Directions")
    gallery.add_argument("--batch", type=positive, default=8, help="pictures finished at once (default: %(default)s)")
    add_model(gallery)
    gallery.set_defaults(run=run_gallery)

    results = commands.add_parser("results", help="make a stored result of the book anew")
    results.add_argument("what", choices=["fifty_directions"])
    results.add_argument("--k", type=positive, default=50, help="how many directions (default: %(default)s)")
    results.add_argument("--t", type=int, default=600, help="timestep (default: %(default)s)")
    results.add_argument("--pictures", type=positive, default=12, help="pictures to measure changes on")
    results.add_argument("--out", type=Path, help="the file (default: the one that ships with the package)")
    add_model(results, usual="cpu")
    results.set_defaults(run=run_results)

    bench = commands.add_parser("bench", help="measure against the alternatives (from a checkout of the repository)")
    bench.add_argument("what", choices=["svd", "edit"])
    bench.add_argument(
        "--page", type=Path, help="a page to write, such as book/edits.md; pictures go into _static beside it"
    )
    bench.add_argument("--k", type=positive, default=50, help="svd: how many directions (default: %(default)s)")
    bench.add_argument(
        "--architectures",
        nargs="+",
        help="svd: those of real models, with random weights: google/ddpm-ema-celebahq-256",
    )
    bench.add_argument(
        "--pictures", type=positive, default=200, help="edit: frightening puppets (default: %(default)s)"
    )
    bench.add_argument("--methods", nargs="+", help="edit: only these, such as 'fifty, again' (default: all)")
    bench.add_argument("--tasks", nargs="+", help="edit: only these, such as 'no fright' (default: all)")
    bench.add_argument(
        "--out", type=Path, default=Path("benchmarks/edits"), help="edit: folder of the run (default: %(default)s)"
    )
    add_model(bench, usual="cpu")
    bench.set_defaults(run=run_bench)
    return top


def add_model(command, usual="cuda where there is one"):
    command.add_argument("--model", help="a local folder or a model of the hub (default: the bundled Alice)")
    command.add_argument("--device", help=f"cpu or cuda (default: {usual})")


def positive(text):
    """A whole number above 0."""
    if not re.fullmatch(r"0*[1-9]\d*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0; write 1 or more")
    return int(text)


def above(text):
    """A number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0; write 8 or 2.5")
    return number


def memory(text):
    """A number of GiB, or "free"."""
    try:
        return text if text == "free" else above(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{text!r} is no memory; write free, or how many GiB: 20") from None


def integers(text):
    """Whole numbers divided by commas."""
    if not re.fullmatch(r"\d+(,\d+)*", text):
        raise argparse.ArgumentTypeError(f"{text!r} are not whole numbers divided by commas; write 900,600,300")
    return tuple(map(int, text.split(",")))


def seeds(text):
    """Whole numbers and ranges, both ends included: 0-3,7 is 0, 1, 2, 3, 7."""
    if not re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", text):
        raise argparse.ArgumentTypeError(f"{text!r} are not seeds; write 0-9 or 3,7,12")
    ends = [[int(end) for end in part.split("-")] for part in text.split(",")]
    if wrong := [f"{first}-{last}" for first, *rest in ends for last in rest if last < first]:
        raise argparse.ArgumentTypeError(f"{wrong[0]!r} counts down; write the smaller number first")
    return tuple(seed for first, *rest in ends for seed in range(first, (rest or [first])[0] + 1))


def wish(text):
    """name=value"""
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no wish; write fright=0") from None


def device(name):
    """The device of that name; without one a GPU where there is one. Each process of a launcher has its own GPU."""
    import torch

    name = name or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(name)
    except RuntimeError:
        raise ValueError(f"--device {name}: there is no such kind; write cpu, cuda or cuda:1") from None
    if chosen.type == "meta":
        raise ValueError(f"--device {name}: it holds shapes and no numbers; write cpu, cuda or cuda:1")
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"--device {name}: torch sees no GPU here; write --device cpu")
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        last = torch.cuda.device_count() - 1
        raise ValueError(f"--device {name}: the last GPU that torch sees here is cuda:{last}; write --device cuda")
    if chosen.type == "cuda" and chosen.index is None:
        local = next((int(os.environ[key]) for key in LOCAL_RANKS if key in os.environ), 0)
        chosen = torch.device("cuda", local % torch.cuda.device_count())
    return chosen


def find_judge(name, device):
    """guide, referee, or any function of pictures, as module:function, looked for in the current folder too."""
    import importlib

    from hspace.cats.judge import JUDGES, load_judge

    if name is None or name in JUDGES:
        return name and load_judge(name, device)
    module, _, function = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        return getattr(importlib.import_module(module), function or "judge")
    except (ImportError, AttributeError) as error:
        remedy = f"write {', '.join(JUDGES)}, or module:function"
        raise ValueError(f"--judge {name} cannot be found ({error}); {remedy}") from None


def opened(options):
    """The treatment of a folder and its model."""
    from hspace.treatment import Treatment

    treatment = Treatment(options.treatment)
    about = treatment.about | ({"model": options.model} if options.model else {})
    manifest = treatment.manifest
    model = loaded(about, device(options.device), manifest["dtype"], manifest["steps"], treatment.plan.layer)
    treatment.check_model(model)
    return treatment, model


def loaded(about, device, dtype="float32", steps=20, layer=None):
    """The model that a treatment's `about` names, with its prompt."""
    import torch

    import hspace

    name = about.get("model", BUNDLED)
    model = hspace.load(
        None if name == BUNDLED else name,
        device=device,
        dtype=getattr(torch, dtype),
        revision=about.get("revision"),
        steps=steps,
        layer=layer,
    )
    if "prompt" in about:
        return model.with_prompt(about["prompt"], about.get("guidance", 7.5))
    if "guidance" in about:
        raise ValueError("--guidance says how closely to follow a prompt; write --prompt 'a photo of a cat' with it")
    if model.text is not None:
        raise ValueError("this model draws from words; write --prompt 'a photo of a cat'")
    return model


def run_check(options):
    import hspace

    if not hspace.check():
        sys.exit(1)


def run_train(options):
    import hspace
    from hspace.cats import train
    from hspace.cats.judge import JUDGES

    def say(kind, scores):
        print(f"{kind}: R² " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))

    given = {name: getattr(options, name) for name in ("steps", "rate", "seed", "onward")}
    given = {name: value for name, value in given.items() if value is not None}
    if options.judges:
        refuse_others("--judges", given)
        if options.device not in (None, "cpu"):
            raise ValueError(f"--device {options.device}: the judges train on the CPU; leave it out")
        for kind in JUDGES:
            say(kind, train.train_judge(kind, options.out))
    elif options.sketch:
        refuse_others("--sketch", given)
        say("sketch", train.train_sketch(hspace.load(device=device(options.device)), options.out))
    else:
        print(f"Alice: {train.train_alice(options.out, train.Plan(**given), device(options.device))}")


def refuse_others(what, given):
    """ValueError where options are given, {name: value}, that a kind of training has no use for."""
    if given:
        raise ValueError(f"{what} has no use for {', '.join(f'--{name}' for name in given)}: these are for Alice alone")


def run_report(options):
    import hspace
    from hspace import report

    figures = report.make(
        hspace.load(options.model, device=device(options.device or "cpu")),
        options.book,
        options.store,
        samples=options.samples,
        inverted=options.inverted,
    )
    for what, asked, reached, met in report.verdicts(figures):
        print(f"{what}: asked {asked}, reached {reached}{'' if met else '  (missed)'}")


def run_directions(options):
    from hspace.treatment import Plan, Treatment, check_plan, processes, treat

    begun = Treatment(options.out) if options.status or (options.out / "manifest.json").exists() else None
    if options.status:
        print(f"{options.out}: {begun.status()}")
        return
    about = told(options, begun.about if begun else {"model": BUNDLED})
    check_directions(options, about)
    manifest = begun.manifest if begun else {"dtype": "float32", "steps": 20}
    model = loaded(
        about, device(options.device), options.dtype or manifest["dtype"], options.steps or manifest["steps"]
    )
    base = asdict(begun.plan) if begun else {"seeds": SEEDS, "timesteps": TIMESTEPS}
    given = {name: getattr(options, name) for name in Plan.__dataclass_fields__ if name != "pictures"}
    base |= {name: value for name, value in given.items() if value is not None}
    pictures = found_pictures(about, model) if "pictures" in about else None
    if pictures:
        base |= {"pictures": pictures.names, "seeds": range(len(pictures.names))}
    check_plan(model, Plan(**base))
    plan = fitted(model, Plan(**base), options.memory)
    treatment = treat(model, options.out, plan, pictures=pictures and pictures.read, about=about)
    if processes()[0] == 0:
        print(f"{options.out}: {treatment.status()}")


def check_directions(options, about):
    """ValueError for options that exclude each other."""
    from hspace.treatment import processes

    if options.seeds is not None and "pictures" in about:
        raise ValueError("--seeds and --pictures exclude each other; write one of them")
    if options.chunk is not None and options.memory is not None:
        raise ValueError("--chunk and --memory exclude each other; write one of them")
    if options.memory == "free" and processes()[1] > 1:
        raise ValueError("--memory free differs from process to process; write how many GiB each may take: --memory 20")


def told(options, before):
    """What is to be known of a treatment's model and pictures to find them again, {name: value}."""
    given = {name: getattr(options, name) for name in ("model", "revision", "prompt", "guidance", "pictures")}
    about = before | {name: value for name, value in given.items() if value is not None}
    for name in {"model", "pictures"} & set(about):
        folder = Path(about[name])  # to be found from any other
        about[name] = str(folder.resolve() if folder.is_dir() else about[name])
    return about


def found_pictures(about, model):
    """The `Pictures` of a treatment; what was done to make them fit is said."""
    from hspace.pictures import find
    from hspace.treatment import processes

    pictures = find(about["pictures"], model.picture_shape)
    if processes()[0] == 0:
        for note in pictures.notes:
            print(note, file=sys.stderr)
    return pictures


def fitted(model, plan, wanted):
    """The plan, its chunk fitted into `wanted` memory, GiB or "free"; what it will take at most is said before."""
    from dataclasses import replace

    from hspace import memory
    from hspace.treatment import processes

    options = {"layer": plan.layer, "chunk": plan.chunk, "block": plan.block}
    try:
        need = memory.predict(model, plan.timesteps[0], plan.k, **options)
    except (NotImplementedError, RuntimeError) as error:
        if wanted is not None:
            raise ValueError("this network does not tell its memory; write --chunk 4 instead of --memory") from error
        return plan
    there = memory.free(model.device)
    if wanted is not None:
        there = there + need.weights if wanted == "free" else wanted * memory.GIB  # the weights are there already
        plan = replace(plan, chunk=memory.fit(need, there))
        need = replace(need, chunk=min(plan.chunk, max(plan.k, plan.block)))
    if processes()[0] == 0:
        short = need.total - need.weights > there
        remedy = f", but only {memory.size(there)} is free: if it fails, write --memory free" if short else ""
        print(f"memory: {need}{remedy}", file=sys.stderr)
    return plan


def run_edit(options):
    import torch

    import hspace
    from hspace.directions import strips
    from hspace.files import write
    from hspace.gallery import row
    from hspace.model import HALF

    if (options.wish is None) == (options.direction is None):
        raise ValueError("an edit wants either a direction or a wish; write --direction 3 or --wish fright=0")
    if options.walk and options.wish:
        raise ValueError("--walk goes along a direction, and a wish finds its own way: leave out --walk")
    treatment, model = opened(options)
    if options.walk and model.dtype in HALF:
        raise ValueError(f"--walk is too fine for {treatment.manifest['dtype']}, this treatment's: leave out --walk")
    unit, t = treatment.read(options.seed, options.t), options.t
    x, V = unit.x.to(model.device, model.dtype), unit.svd.V.to(model.device, model.dtype)
    judge = find_judge(options.judge, model.device)
    if options.wish:
        judge = judge or find_judge("guide", model.device)
        done = hspace.steer(model, x, t, named(options.wish, judge), judge, V=V)
        pictures, length = model.picture(model.denoise(torch.cat([x, done.x]), start=t)), done.length
    elif options.direction > V.shape[1]:
        raise ValueError(f"--direction {options.direction}: this treatment holds {V.shape[1]}; write 1 to {V.shape[1]}")
    else:
        v, length = V[:, options.direction - 1], options.length
        if options.walk:
            v = v if length > 0 else -v
            states = hspace.walk(model, x, t, v, abs(length), options.pictures, len(unit.svd.s), treatment.plan.layer)
            pictures = model.picture(model.denoise(states, start=t))
        else:
            lengths = torch.linspace(0, length, options.pictures + 1).tolist()
            pictures = strips(model, x, t, v[:, None], lengths)[0]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write(options.out, lambda beside: row(pictures.cpu()).save(beside, format="png"))
    print(f"{options.out}: from the picture as it was to {abs(length):.3g} away in x")
    if judge is not None:
        tell(judge, pictures)


def named(wishes, judge):
    """Pairs (name, value) as a wish, a dict; the factors of a judge without names are called by their numbers."""
    if hasattr(judge, "factors"):
        return dict(wishes)
    return {int(name) if name.isdecimal() else name: value for name, value in wishes}


def tell(judge, pictures):
    """Print what a judge says of the first and the last of the pictures."""
    import torch

    with torch.no_grad():
        before, after = judge(pictures.float())[[0, -1]].tolist()
    for name, a, b in zip(getattr(judge, "factors", range(len(before))), before, after, strict=True):
        print(f"{name}: {a:.2f} → {b:.2f}")


def run_gallery(options):
    import torch

    from hspace.gallery import gallery

    if options.like is not None and len(options.like) != 2:
        raise ValueError("--like names one unit; write --like SEED,TIMESTEP, such as --like 7,600")
    if options.pictures < 2:
        raise ValueError("--pictures 1 shows no change; write --pictures 5")
    treatment, model = opened(options)
    chosen = options.seeds or treatment.plan.seeds, options.timesteps or treatment.plan.timesteps
    done = treatment.status().done
    path = gallery(
        model,
        treatment,
        options.out,
        units=[(seed, t) for seed, t in done if seed in chosen[0] and t in chosen[1]],
        count=min(options.count, treatment.plan.k),
        lengths=torch.linspace(-options.reach, options.reach, options.pictures).tolist(),
        judge=find_judge(options.judge, model.device),
        like=options.like,
        title=options.title,
        batch=options.batch,
    )
    print(f"{path}: {path.stat().st_size / 2**20:.1f} MiB, opens in any browser")


def run_results(options):
    import hspace
    from hspace.directions import fifty_directions

    model = hspace.load(options.model, device=device(options.device or "cpu"))
    out = options.out or HERE / "results" / f"{options.what}.safetensors"
    about = fifty_directions(model, out, k=options.k, t=options.t, pictures=options.pictures)
    print(f"{out}: seed {about['seed']}, products {about['products']}")


def run_bench(options):
    import importlib

    import hspace

    sys.path.insert(0, str(Path.cwd()))
    try:
        bench = importlib.import_module(f"benchmarks.{options.what}")
    except ModuleNotFoundError as error:
        if error.name not in ("benchmarks", f"benchmarks.{options.what}"):
            raise
        raise FileNotFoundError(
            "the alternatives live in benchmarks/: run this in a checkout of the repository"
        ) from None
    if options.architectures:
        if options.what != "svd" or options.model:
            raise ValueError("--architectures is for `bench svd`, without --model; write one of them")
        importlib.import_module("benchmarks.large").main(
            options.architectures, options.k, device=device(options.device)
        )
        return
    chosen = device(options.device or "cpu")
    if options.what == "svd":
        bench.main(hspace.load(options.model, device=chosen), k=options.k, page=options.page)
        return
    for given, known in ((options.tasks, bench.TASKS), (options.methods, bench.METHODS)):
        for name in given or []:
            if name not in known:
                raise ValueError(f"{name!r} is not one of {', '.join(map(repr, known))}")
    model = hspace.load(options.model, device=chosen)
    store = HERE / "results" / "edits.json" if options.page else None
    only = {"pictures": options.pictures, "methods": options.methods, "tasks": options.tasks}
    bench.main(model, options.out, store, options.page, **only)
