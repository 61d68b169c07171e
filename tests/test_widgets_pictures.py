"""The live figures with pictures: the cat person's twin in the browser, the map of the network, the strip."""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from browser import FRAMES, chromium, rested
from PIL import Image
from playwright.sync_api import expect
from small_models import conditional_unet, scheduler, transformer, unet

from hspace import widgets
from hspace.cats import render as renderer
from hspace.cats import world
from hspace.cats.render import render
from hspace.cats.world import FACTORS
from hspace.model import DiffusionModel
from hspace.widgets import CatPerson, ImageStrip, UNet

FOLDER = Path(widgets.__file__).parent


def opened(uri):
    """The picture in a data URI as a uint8 array (h, w, 3)."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB"))


# CatPerson


def test_a_cat_person_is_average_and_friendly_unless_told_otherwise():
    person = CatPerson()
    assert list(person.factors) == list(FACTORS)
    assert person.factors["nap"] == 2.75
    assert {person.factors[name] for name in ("puppet", "fright", "horse")} == {0.0}
    assert CatPerson({"puppet": 1}).factors == person.factors | {"puppet": 1.0}


def test_a_whole_row_of_factors_is_taken_as_it_is():
    row = world.sample(1, seed=5)[0]
    assert np.allclose(list(CatPerson(row).factors.values()), row, atol=1e-6)


@pytest.mark.parametrize("change", [{"nose": 0.3}, {"ear": 1.9}, {"nose": 2.0, "ear": 0.0}])
def test_locked_nap_and_luck_follow_the_law(change):
    person = CatPerson(change, locked=True)
    nose, ear = person.factors["nose"], person.factors["ear"]
    expected = world.law(torch.tensor([nose]), torch.tensor([ear]), torch.zeros(1, 2))
    assert person.factors["nap"] == pytest.approx(expected["nap"].item(), abs=1e-5)
    assert person.factors["luck"] == pytest.approx(expected["luck"].item(), abs=1e-5)
    person.factors = person.factors | {"nose": 0.5, "nap": 9.0}
    assert person.factors["nap"] == pytest.approx(1 + 0.75 * person.factors["ear"], abs=1e-5)


def test_locking_later_makes_the_law_hold():
    person = CatPerson({"nose": 2.0, "nap": 0.0})
    person.locked = True
    assert person.factors["nap"] == pytest.approx(4.75)


def test_a_slider_reaches_the_value_it_starts_from():
    low, high = ((s["low"], s["high"]) for s in CatPerson({"nose": -0.33, "ear": 5.01}).sliders[:2])
    assert low == (-0.35, 2.0)
    assert high == (0.0, 5.05)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dict(factors={"tail": 1}), "no factor is called 'tail'"),
        (dict(factors={"nose": float("nan")}), "NaN"),
        (dict(factors=[1, 2, 3]), "shape"),
        (dict(controls=("nose", "tail")), "no factor is called 'tail'"),
        (dict(controls=("nose", "nose")), "twice"),
        (dict(factors={"nap": 1}, locked=True), "leave that out"),
    ],
)
def test_a_cat_person_that_cannot_be_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        CatPerson(**wrong)


def test_the_description_says_the_numbers_of_the_law():
    said = CatPerson({"nose": 2}, locked=True).describe()
    assert "nap = 2 · 2 + 0.75 · 1 = 4.75" in said
    assert "luck = −0.5 · 2 + 1.5 · 1 = 0.5" in said


def test_the_twin_has_the_renderers_colours():
    text = (FOLDER / "cat_person.mjs").read_text(encoding="utf-8")
    names = [name for name in vars(renderer) if name.isupper() and name != "FACTORS"]
    assert len(names) == 14
    for name in names:
        (found,) = re.findall(rf"\b{name} = (\[.*?\])(?:;|, [A-Z]+ =)", text, flags=re.DOTALL)
        assert np.allclose(json.loads(re.sub(r",\s*\]", "]", found)), getattr(renderer, name)), name


# UNet


def small(network=None, **options):
    return DiffusionModel(unet() if network is None else network, scheduler().alphas_cumprod, "v_prediction", **options)


@pytest.fixture(scope="module")
def model():
    return small(unet(size=32, block_out_channels=(8, 16, 16), down_block_types=("DownBlock2D",) * 3,
                      up_block_types=("UpBlock2D",) * 3))  # fmt: skip


@pytest.fixture(scope="module")
def states(model):
    return model.noise([0, 1])


def test_the_map_has_the_networks_own_blocks(model, states):
    blocks = UNet(model, states, 300).blocks
    down, up = ([f"{way}_blocks.{i}" for i in range(3)] for way in ("down", "up"))
    assert [block["name"] for block in blocks[1:-1]] == ["conv_in", *down, "mid_block", *up, "conv_out"]
    for block in blocks[1:-1]:
        assert block["shape"] == list(model.h(states, 300, layer=block["name"]).shape[1:]), block["name"]
    assert [block["row"] for block in blocks] == [0, 1, 2, 3, 4, 5, 4, 3, 2, 1, 0]
    assert [block["name"] for block in blocks if block["bottleneck"]] == ["mid_block"]


def test_skip_connections_bring_the_channels_that_the_way_up_expects(model, states):
    drawn = UNet(model, states, 300)
    for i, up in enumerate(model.network.up_blocks):
        here = next(n for n, block in enumerate(drawn.blocks) if block["name"] == f"up_blocks.{i}")
        channels = drawn.blocks[here - 1]["shape"][0]
        links = [link for link in drawn.links if link["end"] == here]
        assert len(links) == len(up.resnets)
        for resnet, link in zip(up.resnets, links, strict=True):
            assert resnet.norm1.num_channels == channels + link["shape"][0]
            channels = resnet.conv1.out_channels
        assert all(drawn.blocks[link["start"]]["side"] == "left" for link in links)
    assert sum(link["end"] > 0 for link in drawn.links) == len(drawn.links) == 9 - 3


def test_a_block_shows_its_liveliest_channels(model, states):
    drawn = UNet(model, states, 300)
    h = model.h(states, 300).numpy()
    block = next(block for block in drawn.blocks if block["bottleneck"])
    expected = np.argsort(-h.std(axis=(0, 2, 3)))[:4]
    assert block["channels"] == expected.tolist()
    sheet = opened(drawn.pictures[drawn.blocks.index(block)]).astype(int)
    size = h.shape[-1]
    assert sheet.shape == (2 * size, 4 * size, 3)
    for row in range(2):
        for column, channel in enumerate(expected):
            cell = sheet[row * size : (row + 1) * size, column * size : (column + 1) * size]
            warm = cell[..., 0] - cell[..., 2]  # brown above the mean, violet below
            assert np.corrcoef(warm.ravel(), h[row, channel].ravel())[0, 1] > 0.8


def test_the_end_of_the_map_is_the_picture_that_is_expected(model, states):
    drawn = UNet(model, states, 300)
    expected = model.predict(states, 300).clamp(-1, 1)
    sheet = torch.tensor(opened(drawn.pictures[-1])).permute(2, 0, 1) / 127.5 - 1
    assert (sheet - expected.permute(1, 0, 2, 3).flatten(1, 2)).abs().max() < 0.05


def test_the_network_is_left_as_it_was(model, states):
    before = model.predict(states, 300)
    UNet(model, states, 300)
    assert not any(module._forward_hooks for module in model.network.modules())
    assert torch.equal(model.predict(states, 300), before)


def test_the_map_stays_small(model):
    big = unet(size=64, block_out_channels=(8, 8, 16), layers_per_block=2, down_block_types=("DownBlock2D",) * 3,
               up_block_types=("UpBlock2D",) * 3)  # fmt: skip
    big = small(big)
    drawn = UNet(big, big.noise(range(4)), 999)
    assert len(json.dumps(drawn.state())) < 250_000
    assert UNet(big, big.noise(range(4)), 999).state() == drawn.state()


def test_h_may_be_somewhere_else_and_pictures_may_be_latents():
    other = small(conditional_unet(), layer="down_blocks.1").with_conditioning(
        encoder_hidden_states=torch.zeros(1, 3, 12)
    )
    drawn = UNet(other, other.noise(0), 10)
    assert [block["name"] for block in drawn.blocks if block["bottleneck"]] == ["down_blocks.1"]
    assert len(drawn.blocks[0]["channels"]) == 4
    assert "one picture" in drawn.describe()


def test_what_is_no_u_is_refused(model):
    with pytest.raises(ValueError, match="only a U-Net"):
        no_u = DiffusionModel(transformer(), scheduler().alphas_cumprod, "epsilon")
        UNet(no_u, no_u.noise(0), 10)
    with pytest.raises(ValueError, match="4 pictures at most"):
        UNet(model, model.noise(range(5)), 10)
    with pytest.raises(ValueError, match="chosen=99"):
        UNet(model, model.noise(0), 10).chosen = 99


# ImageStrip


def walk(k=5, side=32, rows=None):
    people = world.MEAN.repeat(k, 1)
    people[:, 0] = torch.linspace(0, 2, k)
    strip = torch.nn.functional.interpolate(render(people, 64), side, mode="area")
    return strip if rows is None else torch.stack([strip, strip.flip(0)])


@pytest.mark.parametrize("side", [32, 20])
def test_a_sprite_holds_the_pictures_without_their_neighbours(side):
    pictures = walk(side=side)
    pictures[1], pictures[2] = -1, 1  # black beside white
    strip = ImageStrip(pictures, range(5))
    sheet = opened(strip.sprites[0]).astype(float) / 127.5 - 1
    assert (strip.side, strip.cell % 8) == (side, 0)
    for i, picture in enumerate(pictures):
        cell = sheet[:side, i * strip.cell : i * strip.cell + side]
        off = cell - picture.permute(1, 2, 0).numpy()
        assert np.sqrt((off**2).mean()) < 0.08
        assert i not in (1, 2) or abs(off).max() < 0.03


def test_rows_have_a_sprite_each_and_the_walk_starts_in_the_middle():
    strip = ImageStrip(walk(rows=2), [-2, -1, 0, 1, 2], title="noses", rows=["up", "down"])
    assert strip.labels == ["−2", "−1", "0", "+1", "+2"]
    assert (len(strip.sprites), strip.at) == (2, 2)
    assert strip.describe().startswith("noses: a strip of 5 pictures, from −2 to +2, here at 0. One strip each for up")
    assert ImageStrip(walk(4), "abcd").at == 0
    assert ImageStrip(walk(rows=2), range(5), rows=["up", "down"]).sprites == strip.sprites


def test_large_pictures_are_made_smaller():
    strip = ImageStrip(torch.rand(2, 3, 300, 300), ["a", "b"])
    assert strip.side == strip.cell == 256


@pytest.mark.parametrize(
    ("pictures", "labels", "rows", "said"),
    [
        (torch.zeros(3, 32, 32), "abc", None, "must have shape"),
        (torch.zeros(2, 3, 32, 16), "ab", None, "shape"),
        (torch.zeros(1, 3, 32, 32), "a", None, "at least 2"),
        (torch.full((2, 3, 8, 8), float("nan")), "ab", None, "NaN"),
        (torch.zeros(2, 3, 8, 8), "abc", None, "3 labels for 2"),
        (torch.zeros(2, 2, 3, 8, 8), "ab", None, "name them"),
        (torch.zeros(2, 2, 3, 8, 8), "ab", ["one"], "1 labels for 2"),
    ],
)
def test_a_strip_that_cannot_be_is_refused(pictures, labels, rows, said):
    with pytest.raises(ValueError, match=said):
        ImageStrip(pictures, list(labels), rows=rows)


def test_a_place_outside_the_strip_is_refused():
    strip = ImageStrip(walk(), range(5))
    with pytest.raises(ValueError, match="at=5"):
        strip.at = 5


# In the browser


PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>figures</title><script>FRAMES</script>
<link rel="stylesheet" href="widgets.css"><body><main></main><script type="module">
class Model {
  constructor(state) { this.state = state; this.calls = {}; this.saved = 0; }
  get(name) { return this.state[name]; }
  set(name, value) {
    const same = JSON.stringify(this.state[name]) === JSON.stringify(value);
    this.state[name] = value;
    if (!same) for (const call of this.calls["change:" + name] ?? []) call();
  }
  on(event, call) { (this.calls[event] ??= []).push(call); }
  off(event, call) { this.calls[event] = (this.calls[event] ?? []).filter((other) => other !== call); }
  save_changes() { this.saved += 1; }
}
window.show = async (name, state) => {
  window.clean?.();
  const main = document.querySelector("main");
  window.model = new Model(state);
  window.clean = (await import(`./${name}.mjs`)).default.render({ model: window.model, el: main });
};
window.drawn = async (factors, size) => {
  window.model.set("factors", factors);
  const svg = document.querySelector("svg.hs-person").cloneNode(true);
  svg.querySelector(".hs-pulls").remove();
  svg.setAttribute("width", size);
  svg.setAttribute("height", size);
  const image = new Image(size, size);
  image.src = "data:image/svg+xml," + encodeURIComponent(new XMLSerializer().serializeToString(svg));
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size;
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL();
};
window.ready = true;
</script></body></html>"""


@pytest.fixture(scope="module")
def page():
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 900, "height": 900})
        page.route("**/*", answer)
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto("http://figures.test/")
        page.wait_for_function("window.ready", timeout=60_000)
        yield page
        assert page.errors == []


def answer(route):
    """The page and its modules from the package's folder; nothing leaves the machine."""
    name = route.request.url.rpartition("/")[2]
    kinds = {".mjs": "text/javascript", ".css": "text/css"}
    file = FOLDER / (name or "index.html")
    if not name:
        route.fulfill(body=PAGE.replace("FRAMES", FRAMES), content_type="text/html")
    elif file.suffix in kinds and file.is_file():
        route.fulfill(body=file.read_text(encoding="utf-8"), content_type=kinds[file.suffix])
    else:
        route.fulfill(status=404, body="")


def show(page, figure):
    page.evaluate("([name, state]) => show(name, state)", [figure.module, figure.state()])


def state(page, name):
    return rested(page).evaluate("(name) => model.get(name)", name)


PUPPET, HORSE = {"puppet": 1.0}, {"horse": 1.0}
PEOPLE = {
    "average": {},
    "small": dict(nose=0.0, ear=0.0, nap=0.0, luck=-1.0, eye=0.0, fur=0.0, background=0.0, shift=-0.12, tilt=-12.0),
    "large": dict(nose=2.0, ear=2.0, nap=5.5, luck=3.0, eye=1.0, fur=1.0, background=1.0, shift=0.12, tilt=12.0),
    "mixed": dict(nose=2.0, ear=0.2, nap=4.2, luck=-0.7, eye=0.8, fur=0.7, background=0.3, tilt=7.0),
    "puppet": PUPPET,
    "half a puppet": dict(puppet=0.5, fright=0.5, nap=1.0, fur=0.3),
    "frightening": PUPPET | dict(fright=1.0),
    "frightening, smiling": PUPPET | dict(fright=1.0, nap=5.5, eye=1.0, tilt=-9.0),
    "horse": HORSE,
    "half a horse": dict(horse=0.5, nose=1.7, luck=2.0, fur=0.8),
    "horse puppet": HORSE | PUPPET | dict(tilt=5.0),
    "frightening horse": HORSE | PUPPET | dict(fright=1.0, nap=4.0),
    "out of range": dict(nose=-0.4, nap=-0.5, puppet=1.3, horse=-0.2, fur=1.4, eye=-0.1, background=2.0),
}


def test_the_twin_draws_as_the_renderer_does(page):
    show(page, CatPerson(controls=FACTORS))
    off = {}
    for name, factors in PEOPLE.items():
        person = CatPerson(factors).factors
        drawn = opened(rested(page).evaluate("(factors) => drawn(factors, 128)", person)) / 127.5 - 1
        made = render(torch.tensor([list(person.values())], dtype=torch.float64), 128)[0].permute(1, 2, 0).numpy()
        off[name] = float(np.sqrt(((drawn - made) ** 2).mean()))
    assert max(off.values()) < 0.03, off


def test_pulling_the_nose_by_keys_mouse_and_slider(page):
    show(page, CatPerson(locked=True))
    nose = page.get_by_label("nose, how large")
    face = page.locator("svg.hs-person > g").first
    before = rested(face).inner_html()
    nose.focus()
    page.keyboard.press("ArrowRight")
    factors = state(page, "factors")
    assert factors["nose"] == pytest.approx(1.05)
    assert factors["nap"] == pytest.approx(2.85)
    assert rested(face).inner_html() != before
    expect(page.get_by_label("nap, the smile")).to_be_disabled()
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('nap 2.85')")

    box = rested(page.locator(".hs-pull").first).bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert min(box["width"], box["height"]) >= 24
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 30, middle[1], steps=3)
    page.mouse.up()
    assert state(page, "factors")["nose"] > 1.2
    page.get_by_label("The law holds").uncheck()
    expect(page.get_by_label("nap, the smile")).to_be_enabled()
    page.get_by_role("button", name="Reset").click()
    assert state(page, "factors")["nose"] == 1
    assert state(page, "locked") is True


def test_choosing_blocks_of_the_map(page, model, states):
    drawn = UNet(model, states, 300)
    show(page, drawn)
    page.get_by_role("button", name="Down 1").click()
    assert drawn.blocks[state(page, "chosen")]["name"] == "down_blocks.0"
    expect(page.locator(".hs-details")).to_contain_text("down_blocks.0")
    page.keyboard.press("ArrowDown")
    assert drawn.blocks[state(page, "chosen")]["name"] == "down_blocks.1"
    assert rested(page).evaluate("document.activeElement.getAttribute('aria-label')").startswith("Down 2")
    chosen = state(page, "chosen")
    lit = sum(chosen in (link["start"], link["end"]) for link in drawn.links)
    expect(page.locator(".hs-skip.hs-on")).to_have_count(lit)
    page.get_by_role("button", name="Next").click()
    assert drawn.blocks[state(page, "chosen")]["name"] == "down_blocks.2"
    page.get_by_role("button", name="Picture 2").click()
    assert state(page, "picture") == 1


def test_sliding_along_the_strip(page):
    show(page, ImageStrip(walk(rows=2), [-2, -1, 0, 1, 2], title="noses", rows=["up", "down"]))
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert state(page, "at") == 3
    expect(slider).to_have_attribute("aria-valuetext", "+1, picture 4 of 5")
    for _ in range(2):  # by force: at the end the button says that it can do no more
        page.get_by_role("button", name="Next picture").click(force=True)
    assert state(page, "at") == 4
    box = rested(page.locator(".hs-film")).bounding_box()
    page.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    assert state(page, "at") == 0
    page.get_by_label("Which strip").select_option("down")
    assert state(page, "row") == 1
    page.wait_for_function("document.querySelector('[role=status]').textContent.startsWith('down')")


def test_a_title_stays_text_and_cleaning_up_leaves_nothing(page):
    show(page, ImageStrip(walk(), range(5), title='</script><img src=x onerror=alert(1)> "quoted"'))
    expect(page.locator(".hs-title")).to_contain_text("</script><img src=x")
    expect(page.locator("main img")).to_have_count(0)
    page.evaluate("clean()")
    expect(page.locator("main *")).to_have_count(0)
    assert rested(page).evaluate("Object.values(model.calls).flat().length") == 0
