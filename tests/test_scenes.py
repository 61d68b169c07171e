"""The story's pictures: each is drawn, has the size of a scene, is the same every time, and says what it cannot do."""

import io

import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image

from hspace.cats.render import render
from hspace.cats.world import MEAN, column, sample
from hspace.figures.drawing import schedule
from hspace.figures.scenes import SCENES, scene
from hspace.figures.scenes.brush import cat, cutout, drawn, points, smooth
from hspace.figures.scenes.eigenface import components, lit
from hspace.figures.scenes.forest import mapped, seen, wood
from hspace.figures.scenes.puppets import face_point, head_of


@pytest.fixture(scope="module", params=SCENES)
def drawing(request):
    """(name, PNG bytes, the state of the global random generators before and after)."""
    before = torch.get_rng_state(), np.random.get_state()[1].copy(), dict(mpl.rcParams)
    png = scene(request.param).png()
    after = torch.get_rng_state(), np.random.get_state()[1].copy(), dict(mpl.rcParams)
    return request.param, png, before, after


def test_a_scene_has_its_size_and_many_colours(drawing):
    _, png, _, _ = drawing
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    assert picture.size == (1280, 800)
    assert len(np.unique(np.asarray(picture).reshape(-1, 3), axis=0)) > 40
    assert len(png) < 500_000


def test_a_scene_is_the_same_every_time(drawing):
    name, png, _, _ = drawing
    assert scene(name).png() == png


def test_a_scene_leaves_the_global_state_alone(drawing):
    _, _, before, after = drawing
    assert torch.equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])
    assert before[2] == after[2]


def test_no_scene_of_that_name():
    with pytest.raises(ValueError, match=r"no scene 'clinc'; there are clinic, forest, eigenface, puppets, friends, "):
        scene("clinc")


def test_a_cutout_before_its_own_wall_is_the_picture():
    person = cat(puppet=1.0, tilt=5, nap=3, fur=0.4, background=0.35)
    whole = drawn(person, 96)[0]
    head = cutout(person, 96)
    wall = whole[:, :1]
    assert np.allclose(head[..., 3:] * head[..., :3] + (1 - head[..., 3:]) * wall, whole, atol=2e-3)


def test_a_puppets_head_has_no_strings_of_its_own():
    person = cat(puppet=1.0, ear=0.4)
    assert cutout(person, 96)[:8, :, 3].max() > 0.5
    assert head_of(person, 96)[:8, :, 3].max() < 0.01


def test_the_friends_differ_from_the_puppets_in_their_strings_only():
    """Between bars and hands the taut strings are gone; faces, bodies and the street are the same."""
    pictures = [Image.open(io.BytesIO(scene(name).png())).convert("RGB") for name in ("puppets", "friends")]
    taut, loose = (np.asarray(picture).astype(int) for picture in pictures)
    rows, columns = np.nonzero((abs(taut - loose) > 40).any(axis=2))  # beyond the rounding of a palette
    assert 4000 < len(rows) < 0.015 * taut[..., 0].size
    assert rows.min() > 110 and rows.max() < 600 and columns.min() > 300 and columns.max() < 970


def test_a_cat_is_the_mean_but_for_what_is_said():
    person = cat(nose=1.9)
    assert person[0, column("nose")] == pytest.approx(1.9)
    assert person[0, column("ear")] == MEAN[column("ear")]
    assert person[0, column("puppet")] == 0
    with pytest.raises(ValueError, match="no factor is called"):
        cat(whiskers=3)


@pytest.mark.parametrize("closed", [True, False])
def test_a_smooth_path_passes_through_its_corners(closed):
    corners = points("0,0 10,2 14,9 3,12")
    path = smooth(corners, closed)
    ends = path.vertices[::3]
    assert np.allclose(ends[: len(corners)], corners)
    assert np.allclose(ends[-1], corners[0] if closed else corners[-1])


def test_the_map_is_affine_and_the_view_is_not():
    one, other = np.array([0.2, 0.1]), np.array([0.7, 0.9])
    middle = (one + other) / 2
    for image, straight in ((mapped, True), (seen, False)):
        halfway = (np.array(image(*one)) + np.array(image(*other))) / 2
        assert np.allclose(image(*middle), halfway) == straight


def test_no_tree_stands_on_the_path_or_in_another():
    path = np.array([[0.5, -0.1], [0.5, 1.0]])
    trees = np.array(wood(path, count=60))
    assert (np.abs(trees[:, 0] - 0.5) > 0.11).all()
    apart = np.linalg.norm(trees[:, None, :2] - trees[None, :, :2], axis=-1) + np.eye(60)
    assert apart.min() > 0.0015**0.5
    assert (np.diff(trees[:, 1]) <= 0).all()  # far ones are painted first


def test_the_eigenfaces_are_principal_components():
    faces = components(count=40, size=32)
    people = sample(40, seed=0)
    people[:, column("horse")], people[:, column("background")] = 0, 0.5
    people[:, column("shift")] *= 0.35
    people[:, column("tilt")] *= 0.5
    grey = render(people, 32).mean(dim=1).flatten(1).double()
    wanted = torch.linalg.svd(grey - grey.mean(dim=0), full_matrices=False).Vh[:12].numpy()
    found = faces.reshape(12, -1) / np.linalg.norm(faces.reshape(12, -1), axis=1, keepdims=True)
    assert np.allclose(np.abs(found @ wanted.T), np.eye(12), atol=1e-4)
    assert np.allclose(np.abs(faces).max(axis=(1, 2)), 1)


def test_light_is_opaque_where_the_component_is_strong():
    face = np.zeros((33, 33))
    face[16, 16] = 1.0
    light = lit(face, 1.0)
    assert light.shape == (33, 33, 4)
    assert light[16, 16, 3] == pytest.approx(1.0)
    assert light[..., 3].sum() == pytest.approx(1.0)


@pytest.mark.parametrize("tilt", [0, -25, 40])
def test_face_coordinates_are_the_renderers(tilt):
    """The nose is where the renderer draws it: at (0, 0.235) of the face."""
    person = cat(nose=1.6, tilt=tilt)
    rose = np.abs(drawn(person, 256)[0] - (0.86, 0.36, 0.42)).max(axis=-1) < 0.02
    down, right = (place.mean() + 0.5 for place in rose.nonzero())
    assert face_point(person, 128, 128, 256, 0, 0.235) == pytest.approx((right, down), abs=1)


def test_the_schedule_draws_both_factors():
    alphas = np.linspace(0.99, 0.01, 50)
    ax = schedule(alphas, at=[0, 49]).axes[0]
    picture, noise = (curve.get_ydata() for curve in ax.get_lines())
    assert np.allclose(picture, np.sqrt(alphas))
    assert np.allclose(picture**2 + noise**2, 1)
    assert ax.get_xlim()[0] > ax.get_xlim()[1]  # noise on the left


@pytest.mark.parametrize(
    ("alphas", "at", "says"),
    [
        ([0.5, 1.2], [], "shares lie between 0 and 1"),
        ([0.9, 0.1], [2], "no timesteps of this schedule"),
        ([[0.9]], [], "alphas_cumprod must have shape"),
    ],
)
def test_the_schedule_refuses(alphas, at, says):
    with pytest.raises(ValueError, match=says):
        schedule(alphas, at)
