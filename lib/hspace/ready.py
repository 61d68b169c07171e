"""Is this machine ready for the book? One question after the other, each with its remedy; `hspace check` asks them."""

import re
import sys
import time
from importlib.metadata import PackageNotFoundError, requires, version

PYTHON = (3, 11)
MEMORY = 2.0  # GiB that a chapter may need beside what is in use already
ALIKE = 0.02  # root mean square difference of two drawings of one picture, of a range from -1 to 1
DIRECTIONS, SLOW = 5, 60  # how many are computed, and the seconds in which a chapter is still pleasant to work with
ANEW = "Install the book anew, from where you have it: README.md says how"
NEEDED = re.compile(r"([\w.-]+)>=([\d.]+)$")


class NotReady(Exception):
    """What is wrong, and what to do about it."""

    def __init__(self, said, remedy):
        super().__init__(said)
        self.remedy = remedy


def check():
    """Print whether this machine is ready for the chapters, and what to do where it is not. Returns True or False.

    Asks for Python and the packages, free memory, a figure to touch, Alice's weights, one of her pictures compared with
    the stored one, and five directions compared with the stored ones, which takes some seconds.
    """
    alice, ready = [], True
    for name, question in QUESTIONS.items():
        fine, said = asked(question, alice)
        print(f"{'ok ' if fine else 'NO '} {name:13}{said}", flush=True)
        ready &= fine
        if not fine and question in FIRST:
            break
    print("This machine is ready." if ready else "Not ready yet: mend what is marked NO, then check again.")
    return ready


def asked(question, alice):
    """(whether all is well, what to print).  alice: a list that keeps the model for the questions that follow."""
    try:
        return True, question(alice)
    except NotReady as wrong:
        return False, f"{wrong}. {wrong.remedy}"
    except Exception as error:  # whatever breaks here would break a chapter
        return False, f"{type(error).__name__}: {error}. {ANEW}"


def numbers(text):
    """A version's numbers, to compare: "2.13.0+cpu" is (2, 13, 0)."""
    return tuple(int(part) for part in re.findall(r"\d+", text.split("+")[0]))


def python(_):
    here = sys.version.split()[0]
    if sys.version_info < PYTHON:
        raise NotReady(f"Python {here}", f"Install Python {PYTHON[0]}.{PYTHON[1]} or newer from python.org")
    return here


def packages(_):
    """Those of the book's own list that are missing or too old."""
    wrong, wanted = [], [NEEDED.match(line) for line in requires("hspace") or [] if "extra ==" not in line]
    for name, least in (found.groups() for found in wanted if found):
        try:
            if numbers(version(name)) < numbers(least):
                wrong.append(f'"{name}>={least}"')
        except PackageNotFoundError:
            wrong.append(f'"{name}>={least}"')
    if wrong:
        raise NotReady(f"missing or too old: {' '.join(wrong)}", f"Run: pip install {' '.join(wrong)}")
    return f"all {len(wanted)}, torch {version('torch')}"


def memory(_):
    import psutil

    free = psutil.virtual_memory().available / 2**30
    if free < MEMORY:
        raise NotReady(
            f"{free:.1f} GiB free, {MEMORY:g} are needed", "Close other programs, or open the chapters in Colab"
        )
    return f"{free:.1f} GiB free"


def figures(_):
    from hspace import widgets

    shown = widgets.LinearMap([[2.0]], vector=[1.0])._repr_mimebundle_()[0]
    if "application/vnd.jupyter.widget-view+json" not in shown:
        raise NotReady("figures to touch stay text", "Run: pip install --upgrade anywidget ipywidgets, then restart")
    return f"ipywidgets {version('ipywidgets')}, anywidget {version('anywidget')}"


def weights(alice):
    import hspace

    alice.append(hspace.load())
    return f"{sum(table.numel() for table in alice[0].network.parameters()) / 1e6:.1f} million weights"


def picture(alice):
    from hspace.directions import stored

    clinic = stored("fifty_directions")
    middle = clinic.about["lengths"].index(0.0)
    drawn = alice[0].picture(alice[0].denoise(alice[0].noise(clinic.about["seed"]))).clamp(-1, 1)
    apart = (drawn - clinic.pictures("strips")[0, middle]).square().mean().sqrt().item()
    if not apart < ALIKE:
        raise NotReady(
            f"off by {apart:.3f} from the stored one, {ALIKE:g} is allowed",
            f"Weights and results belong together. {ANEW}",
        )
    return "drawn as stored"


def directions(alice):
    import torch

    import hspace
    from hspace.directions import stored

    clinic, start = stored("fifty_directions"), time.perf_counter()
    t = clinic.about["t"]
    x_t = alice[0].denoise(alice[0].noise(clinic.about["seed"]), stop=t)
    found = hspace.svd(alice[0].jacobian(x_t, t), k=DIRECTIONS).s
    seconds = time.perf_counter() - start
    if not torch.allclose(found, clinic.exact[:DIRECTIONS].to(found), rtol=2e-3):
        raise NotReady(
            f"{[round(s, 2) for s in found.tolist()]}, unlike the stored ones", "Install torch and the book anew"
        )
    if seconds > SLOW:
        raise NotReady(
            f"{DIRECTIONS} in {seconds:.0f} s, {SLOW} are pleasant",
            "Close other programs; on a machine of few cores set OMP_NUM_THREADS=1 first; or take Colab",
        )
    return f"{DIRECTIONS} in {seconds:.1f} s, as stored"


#: {what is asked for: the function that returns what it found, or raises NotReady}, in order.
QUESTIONS = {
    "Python": python,
    "packages": packages,
    "memory": memory,
    "figures": figures,
    "Alice": weights,
    "her picture": picture,
    "directions": directions,
}
FIRST = (python, packages, weights)  # without these the rest cannot be asked
