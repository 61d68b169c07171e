"""The comparison that makes the chapters' outputs tests must itself be able to fail."""

import base64
import html
import io
import json
import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from compare_outputs import (
    differences,
    live_difference,
    numbers_agree,
    picture_difference,
    save_pictures,
    text_difference,
)


def png(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def drawn(scale=1.0):
    figure = Figure(figsize=(4, 3))
    x = np.linspace(0, 6, 200)
    axes = figure.subplots()
    axes.plot(x, scale * np.sin(x))
    axes.set_ylim(-1.5, 1.5)
    buffer = io.BytesIO()
    figure.savefig(buffer)
    return base64.b64encode(buffer.getvalue()).decode()


def gallery(wrong=False):
    """350 thumbnails of 32 pixels, noise around grey; one of them 12 grey levels lighter where wrong."""
    pixels = np.random.default_rng(0).integers(100, 140, (14 * 32, 25 * 32, 3)).astype(np.uint8)
    if wrong:
        pixels[64:96, 160:192] += 12
    return png(pixels)


def test_an_unchanged_figure_passes():
    assert picture_difference(drawn(), drawn()) is None


def test_a_figure_scaled_by_a_tenth_fails():
    assert "pixels differ" in picture_difference(drawn(), drawn(1.1))


def test_one_wrong_thumbnail_fails_though_the_whole_passes():
    message = picture_difference(gallery(), gallery(wrong=True))
    assert "12.0 of 255 in the tile at x = 160, y = 64" in message
    assert picture_difference(gallery(), gallery(wrong=True), tile=10_000) is None


def test_a_change_in_a_partial_tile_at_the_edge_fails():
    pixels = np.full((100, 300, 3), 200, np.uint8)
    changed = pixels.copy()
    changed[98:, 296:] -= 30
    assert "x = 288, y = 96" in picture_difference(png(pixels), png(changed))


def test_differences_within_the_tolerance_pass():
    pixels = np.full((64, 64, 3), 100, np.uint8)
    assert picture_difference(png(pixels), png(pixels + np.uint8(2))) is None
    assert picture_difference(png(pixels), png(pixels + np.uint8(3))) is not None


def test_another_size_fails():
    assert "was 20 × 10 pixels and is 21 × 10" in picture_difference(
        png(np.zeros((10, 20, 3), np.uint8)), png(np.zeros((10, 21, 3), np.uint8))
    )


def test_opacity_counts_and_hidden_colours_do_not():
    clear, hidden = np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 4), np.uint8)
    hidden[..., :3] = 255
    solid = np.zeros((8, 8, 4), np.uint8)
    solid[..., 3] = 255
    assert picture_difference(png(clear), png(hidden)) is None
    assert picture_difference(png(clear), png(solid)) is not None


@pytest.mark.parametrize(
    ("stored", "now", "agree"),
    [
        ("0.123", "0.124", True),
        ("0.123", "0.125", False),
        ("0.999", "1.000", True),
        ("9.99", "10.0", True),
        ("-0.00", "0.00", True),
        ("-0.01", "0.01", False),
        ("1.2e-05", "1.3e-05", True),
        ("1.2e-05", "1.4e-05", False),
        ("1.2e-05", "1.2e-06", False),
        ("3e-06", "4e-06", True),
        ("0.1", "0.101", True),
        ("0.1", "0.2", True),
        ("0.1", "0.15", False),
        ("296", "297", False),
        ("296", "296", True),
        ("1", "1.01", True),
        ("−0.5", "-0.5", True),
    ],
)
def test_numbers_agree_to_one_unit_in_the_last_digit(stored, now, agree):
    assert numbers_agree(stored, now) is agree
    assert numbers_agree(now, stored) is agree


@pytest.mark.parametrize(
    ("stored", "now", "agree"),
    [
        ("σ = 21.95, gap 0.06", "σ = 21.94, gap 0.07", True),
        ("σ = 21.95, gap 0.06", "σ = 21.94, gap 0.09", False),
        ("nose 0.50", "ears 0.50", False),
        ("[ 0.00 -0.01]", "[-0.00 -0.01]", True),
        ("a  9.99\nb  1.00", "a 10.00\nb  1.00", True),
        ("a 1.0\nb 2.0", "a 1.0 b 2.0", False),
        ("66 % of the length", "67 % of the length", True),
        ("66 % of the length", "68 % of the length", False),
        ("66 products", "67 products", False),
        ("1.0 2.0", "1.0 2.0 3.0", False),
        ("version 1.2.3", "version 1.2.4", False),
        ("mid_block2 1.0", "mid_block3 1.0", False),
        ("sum 1.00.", "sum 1.01.", True),
        ("nan", "0.0", False),
    ],
)
def test_text_agrees_where_words_and_numbers_do(stored, now, agree):
    assert (text_difference(stored, now) is None) is agree


def text(content):
    return {"output_type": "stream", "name": "stdout", "text": content}


def figure(content):
    return {"output_type": "display_data", "metadata": {}, "data": {"image/png": content, "text/plain": "<Figure>"}}


def test_outputs_that_agree_give_no_difference():
    assert differences([text("0.123"), figure(drawn())], [figure(drawn()), text("0.124")]) == []


def test_a_changed_figure_is_reported_with_both_pictures():
    a, b = drawn(), drawn(1.1)
    [(message, stored, now)] = differences([figure(a)], [figure(b)])
    assert message.startswith("image/png: the pixels differ") and (stored, now) == (a, b)


@pytest.mark.parametrize("now", [[], [text("1.0"), figure(drawn())], [figure(drawn()), figure(drawn())]])
def test_missing_and_additional_outputs_are_reported(now):
    assert differences([figure(drawn())], now)


def test_random_ids_of_widgets_are_not_compared():
    view = "application/vnd.jupyter.widget-view+json"
    outputs = [{"output_type": "display_data", "metadata": {}, "data": {view: {"model_id": i}}} for i in "ab"]
    assert differences(outputs[:1], outputs[1:]) == []


def live(state, said="A cat & its nose: 0.123", name="unet"):
    escaped = html.escape(json.dumps(state))
    return f'<div class="hspace-live" data-widget="{name}" data-state="{escaped}"><p>{html.escape(said)}</p></div>'


STATE = {"title": 'a "cat" <b>', "rows": [[1, 0.5], [2, -1.25]], "seen": "data:image/png;base64," + drawn()}


def test_live_figures_may_round_otherwise():
    rounded = STATE | {"rows": [[1, 0.5003], [2, -1.252]], "seen": "data:image/png;base64," + drawn(1.0001)}
    assert live_difference(live(STATE), live(rounded, said="A cat & its nose: 0.124")) is None
    outputs = [
        {"output_type": "execute_result", "metadata": {}, "data": {"text/html": live(s)}} for s in (STATE, rounded)
    ]
    assert differences(outputs[:1], outputs[1:]) == []


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (live(STATE | {"rows": [[1, 0.5], [2, -1.35]]}), r"state.rows\[1\]\[1\]: -1.25 became -1.35"),
        (live(STATE | {"rows": [[1, 0.5], [3, -1.25]]}), "2 became 3"),
        (live(STATE | {"rows": [[1, 0.5]]}), "state.rows"),
        (live(STATE | {"more": 1}), "state:"),
        (live(STATE | {"title": "a dog"}), "a dog"),
        (live(STATE | {"seen": "data:image/png;base64," + drawn(1.1)}), "state.seen: the pixels differ"),
        (live(STATE, said="A cat & its nose: 0.2"), "0.123 became 0.2"),
        (live(STATE, name="stepper"), "was unet and is stepper"),
    ],
)
def test_changed_live_figures_are_reported(now, message):
    assert re.search(message, live_difference(live(STATE), now))


def test_other_data_is_compared():
    outputs = [{"output_type": "display_data", "metadata": {}, "data": {"application/json": {"n": i}}} for i in (1, 2)]
    assert differences(outputs[:1], outputs[1:])


def test_differing_pictures_are_written_for_looking(tmp_path):
    stored, now, difference = save_pictures(tmp_path / "new", "chapter_cell3", drawn(), drawn(1.1))
    assert stored.read_bytes() == base64.b64decode(drawn()) and now.read_bytes() == base64.b64decode(drawn(1.1))
    assert np.ptp(np.asarray(Image.open(difference))) > 0
