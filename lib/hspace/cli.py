"""The command line: `hspace train | report | directions | bench`."""

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main(arguments=None):
    """Run a command; errors that the user can mend are one line on stderr and exit code 2."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"hspace {options.command}: {error}", file=sys.stderr)
        return 2
    return 0


def parser():
    """All commands with their options."""
    top = argparse.ArgumentParser(prog="hspace", description="Geometry inside a diffusion model.")
    commands = top.add_subparsers(dest="command", required=True)

    train = commands.add_parser("train", help="train Alice, or the judges, from nothing; goes on where it was stopped")
    train.add_argument("--out", type=Path, default=Path("runs/alice"), help="folder of the run (default: %(default)s)")
    train.add_argument("--steps", type=int, help="steps of training (default: those that made the bundled Alice)")
    train.add_argument("--rate", type=float, help="learning rate")
    train.add_argument("--seed", type=int, help="seed of weights, pictures and noise")
    train.add_argument("--device", help="cpu or cuda (default: cuda where there is one)")
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
    add_model(report)
    report.set_defaults(run=run_report)

    directions = commands.add_parser("directions", help="the top directions of one picture, and what they do")
    directions.add_argument("--k", type=positive, default=50, help="how many directions (default: %(default)s)")
    directions.add_argument("--t", type=int, default=600, help="timestep (default: %(default)s)")
    directions.add_argument("--pictures", type=positive, default=12, help="pictures to measure changes on")
    directions.add_argument("--out", type=Path, default=HERE / "results" / "fifty_directions.safetensors")
    add_model(directions)
    directions.set_defaults(run=run_directions)

    bench = commands.add_parser("bench", help="measure against the alternatives (from a checkout of the repository)")
    bench.add_argument("what", choices=["svd", "edit"])
    bench.add_argument(
        "--page", type=Path, help="a page to write, such as book/edits.md; pictures go into _static beside it"
    )
    bench.add_argument("--k", type=positive, default=50, help="svd: how many directions (default: %(default)s)")
    bench.add_argument(
        "--pictures", type=positive, default=200, help="edit: frightening puppets (default: %(default)s)"
    )
    bench.add_argument("--methods", nargs="+", help="edit: only these, such as 'fifty, again' (default: all)")
    bench.add_argument("--tasks", nargs="+", help="edit: only these, such as 'no fright' (default: all)")
    bench.add_argument(
        "--out", type=Path, default=Path("runs/edits"), help="edit: folder of the run, which goes on there"
    )
    add_model(bench)
    bench.set_defaults(run=run_bench)
    return top


def add_model(command):
    command.add_argument("--model", help="a local folder or a model of the hub (default: the bundled Alice)")
    command.add_argument("--device", help="cpu or cuda (default: cpu)")


def positive(text):
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not a whole number above 0")
    return number


def run_train(options):
    import hspace
    from hspace.cats import train
    from hspace.cats.judge import JUDGES

    def say(kind, scores):
        print(f"{kind}: R² " + ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))

    if options.judges:
        for kind in JUDGES:
            say(kind, train.train_judge(kind, options.out))
    elif options.sketch:
        say("sketch", train.train_sketch(hspace.load(device=options.device), options.out))
    else:
        given = {name: getattr(options, name) for name in ("steps", "rate", "seed", "onward")}
        plan = train.Plan(**{name: value for name, value in given.items() if value is not None})
        print(f"Alice: {train.train_alice(options.out, plan, options.device)}")


def run_report(options):
    import hspace
    from hspace import report

    figures = report.make(
        hspace.load(options.model, device=options.device),
        options.book,
        options.store,
        samples=options.samples,
        inverted=options.inverted,
    )
    for what, asked, reached, met in report.verdicts(figures):
        print(f"{what}: asked {asked}, reached {reached}{'' if met else '  (missed)'}")


def run_directions(options):
    import hspace
    from hspace.directions import fifty_directions

    model = hspace.load(options.model, device=options.device)
    about = fifty_directions(model, options.out, k=options.k, t=options.t, pictures=options.pictures)
    print(f"{options.out}: seed {about['seed']}, products {about['products']}")


def run_bench(options):
    import importlib

    import hspace

    sys.path.insert(0, str(Path.cwd()))
    try:
        bench = importlib.import_module(f"benchmarks.{options.what}")
    except ModuleNotFoundError:
        raise FileNotFoundError(
            "the alternatives live in benchmarks/: run this in a checkout of the repository"
        ) from None
    if options.what == "svd":
        bench.main(hspace.load(options.model, device=options.device), k=options.k, page=options.page)
        return
    for given, known in ((options.tasks, bench.TASKS), (options.methods, bench.METHODS)):
        for name in given or []:
            if name not in known:
                raise ValueError(f"{name!r} is not one of {', '.join(map(repr, known))}")
    model = hspace.load(options.model, device=options.device)
    store = HERE / "results" / "edits.json" if options.page else None
    chosen = {"pictures": options.pictures, "methods": options.methods, "tasks": options.tasks}
    bench.main(model, options.out, store, options.page, **chosen)
