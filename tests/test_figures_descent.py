"""Steps downhill drawn: the gap is the remainder, and the level line touches the ball at the step."""

import numpy as np
import pytest
import torch
from figure_checks import check_alike

from hspace import figures
from hspace.figures import style

STEPS = np.linspace(-1, 1, 21)
CHANGE, LINE = 2 * STEPS + STEPS**2, 2 * STEPS
ROUND = np.stack([np.cos(np.linspace(0, 6.2, 60)), np.sin(np.linspace(0, 6.2, 60))], 1)
GRADIENT = np.array([3.0, 4.0])
BEST = -GRADIENT / 5
MAKERS = {
    "remainder": lambda: figures.remainder(STEPS, CHANGE, LINE, at=1),
    "no gap": lambda: figures.remainder(STEPS, CHANGE, LINE),
    "one ball": lambda: figures.balls(GRADIENT, {"2-norm": ROUND}, {"2-norm": BEST}),
    "three balls": lambda: figures.balls(
        GRADIENT, {"a": ROUND, "b": 2 * ROUND, "c": ROUND / 2}, {"a": BEST, "b": 2 * BEST, "c": BEST / 2}
    ),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_figure_is_the_same_every_time_and_has_its_own_paper(name):
    check_alike(MAKERS[name])


def test_the_gap_is_the_remainder():
    (ax,) = figures.remainder(STEPS, CHANGE, LINE, at=0.52).axes
    (gap,) = [line for line in ax.lines if line.get_color() == style.OTHER]
    np.testing.assert_allclose(gap.get_xydata(), [[0.5, 1], [0.5, 1.25]])
    assert "remainder" in [text.get_text() for text in ax.texts]
    assert not figures.remainder(STEPS, CHANGE, LINE).axes[0].texts


def test_the_level_line_touches_the_ball_at_the_step():
    (ax,) = figures.balls(GRADIENT, {"2-norm": ROUND}, {"2-norm": BEST}).axes
    (level,) = [line.get_xydata() for line in ax.lines if line.get_color() == style.PLAIN]
    np.testing.assert_allclose(level @ GRADIENT, [BEST @ GRADIENT] * 2)
    (shade,) = [
        patch for patch in ax.patches if np.allclose(patch.get_facecolor()[:3], [227 / 255, 239 / 255, 233 / 255])
    ]
    assert (shade.get_xy() @ GRADIENT <= 1e-9).all(), "the shaded half plane does not go up"
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None)]
    np.testing.assert_allclose([arrow.xy for arrow in arrows], [1.25 * GRADIENT / 5, BEST])
    assert ax.get_title(loc="left") == "2-norm: −5"


def test_an_odd_ball_leaves_its_neighbour_empty():
    axes = MAKERS["three balls"]().axes
    assert [ax.axison for ax in axes] == [True, True, True, False]
    assert len({ax.get_xlim() for ax in axes[:3]}) == 1, "all balls are drawn at one scale"


def test_tensors_will_do():
    given = {"2-norm": torch.tensor(ROUND)}, {"2-norm": torch.tensor(BEST)}
    assert figures.balls(torch.tensor(GRADIENT), *given).png() == MAKERS["one ball"]().png()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: figures.remainder(STEPS, CHANGE[:3], LINE), r"change must have shape \(n = 21,\)"),
        (lambda: figures.balls([0, 0], {"a": ROUND}, {"a": BEST}), "gradient is 0"),
        (lambda: figures.balls(GRADIENT, {"a": ROUND}, {"b": BEST}), "steps belong to b"),
        (lambda: figures.balls(GRADIENT, {"a": ROUND.T}, {"a": BEST}), "must have shape"),
        (lambda: figures.balls([1, 2, 3], {"a": ROUND}, {"a": BEST}), "gradient must have shape"),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
