"""The gallery: what it shows, that nothing from outside gets out of its text, and that it asks nobody for anything."""

import base64
import io
import shutil

import pytest
import torch
from browser import WIDE, Watch, chromium, judged
from bs4 import BeautifulSoup
from PIL import Image
from small_models import scheduler, unet

from hspace import gallery as module
from hspace.directions import strips
from hspace.gallery import _picture, gallery, row
from hspace.geometry import match
from hspace.model import DiffusionModel
from hspace.treatment import Plan, treat

EVIL = "</td><script src='http://127.0.0.1:9/x.js'></script><img src=x onerror='alert(1)'>\"&"
PROMPT = "a cat & a 'hat' <b>bold</b>"


class Judge:
    """The mean colours of a picture, one of them under a hostile name."""

    factors = ("red", EVIL, "blue")
    std = torch.tensor([0.5, 1.0, 1.0])

    def __call__(self, pictures):
        return pictures.mean(dim=(2, 3))


@pytest.fixture(scope="module")
def model():
    return DiffusionModel(unet(size=8), scheduler().alphas_cumprod, "v_prediction", steps=5)


@pytest.fixture(scope="module")
def treatment(model, tmp_path_factory):
    about = {"model": EVIL, "prompt": PROMPT}
    return treat(
        model, tmp_path_factory.mktemp("treatment"), Plan((5, 6), (800, 400), k=3), about=about, progress=False
    )


@pytest.fixture(scope="module")
def made(model, treatment, tmp_path_factory):
    path = tmp_path_factory.mktemp("gallery") / "sub" / "gallery.html"
    options = dict(count=2, lengths=(-3, 0, 3), judge=Judge(), title=EVIL, progress=False)
    return gallery(model, treatment, path, **options)


@pytest.fixture(scope="module")
def page(made):
    return BeautifulSoup(made.read_text(encoding="utf-8"), "html.parser")


def pixels(image):
    kind, data = image["src"].removeprefix("data:").split(";base64,")
    assert kind in ("image/png", "image/jpeg")
    return torch.tensor(list(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB").tobytes()))


def test_every_direction_has_its_strip(model, treatment, page):
    assert [heading.text for heading in page.find_all("h2")] == [
        "Seed 5, t = 800",
        "Seed 5, t = 400",
        "Seed 6, t = 800",
        "Seed 6, t = 400",
    ]
    images = page.find_all("img")
    assert len(images) == 8 and len({image["alt"] for image in images}) == 8
    unit = treatment.read(6, 400)
    shown = strips(model, unit.x, 400, unit.svd.V[:, 1:2], (-3, 0, 3))[0]
    expected = torch.tensor(list(row(shown).tobytes()))
    [image] = page.select("#seed6-t400-2 img")
    assert (int(image["width"]), int(image["height"])) == (24, 8)
    assert (pixels(image) - expected).abs().max() <= 1


def test_a_judge_says_what_changes(model, treatment, page):
    unit = treatment.read(5, 800)
    ends = strips(model, unit.x, 800, unit.svd.V[:, :1], (-3, 0, 3))[0, [0, 2]].mean(dim=(2, 3))
    said = page.select("#seed5-t800-1 p")[0].text
    assert f"σ = {unit.svd.s[0]:.3g}" in said and f"red {2 * (ends[1] - ends[0])[0]:+.2f}" in said


def test_text_from_outside_stays_text(made, page):
    source = made.read_text(encoding="utf-8")
    assert "<script" not in source and "<img src=x" not in source and "<b>bold" not in source
    assert page.h1.text == EVIL and page.title.text == EVIL
    cells = {line.th.text: line.td.text for line in page.find_all("tr")}
    assert cells["model"] == EVIL and cells["prompt"] == PROMPT and cells["weights"]
    assert EVIL in page.find("li").text
    handlers = [name for tag in page.find_all(True) for name in tag.attrs if name.startswith("on")]
    assert not handlers and {tag.name for tag in page.find_all(True)}.isdisjoint({"script", "iframe", "object", "form"})


def test_the_page_points_nowhere_but_to_itself(page):
    addresses = [tag[name] for tag in page.find_all(True) for name in ("src", "href", "srcset") if tag.has_attr(name)]
    assert addresses and all(address.startswith(("data:", "#")) for address in addresses)
    names = {tag["id"] for tag in page.find_all(id=True)}
    assert all(address[1:] in names for address in addresses if address.startswith("#"))
    assert "url(" not in page.style.text and "@import" not in page.style.text
    policy = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'; img-src data:;")


def test_a_folder_s_place_is_not_told(model, treatment, tmp_path):
    (tmp_path / "secret" / "faces").mkdir(parents=True)
    treatment.about["model"], before = str(tmp_path / "secret" / "faces"), treatment.about["model"]
    try:
        path = gallery(model, treatment, tmp_path / "g.html", units=[(5, 800)], count=1, progress=False)
    finally:
        treatment.about["model"] = before
    text = path.read_text(encoding="utf-8")
    assert "secret" not in text and ">faces<" in text


def test_units_are_matched_to_one(model, treatment, tmp_path):
    options = dict(units=[(6, 800)], count=2, lengths=(-3, 3), like=(5, 800), progress=False)
    path = gallery(model, treatment, tmp_path / "g.html", **options)
    page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    turned, cosines = match(treatment.read(6, 800).svd.V, treatment.read(5, 800).svd.V[:, :2])
    unit = treatment.read(6, 800)
    shown = strips(model, unit.x, 800, torch.nn.functional.normalize(turned, dim=0), (-3, 3))
    for i in range(2):
        [item] = page.select(f"#seed6-t800-{i + 1}")
        assert f"holds {100 * cosines[i] ** 2:.0f} % of its partner" in item.text
        assert (pixels(item.img) - torch.tensor(list(row(shown[i]).tobytes()))).abs().max() <= 1


def test_a_gallery_that_was_stopped_goes_on(model, treatment, made, tmp_path, monkeypatch):
    """Killed at the third of four units, then made again, twice with other options: only equal sections are reused."""
    path, seen = tmp_path / "g.html", []

    def counted(model, x, *rest):
        seen.append(x)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return strips(model, x, *rest)

    class Other(Judge):
        def __call__(self, pictures):
            return -super().__call__(pictures)

    monkeypatch.setattr(module, "strips", counted)
    options = dict(count=2, lengths=(-3, 0, 3), judge=Judge(), title=EVIL, progress=False)
    with pytest.raises(KeyboardInterrupt):
        gallery(model, treatment, path, **options)
    [parts] = tmp_path.iterdir()
    assert parts.name == "g.html.parts" and len(list(parts.iterdir())) == 2
    for change, again in (({"judge": Other()}, 4), ({"lengths": (-3, 3)}, 4), ({"like": (5, 800)}, 4), ({}, 2)):
        shutil.copytree(parts, tmp_path / "kept", dirs_exist_ok=True)
        seen[:] = [None] * 3
        gallery(model, treatment, path, **(options | change))
        assert len(seen) == 3 + again and not parts.exists()
        shutil.copytree(tmp_path / "kept", parts)
    assert path.read_bytes() == made.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(count=4), "1 to 3 directions"),
        (dict(lengths=(1,)), "two or more rising"),
        (dict(lengths=(2, 1)), "two or more rising"),
        (dict(units=[]), "no such unit"),
        (dict(units=[(9, 800)]), "seed 9, t = 800 is not in"),
    ],
)
def test_what_the_gallery_refuses(options, message, model, treatment, tmp_path):
    with pytest.raises(ValueError, match=message):
        gallery(model, treatment, tmp_path / "g.html", **({"count": 1, "progress": False} | options))
    assert list(tmp_path.iterdir()) == []


def test_large_pictures_are_jpeg_and_grey_ones_are_shown():
    assert row(torch.zeros(2, 1, 4, 4)).size == (8, 4) and row(torch.zeros(2, 1, 4, 4)).mode == "RGB"
    large = BeautifulSoup(_picture(torch.zeros(2, 3, 130, 130), "grey"), "html.parser").img
    assert large["src"].startswith("data:image/jpeg") and (pixels(large) - 128).abs().max() <= 1
    with pytest.raises(ValueError, match=r"4 channels.*its vae"):
        row(torch.zeros(2, 4, 4, 4))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_browser_opens_it_and_asks_nobody(made, theme):
    """From the file, as a colleague would: at 320 pixels, in both themes; requests, errors, broken pictures."""
    with chromium() as browser:
        settings = {"viewport": {"width": 320, "height": 700}, "color_scheme": theme, "bypass_csp": False}
        with browser.new_context(**settings) as context:
            page = context.new_page()
            watch = Watch(page, made.as_uri())
            dialogs = []
            page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
            page.goto(made.as_uri())
            loaded = page.evaluate("() => [...document.images].map(e => e.complete && e.naturalWidth > 0)")
            outside = [url for url in watch.outside if url != made.as_uri()]
            assert loaded == [True] * 8 and outside == [] and watch.errors == [] and dialogs == []
            assert page.evaluate(WIDE) == []
            assert page.title() == EVIL
        with browser.new_context(**(settings | {"bypass_csp": True})) as context:
            page = context.new_page()
            page.goto(made.as_uri())
            assert judged(page, theme) == []
