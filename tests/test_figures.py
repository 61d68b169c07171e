"""Figures: what is drawn is what was given, the PNG is the same every time, and nothing leaks into matplotlib."""

import base64
import io
import os
from itertools import pairwise
from pathlib import Path

import matplotlib as mpl
import nbformat
import numpy as np
import pytest
from contrast import contrast
from figure_checks import settings, told
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import same_color
from nbclient import NotebookClient
from PIL import Image

import hspace
from hspace import figures
from hspace.figures import style
from hspace.figures.training import running_median

FACTORS = ("nose", "ear", "nap", "luck", "puppet")
F, K = len(FACTORS), 12


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


PICTURES = np.tanh(random(5, 3, 64, 64))
STRIPS = np.tanh(random(4, 3, 3, 16, 16))
SIGMA = np.exp(-np.arange(20) / 5.0)
FOUND = SIGMA[:K] * (1 + 1e-4 * np.linspace(0.1, 1, K))
RESIDUALS = np.geomspace(1e-6, 1e-3, K)
CHANGE = random(F, K)
HALF = np.abs(random(F, K, seed=1))
CONTROL = random(3, F, 8, seed=2)
LOSS = np.exp(random(300)) / np.arange(1, 301)
W, FITTED = np.array([[2.0, 0.75], [-0.5, 1.5]]), np.array([[2.1, 0.7], [-0.45, 1.52]])
HALF_WIDTH = np.array([[0.02, 0.04], [0.03, 0.05]])
GONE = [float("nan")] * 3
WAYS = {"success": [[0.5, 0.3, 0.7], [1, 0.9, 1], GONE], "cost": [[4, *GONE[:2]], [1, 0.8, 1.5], GONE]}
ASKED = {"success": (0.8, "least"), "cost": (2.0, "most")}

MAKERS = {
    "sheet": lambda: figures.sheet(PICTURES, columns=3, titles="abcde"),
    "strips": lambda: figures.strips(STRIPS, rows="abcd", columns=[-1.0, 0.0, 1.0]),
    "compare": lambda: figures.compare(PICTURES, -PICTURES),
    "table": lambda: figures.table(STRIPS, rows="abcd", columns=[0, 8, 16]),
    "gallery": lambda: figures.gallery(STRIPS),
    "spectra": lambda: figures.spectra({900: SIGMA, 500: SIGMA / 2, 100: SIGMA * 1.01}),
    "agreement": lambda: figures.agreement(FOUND, SIGMA, RESIDUALS, 1e-3),
    "change_heatmap": lambda: figures.change_heatmap(CHANGE, FACTORS, CHANGE - HALF, CHANGE + HALF, control=CONTROL),
    "change_bars": lambda: figures.change_bars(CHANGE[:, 0], CHANGE[:, 1], CHANGE[:, 2], FACTORS, CONTROL),
    "schedule": lambda: figures.schedule(np.linspace(0.99, 0.01, 50), at=[0, 49]),
    "loss_curve": lambda: figures.loss_curve(LOSS, starts={100: "run 2", 180: "3"}),
    "histograms": lambda: figures.histograms(random(80, F), random(90, F, seed=1), FACTORS, ks=np.full(F, 0.125)),
    "law": lambda: figures.law(W, FITTED, HALF_WIDTH),
    "changes": lambda: figures.changes(HALF.T, range(K), FACTORS, FACTORS[1:3], best="3"),
    "forest": lambda: figures.forest(["one", "two", "none"], WAYS, ASKED, ["cost"], best="two"),
}


def decoded(figure):
    return np.asarray(Image.open(io.BytesIO(figure.png())).convert("RGB")).astype(int)


def solid(colours, side):
    """Pictures (n, 3, side, side) of one colour each, as uint8."""
    return np.broadcast_to(np.array(colours, np.uint8)[:, :, None, None], (len(colours), 3, side, side))


def box(image, colour):
    """Left, top, width and height of a colour in a picture, every pixel of which must have it."""
    y, x = np.nonzero((image == colour).all(axis=-1))
    size = x.max() - x.min() + 1, y.max() - y.min() + 1
    assert len(x) == size[0] * size[1], f"{colour} is no rectangle"
    return x.min(), y.min(), *size


@pytest.mark.parametrize("name", MAKERS)
def test_a_figure_is_the_same_every_time_and_leaves_nothing_behind(name):
    before = settings()
    figure = MAKERS[name]()
    png = figure.png()
    assert isinstance(figure, mpl.figure.Figure)
    assert figure._repr_png_() == png
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "savefig.bbox": "tight", "savefig.dpi": 30}):
        assert MAKERS[name]().png() == png, "a notebook's own settings change the figure"
    image = Image.open(io.BytesIO(png))
    assert image.size == tuple(round(inches * figure.dpi) for inches in figure.get_size_inches())
    assert not image.info, "the file holds more than the picture"
    assert image.convert("RGB").getpixel((0, 0)) == (255, 253, 248)
    assert settings() == before
    assert mpl._pylab_helpers.Gcf.get_num_fig_managers() == 0


def test_every_name_that_is_offered_is_tested():
    # these have test files of their own
    files = (
        "bent",
        "chains",
        "descent",
        "eigen",
        "geometry",
        "linear",
        "metric",
        "minds",
        "scenes",
        "svd",
    )
    others = {f"hspace.figures.{name}" for name in files}
    elsewhere = {name for name in figures.__all__ if getattr(getattr(figures, name), "__module__", "") in others}
    assert set(MAKERS) == set(figures.__all__) - {"RED", "BLUE", "Figure"} - elsewhere


@pytest.mark.parametrize(
    "colours, least",
    [
        (("INK", "MUTED", "RED", "BLUE", "PLAIN", "OTHER", "MORE", "LESS"), 4.5),
        ([style.ORDERED(x) for x in np.linspace(0, 1, 9)], 3),
    ],
)
def test_colours_stand_out_from_the_paper(colours, least):
    for colour in colours:
        value = getattr(style, colour) if isinstance(colour, str) else colour
        assert contrast(style.PAPER, value) >= least, colour


def test_a_sheet_shows_every_pixel_as_a_square():
    image = decoded(figures.sheet(PICTURES, columns=3))
    wanted = np.round((PICTURES + 1) * 127.5).astype(int).transpose(0, 2, 3, 1).repeat(2, axis=1).repeat(2, axis=2)
    gap, margin = 2 * 4, 2 * 8
    for i, picture in enumerate(wanted):
        y, x = margin + i // 3 * (128 + gap), margin + i % 3 * (128 + gap)
        np.testing.assert_array_equal(image[y : y + 128, x : x + 128], picture)


def test_pictures_beyond_the_range_are_held_and_large_ones_fit_the_cell():
    image = decoded(figures.sheet(np.full((1, 3, 256, 256), 7.0), cell=64))
    assert box(image, (255, 255, 255))[2:] == (128, 128)


def test_strips_stand_in_order_with_their_labels():
    colours = [[(40 * r, 60 * f, 8) for f in range(3)] for r in range(4)]
    figure = figures.strips(np.stack([solid(row, 32) for row in colours]), rows="abcd", columns=[-8.0, 0, 2.5])
    image = decoded(figure)
    boxes = np.array([[box(image, colour) for colour in row] for row in colours])
    assert (boxes[:, :, 2:] == 128).all()
    assert (np.diff(boxes[:, :, 0], axis=1) > 128).all() and (np.ptp(boxes[:, :, 0], axis=0) == 0).all()
    assert (np.diff(boxes[:, :, 1], axis=0) > 128).all() and (np.ptp(boxes[:, :, 1], axis=1) == 0).all()
    assert told(figure) == [*"abcd", "−8", "0", "+2.5"]
    (frame,) = [patch for patch in figure.axes[0].patches]
    left, top, width, height = frame.get_bbox().bounds
    assert left < boxes[0, 1, 0] and left + width > boxes[0, 1, 0] + 128, "the frame is not around the middle column"
    assert top < boxes[0, 1, 1] and top + height > boxes[3, 1, 1] + 128


def test_a_comparison_shows_what_became_of_each():
    figure = figures.compare(solid([(8, 0, 0), (16, 0, 0)], 64), solid([(24, 0, 0), (32, 0, 0)], 64), titles=[3, 4])
    image = decoded(figure)
    x, y = np.array([box(image, (8 * i, 0, 0))[:2] for i in (1, 2, 3, 4)]).T
    assert x[0] == x[2] < x[1] == x[3] and y[0] == y[1] < y[2] == y[3]
    assert told(figure) == ["before", "after", "3", "4"]


def test_titles_of_two_lines_have_room_for_both():
    before, after = solid([(8, 0, 0), (16, 0, 0)], 64), solid([(24, 0, 0), (32, 0, 0)], 64)
    for titles, lines in ((["least\n3", "4"], 2), (["3", "4"], 1)):
        figure = figures.compare(before, after, titles=titles)
        figure.canvas.draw()
        high = [text.get_window_extent().y1 for text in figure.axes[0].texts[2:]]
        top = figure.bbox.height - max(high)
        assert 0 < top < 30, f"{lines} lines end {top} dots below the edge"


def test_the_gallery_runs_down_its_columns_with_a_number_at_each_strip():
    colours = [[(40 * k, 80 * f, 8) for f in range(3)] for k in range(5)]
    figure = figures.gallery(np.stack([solid(row, 48) for row in colours]), numbers=[2, 3, 5, 7, 11])
    image = decoded(figure)
    boxes = np.array([[box(image, colour) for colour in row] for row in colours])
    assert (boxes[:, :, 2:] == 48).all()
    first, y = boxes[:, 0, 0], boxes[:, 0, 1]
    assert first[0] == first[1] == first[2] < boxes[0, 2, 0] < first[3] == first[4]
    assert y[0] == y[3] < y[1] == y[4] < y[2]
    for text, number, strip in zip(figure.axes[0].texts, (2, 3, 5, 7, 11), boxes, strict=True):
        x, y = text.get_position()
        assert text.get_text() == str(number) and x < strip[0, 0] and abs(y - strip[0, 1] - 24) < 2


def test_a_gallery_of_fifty_is_light():
    smooth = np.linspace(-1, 1, 64) * np.linspace(-0.5, 1, 350)[:, None]
    grained = smooth[:, None, :, None] + 0.02 * random(350, 3, 64, 64)
    figure = figures.gallery(grained.reshape(50, 7, 3, 64, 64))
    assert len(figure.png()) < 900_000
    assert told(figure) == [str(k) for k in range(50)]


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=9), st.floats(0.01, 2))
def test_labels_are_moved_apart_and_no_more_than_needed(places, least):
    moved = style.apart(places, least)
    order = np.argsort(places, kind="stable")
    assert (np.diff(moved[order]) > least - 1e-9).all()
    assert np.isclose(moved.sum(), np.sum(places)), "the labels as a whole stay where they are"
    if (np.diff(np.sort(places)) >= least).all():
        np.testing.assert_allclose(moved, places, atol=1e-12)


def test_spectra_draw_what_is_given_and_label_each_line():
    figure = MAKERS["spectra"]()
    (ax,) = figure.axes
    for line, wanted in zip(ax.lines, (SIGMA, SIGMA / 2, SIGMA * 1.01), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), wanted)
        np.testing.assert_array_equal(line.get_xdata(), range(20))
    assert [text.get_text() for text in ax.texts] == ["t = 900", "t = 500", "t = 100"]
    assert [text.get_color() for text in ax.texts] == [line.get_color() for line in ax.lines]
    assert len({str(line._unscaled_dash_pattern) for line in ax.lines}) == 3
    figure.draw_without_rendering()
    boxes = sorted((text.get_window_extent() for text in ax.texts), key=lambda b: b.y0)
    assert all(low.y1 <= high.y0 + 2 for low, high in pairwise(boxes)), "labels overlap"
    assert (
        figures.spectra(np.stack([SIGMA, SIGMA / 2, SIGMA * 1.01]), (900, 500, 100)).png() == MAKERS["spectra"]().png()
    )


def test_no_picture_of_a_table_is_framed():
    framed, plain = figures.strips(STRIPS, columns=[0, 8, 16]), MAKERS["table"]()
    assert len(framed.axes[0].patches) == 1 and not plain.axes[0].patches
    assert {"a", "b", "c", "d", "0", "8", "16"} <= set(told(plain))
    shown = plain.axes[0].images[0].get_array()
    cell = shown[-2 * style.SHARP * 8 - 1, -2 * style.SHARP * 8 - 1]
    assert all(int(c) % 8 == 0 or c == 255 for c in cell), "colours come in steps of 8"


def test_agreement_shows_values_and_errors():
    values, errors = MAKERS["agreement"]().axes
    exact, found = values.lines[:2]
    np.testing.assert_array_equal(exact.get_ydata(), SIGMA[: len(exact.get_ydata())])
    assert len(exact.get_ydata()) > K, "the exact spectrum goes on"
    np.testing.assert_array_equal(found.get_ydata(), FOUND)
    residual, error, tol = errors.lines[:3]
    np.testing.assert_array_equal(residual.get_ydata(), RESIDUALS)
    np.testing.assert_allclose(error.get_ydata(), 1e-4 * np.linspace(0.1, 1, K), rtol=1e-9)
    assert set(tol.get_ydata()) == {1e-3}


def test_errors_of_zero_can_be_drawn():
    figure = figures.agreement(SIGMA[:K], SIGMA, np.zeros(K), 1e-3)
    error, bottom = figure.axes[1].lines[1].get_ydata(), figure.axes[1].get_ylim()[0]
    assert (error >= bottom).all() and figure.png()


def test_the_heat_map_holds_the_matrix():
    low, high = CHANGE - HALF, CHANGE + HALF
    figure = figures.change_heatmap(CHANGE, FACTORS, low, high)
    ax = figure.axes[0]
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array(), CHANGE)
    assert image.norm.vmin == -image.norm.vmax == -np.abs(CHANGE).max()
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(FACTORS)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == [str(j) for j in range(K)]
    dots = {(round(y), round(x)) for x, y in ax.collections[-1].get_offsets()}
    excluded = low * high > 0
    assert dots == set(zip(*(i.tolist() for i in np.nonzero(excluded)), strict=True))
    assert 0 < len(dots) < excluded.size
    assert figures.matrix.UNIT in figure.axes[-1].get_xlabel()


def test_the_heat_map_sets_the_largest_change_against_chance():
    side = MAKERS["change_heatmap"]().axes[1]
    largest, chance = side.lines[:2]
    np.testing.assert_array_equal(largest.get_xdata(), [max(map(abs, row)) for row in CHANGE])
    mean = sum(CONTROL) / len(CONTROL)
    np.testing.assert_allclose(chance.get_xdata(), [np.percentile(np.abs(row), 95) for row in mean])
    assert side.get_xscale() == "log"


def test_bars_have_their_lengths_intervals_and_the_band_of_chance():
    value, low, high = CHANGE[:, 0], CHANGE[:, 0] - 1, CHANGE[:, 0] + 2
    ax = figures.change_bars(value, low, high, FACTORS, CONTROL[0]).axes[0]
    bands, bars = ax.patches[:F], ax.patches[F:]
    np.testing.assert_allclose([bar.get_width() for bar in bars], value)
    assert {bar.get_facecolor() for bar in bars if bar.get_width() > 0} == {mpl.colors.to_rgba(style.MORE)}
    chance = np.percentile(np.abs(CONTROL[0]), 95, axis=1)
    np.testing.assert_allclose([(band.get_x(), band.get_width()) for band in bands], np.stack([-chance, 2 * chance], 1))
    ends = np.array([segment[:, 0] for segment in ax.collections[0].get_segments()])
    np.testing.assert_allclose(ends, np.stack([low, high], axis=1))


def test_the_loss_curve_shows_every_step_and_a_median_that_outliers_do_not_move():
    figure = MAKERS["loss_curve"]()
    raw, median, start, _ = figure.axes[0].lines
    assert set(start.get_xdata()) == {100} and "run 2" in told(figure)
    first, second = (text.get_window_extent() for text in figure.axes[0].texts)
    assert first.x1 < second.x0 and first.y0 > figure.axes[0].get_window_extent().y1
    np.testing.assert_array_equal(raw.get_ydata(), LOSS)
    assert raw.get_xdata()[0] == 1 and median.get_xdata()[-1] == 300
    spiky = np.ones(1000)
    spiky[500::37] = 50
    at, middle = running_median(spiky)
    assert (middle == 1).all() or at[middle != 1].size < 3, "a spike moves the median"
    assert middle[at > 600].max() == 1


def test_histograms_show_shares_and_distances():
    real, drawn = random(400, 2), random(300, 2, seed=1)
    for values, nothing in ((real, 300), (drawn, 270)):  # three of four, nine of ten
        values[:, 1] = np.where(np.arange(len(values)) < nothing, 0, 2 + np.tanh(values[:, 1]))
    figure = figures.histograms(real, drawn, ("fur", "horse"), ks=[0.04, 0.31])
    fur, horse = figure.axes
    for ax, column in ((fur, 0), (horse, 1)):
        for patch, values in zip(ax.patches, (drawn, real), strict=True):
            shares, edges, _ = patch.get_data()
            inside = np.mean((values[:, column] >= edges[5]) & (values[:, column] < edges[12]))
            assert np.isclose(shares[5:12].sum(), inside) and np.isclose(shares.sum(), 1)
    assert [ax.get_title(loc="right") for ax in figure.axes] == ["KS 0.04", "KS 0.31"]
    (told,) = horse.texts
    assert not fur.texts and told.get_text() == "real 75 %\ndrawn 90 %"


def test_the_law_is_laid_out_as_the_matrix():
    figure = MAKERS["law"]()
    places = np.array([ax.get_position().bounds[:2] for ax in figure.axes]).reshape(2, 2, 2)
    assert (places[:, 0, 0] < places[:, 1, 0]).all() and (places[0, :, 1] > places[1, :, 1]).all()
    for (r, c), ax in zip(np.ndindex(2, 2), figure.axes, strict=True):
        truth, point, *caps = ax.lines
        assert set(truth.get_xdata()) == {W[r, c]} and list(point.get_xdata()) == [FITTED[r, c]]
        ends = FITTED[r, c] - HALF_WIDTH[r, c], FITTED[r, c] + HALF_WIDTH[r, c]
        np.testing.assert_allclose([cap.get_xdata()[0] for cap in caps], ends)
        assert same_color(point.get_color(), (figures.RED, figures.BLUE)[c]) and point.get_marker() == "os"[c]
        assert f"{FITTED[r, c]:.2f}".replace("-", "−") in ax.get_title()
    assert {"● nose", "■ ear", "nap", "luck"} <= set(told(figure))


@pytest.mark.parametrize(
    "make",
    [
        lambda: figures.gallery(STRIPS[:1, :1]),
        lambda: figures.strips(STRIPS[:1, :1]),
        lambda: figures.spectra({600: [2.0]}),
        lambda: figures.agreement([2.0], [2.0], [0.0], 1e-3),
        lambda: figures.change_heatmap([[0.0]], ["nose"], [[np.nan]], [[np.nan]], control=[[0.1]]),
        lambda: figures.loss_curve([0.5]),
        lambda: figures.histograms([[1.0]], [[1.0]], ["nose"]),
    ],
)
def test_the_smallest_figure_can_be_drawn(make):
    assert make().png()


def test_tensors_give_the_same_figure_as_arrays():
    import torch

    tensor = torch.tensor(PICTURES, requires_grad=True)
    assert figures.sheet(tensor, columns=3, titles="abcde").png() == MAKERS["sheet"]().png()
    half = torch.ones(4, dtype=torch.bfloat16)
    assert figures.spectra({600: half}).png() == figures.spectra({600: np.ones(4, np.float32)}).png()
    eight = np.round((PICTURES + 1) * 127.5).astype(np.uint8)
    assert figures.sheet(eight, columns=3, titles="abcde").png() == MAKERS["sheet"]().png()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: figures.sheet(PICTURES[0]), r"pictures must have shape \(B.*\), not \(3, 64, 64\)"),
        (lambda: figures.sheet(PICTURES[:, :1]), r"\(B = 5, 3, H = 64, W = 64\), not \(5, 1, 64, 64\)"),
        (lambda: figures.sheet(PICTURES[:0]), "empty"),
        (lambda: figures.sheet(PICTURES * np.nan), "NaN"),
        (lambda: figures.sheet(PICTURES, titles="abc"), "titles: 3 labels for 5"),
        (lambda: figures.strips(STRIPS, rows="ab"), "rows: 2 labels for 4"),
        (lambda: figures.strips(STRIPS, columns=[0.0]), "columns: 1 labels for 3"),
        (lambda: figures.table(STRIPS[0]), "pictures must have shape"),
        (lambda: figures.table(STRIPS, rows="abc"), "rows: 3 labels for 4"),
        (lambda: figures.gallery(STRIPS, numbers=[1]), "numbers: 1 labels for 4"),
        (lambda: figures.compare(PICTURES, PICTURES[:2]), r"after must have shape \(B = 5, .*not \(2, 3, 64, 64\)"),
        (lambda: figures.spectra(np.ones((2, 5))), "timesteps: 0 labels for 2"),
        (lambda: figures.spectra({900: np.ones(5), 100: np.ones(4)}), r"values\[100\] must have shape \(k = 5,\)"),
        (lambda: figures.spectra({900: np.zeros(5)}), "positive"),
        (lambda: figures.agreement(SIGMA, SIGMA[:5], SIGMA, 1e-3), "exact holds 5 singular values"),
        (lambda: figures.agreement(FOUND, SIGMA, SIGMA, 1e-3), r"residuals must have shape \(k = 12,\), not \(20,\)"),
        (lambda: figures.change_heatmap(CHANGE, FACTORS[:2]), "factors: 2 labels for 5"),
        (lambda: figures.change_heatmap(CHANGE, FACTORS, low=CHANGE), "low and high"),
        (lambda: figures.change_heatmap(CHANGE, FACTORS, control=CHANGE[:2]), r"control must have shape \(F = 5, "),
        (lambda: figures.change_bars(CHANGE, CHANGE, CHANGE, FACTORS), r"values must have shape \(F = 5,\)"),
        (lambda: figures.loss_curve(-LOSS), "positive"),
        (lambda: figures.loss_curve(LOSS[None]), r"loss must have shape \(steps"),
        (lambda: figures.histograms(random(9, 3), random(9, 2), "abc"), r"drawn must have shape \(m = 9, F = 3\)"),
        (lambda: figures.law(W[0], FITTED, HALF_WIDTH), r"truth must have shape \(2, 2\), not \(2,\)"),
    ],
)
def test_what_does_not_fit_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_figure_shows_itself_once_with_and_without_the_inline_backend():
    draw = "figures.law([[2, 1], [0, 1]], [[2, 1], [0, 1]], [[1, 1], [1, 1]])"
    alone = f"{draw}.png()\nimport sys\nassert 'matplotlib.pyplot' not in sys.modules\n{draw}"
    cells = [f"from hspace import figures\n{alone}", f"%matplotlib inline\nimport matplotlib.pyplot as plt\n{draw}"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    environment = {**os.environ, "PYTHONPATH": str(Path(hspace.__file__).parents[1])}
    NotebookClient(notebook, timeout=300, kernel_name="python3").execute(env=environment)
    outputs = [cell.outputs for cell in notebook.cells]
    assert [len(each) for each in outputs] == [1, 1]
    here = base64.b64encode(figures.law([[2, 1], [0, 1]], [[2, 1], [0, 1]], np.ones((2, 2))).png()).decode()
    for (output,) in outputs:
        assert output.data["image/png"].strip() == here
        assert output.data["text/plain"] == "<Figure size 1280x600 with 4 Axes>"
        assert output.metadata["image/png"] == {"width": 640, "height": 300}


def test_a_forest_shows_values_intervals_and_the_side_that_is_asked_for():
    success, cost = figures.forest(["one", "two", "none"], WAYS, ASKED, ["cost"], best="two").axes
    dots = [[line.get_xydata()[0].tolist() for line in ax.lines[:2]] for ax in (success, cost)]
    assert dots == [[[0.5, 0], [1, 1]], [[4, 0], [1, 1]]]
    spans = [part.get_segments()[0][:, 0].tolist() for part in success.collections[:2]]
    assert spans == [[0.3, 0.7], [0.9, 1.0]] and (success.get_xscale(), cost.get_xscale()) == ("linear", "log")
    for ax, number, side in ((success, 0.8, 1), (cost, 2.0, 0)):
        shade = ax.patches[0].get_extents().transformed(ax.transData.inverted())
        assert (shade.x0, shade.x1)[1 - side] == pytest.approx(number) and (shade.x0, shade.x1)[side] != number
        assert shade.x0 >= ax.get_xlim()[0] - 1e-9 and shade.x1 <= ax.get_xlim()[1] + 1e-9
    assert [t.get_fontweight() for t in success.get_yticklabels()] == ["normal", "bold", "normal"]


def test_changes_are_written_into_their_cells_and_what_was_wished_for_is_framed():
    figure = figures.changes([[0.04, 1.26], [5, 0]], ["one", "two"], ["nose", "ear"], wished=["ear"], best="two")
    [ax] = figure.axes
    cells = {tuple(text.get_position()): (text.get_text(), text.get_color()) for text in ax.texts}
    light, dark = style.PAPER, style.INK
    assert cells == {(0, 0): ("0.0", dark), (1, 0): ("1.3", dark), (0, 1): ("5.0", light), (1, 1): ("0.0", dark)}
    [frame] = ax.patches
    assert frame.get_x() == pytest.approx(0.52) and frame.get_width() == pytest.approx(0.96)
    assert frame.get_y() < 0 and frame.get_y() + frame.get_height() > 1
    assert [t.get_fontweight() for t in ax.get_yticklabels()] == ["normal", "bold"]


@pytest.mark.parametrize(
    "values, more, message",
    [
        ([[1.0, -0.5]], {}, "not negative: -0.5"),
        ([[1.0, float("nan")]], {}, "not negative: nan"),
        ([[1.0]], {}, "factors: 2 labels for 1"),
        ([[1.0, 2.0]], {"wished": ["luck"]}, "'luck' is not one of nose, ear"),
        ([[1.0, 2.0]], {"best": "two"}, "'two' is not one of one"),
    ],
)
def test_changes_refuse(values, more, message):
    with pytest.raises(ValueError, match=message):
        figures.changes(values, ["one"], ["nose", "ear"], **more)


@pytest.mark.parametrize(
    "names, more, message",
    [
        (["one"], {}, "names: 1 labels for 3"),
        (list("abc"), {"best": "d"}, "'d' is not one of a, b, c"),
        (list("abc"), {"targets": {"speed": (1, "most")}}, "'speed' is not one of success, cost"),
        (list("abc"), {"logarithmic": ["speed"]}, "'speed' is not one of success, cost"),
    ],
)
def test_a_forest_refuses(names, more, message):
    with pytest.raises(ValueError, match=message):
        figures.forest(names, WAYS, **more)


def test_a_forest_refuses_empty_intervals_and_odd_shapes():
    with pytest.raises(ValueError, match="x: an interval is empty"):
        figures.forest(["one"], {"x": [[0.5, 0.7, 0.3]]})
    with pytest.raises(ValueError, match=r"y must have shape \(n = 1, 3\), not \(2, 3\)"):
        figures.forest(["one"], {"x": [[1, 1, 1]], "y": [[1, 1, 1]] * 2})
