"""The website in a real browser: every page, in light and dark, on a desktop and a phone, and every figure to touch.

`make test` builds the site first. Without a browser these tests are skipped, or fail where REQUIRE_BROWSER=1.
"""

import re
import time
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import pytest
import small_models
import torch
from browser import PHONE, WIDE, axe, chromium, give_up, judged, opened, rested, visit
from bs4 import BeautifulSoup
from contents import SITE, toc
from jupyterlab.commands import get_app_dir
from playwright.sync_api import expect

from chrome import serve
from hspace import widgets
from hspace.engine import Node
from hspace.model import DiffusionModel

LIMIT = 2_000_000  # bytes of a chapter with everything that it loads, as they travel


PAGES = [*toc(), "search", "genindex"]
CHAPTERS = [page for page in PAGES if page.startswith("chapters/")]
#: What a visit must not find on a page, and how to say it.
FAULTS = {
    "outside": "asked of another machine",
    "errors": "errors in the console",
    "sizeless": "pictures without a size",
    "broken": "pictures that are missing",
    "bent": "pictures not as wide to their height as in their files",
    "eager": "pictures below the fold that do not wait",
    "bare": "formulas that are not typeset",
    "wrong": "formulas with an error",
    "twice": "ids that stand twice",
    "blocking": "scripts that block the first paint",
    "dead": "live figures that are not alive",
    "wide": "wider than a phone",
    "light": "found by axe in the light theme",
    "dark": "found by axe in the dark theme",
}
every_page = pytest.mark.parametrize("page", PAGES)


@pytest.fixture(scope="module")
def browser():
    assert (SITE / "index.html").exists(), "no site in _build/html: run `make book` first"
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def site():
    with serve(SITE) as server:
        yield server


@pytest.fixture(scope="module")
def look(browser, site):
    """look(page): what a visit found, each page visited once."""
    try:
        axe()
    except OSError as error:
        give_up(f"NO AXE-CORE, SO THE SITE IS NOT TESTED IN A BROWSER: npm's registry did not answer ({error})")
    found = {}

    def once(page):
        if page not in found:
            found[page] = visit(browser, site.address, f"/{page}.html")
        return found[page]

    return once


@pytest.mark.parametrize("fault", FAULTS)
@every_page
def test_a_visit_finds_no_fault(look, page, fault):
    found = look(page)[fault]
    assert not found, f"{FAULTS[fault]}:\n" + "\n".join(found)


@every_page
def test_mathematics_is_typeset(look, page):
    written = BeautifulSoup((SITE / f"{page}.html").read_text(encoding="utf-8"), "html.parser").select(".math")
    assert look(page)["formulas"] >= len(written)


@every_page
def test_links_and_anchors_resolve(look, site, page):
    wrong = []
    for link in look(page)["links"]:
        address, fragment = urldefrag(link)
        if not address.startswith(f"{site.address}/"):
            continue
        file = SITE / unquote(urlparse(address).path).lstrip("/")
        if not file.is_file():
            wrong.append(link)
        elif fragment and file.suffix == ".html":
            goal = file.relative_to(SITE).with_suffix("").as_posix()
            if goal in PAGES and unquote(fragment) not in look(goal)["names"]:
                wrong.append(link)
    assert wrong == []


@pytest.mark.parametrize("page", CHAPTERS)
def test_chapters_are_light(look, page):
    assert look(page)["weight"] < LIMIT


def test_the_front_door_leads_to_the_landing_page(browser, site):
    with opened(browser, site.address, "/", settle=False) as page:
        page.wait_for_url(f"{site.address}/{PAGES[0]}.html")
        expect(page.locator("article h1")).to_have_count(1)


def test_the_theme_can_be_switched_and_stays(browser, site):
    with opened(browser, site.address, f"/{PAGES[0]}.html", settle=False) as page:
        button = page.locator("button.theme-switch-button:visible").first
        seen = set()
        for _ in range(3):
            button.click()
            seen.add(rested(page).evaluate("getComputedStyle(document.body).backgroundColor"))
        assert len(seen) == 2, f"three modes, light and dark among them, gave the backgrounds {seen}"
        before = rested(page).evaluate("document.documentElement.dataset.mode")
        page.reload()
        assert rested(page).evaluate("document.documentElement.dataset.mode") == before


def test_the_story_can_be_folded_away_and_stays_so(browser, site):
    """The switch hides every bubble, is remembered from page to page, and brings all back."""
    with opened(browser, site.address, f"/{CHAPTERS[-1]}.html", settle=False) as page:
        story, seen = page.locator("article .story"), page.locator("article .story:visible")
        switch = page.get_by_role("switch", name="Story")
        expect(seen).not_to_have_count(0)
        expect(switch).to_have_attribute("aria-checked", "true")
        switch.focus()
        page.keyboard.press("Enter")
        expect(switch).to_have_attribute("aria-checked", "false")
        expect(seen).to_have_count(0)
        page.goto(f"{site.address}/{CHAPTERS[0]}.html")
        expect(story).not_to_have_count(0)
        expect(seen).to_have_count(0)
        for other in ("article p:visible", "article h2:visible"):
            expect(page.locator(other)).not_to_have_count(0)
        switch.tap()
        expect(switch).to_have_attribute("aria-checked", "true")
        expect(seen).not_to_have_count(0)


NASTY = "</script><script>window.broken = 1</script>\"'<img src=nowhere onerror='window.broken = 2'>&amp;"


def small_unet(_):
    model = DiffusionModel(small_models.unet(), small_models.scheduler().alphas_cumprod, "v_prediction")
    return widgets.UNet(model, model.noise(seed=[0, 1]), t=500)


def stepper(text):
    drawing = [
        {"id": "a", "kind": "circle", "cx": 100, "cy": 100, "r": 40, "color": "x1"},
        {"id": "b", "kind": "text", "x": 200, "y": 100, "text": "<b>", "color": "ink"},
    ]
    frames = [{"caption": f"step {i} {text}", "show": ["a", "b"][: i + 1], "highlight": []} for i in range(2)]
    return widgets.Stepper([*frames, {"caption": "last", "show": ["b"], "highlight": ["b"]}], drawing, title=text)


def strip(text):
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(2, 3, 3, 16, 16, generator=generator) * 2 - 1
    return widgets.ImageStrip(pictures, ["left", text, "right"], title=text, rows=["one", text])


def small_graph(text):
    x = Node([0.5, -1.0], text)
    return widgets.Graph((x.tanh() + x).sum(), steps={x: [1.0, 0.0]}, title=text)


#: One of each, with a text in every place that takes one.
FIGURES = {
    "linear_map": lambda text: widgets.LinearMap([[2, 0.75], [-0.5, 1.5]], [1, 0.5], inputs=["nose", text]),
    "kept_directions": lambda text: widgets.KeptDirections({"W": [[2, 0.75], [-0.5, 1.5]], text: [[1, 1], [0, 1]]}),
    "stepper": stepper,
    "cat_person": lambda _: widgets.CatPerson(),
    "unet": small_unet,
    "image_strip": strip,
    "sphere_walk": lambda _: widgets.SphereWalk(),
    "tangent": lambda _: widgets.Tangent(),
    "ball": lambda _: widgets.Ball(),
    "graph": small_graph,
    "pullback": lambda _: widgets.Pullback(),
    "rotate_scale_rotate": lambda _: widgets.RotateScaleRotate([[2, 0.75], [-0.5, 1.5]]),
    "mad_lib": lambda text: widgets.MadLib(f"A {{noise}} makes a {{picture|image}}. {text}", title=text),
}
#: These take no text from their maker.
WORDLESS = ("ball", "cat_person", "pullback", "rotate_scale_rotate", "sphere_walk", "tangent", "unet")
#: What a reader takes hold of in each, and how: a thing to drag, a slider's input, a button, or a line to write in.
HOLDS = {
    "linear_map": ('[role="slider"]', "drag"),
    "kept_directions": ('[role="slider"]', "drag"),
    "stepper": ('.hs-bar button:not(.hs-play, [aria-disabled="true"])', "press"),
    "cat_person": ('input[type="range"]', "slide"),
    "unet": ('.hs-block[aria-pressed="false"]', "pick"),
    "image_strip": ('input[type="range"]', "slide"),
    "sphere_walk": ('[role="slider"]', "drag"),
    "tangent": ('[role="slider"]', "drag"),
    "ball": ('[role="slider"]', "drag"),
    "graph": ('input[type="range"]', "slide"),
    "pullback": ('[role="slider"]', "drag"),
    "rotate_scale_rotate": ('[role="slider"]', "drag"),
    "mad_lib": (".hs-blank", "write"),
}
#: What is pulled about within a drawing, and by how many pixels at a time, across and down.
HANDLES = {
    "linear_map": (".hs-handle", -8),
    "kept_directions": (".hs-handle", 8),
    "cat_person": (".hs-pull", -8),
    "sphere_walk": ('svg [role="slider"]', 8),
    "tangent": (".hs-handle", -8),
    "ball": ('svg [role="slider"]', 8),
    "pullback": (".hs-handle", -8),
    "rotate_scale_rotate": (".hs-handle", -8),
}
#: What a figure shows, without its inputs and without what it announces: that must change by itself.
SHOWN = """e => {
  const copy = e.cloneNode(true);
  for (const part of copy.querySelectorAll('input, output, [role="status"]')) part.remove();
  const drawn = [...e.querySelectorAll('canvas')].map(canvas => canvas.toDataURL());
  return copy.innerHTML + drawn;
}"""


#: The beginnings of code cells that are wider than their frames.
CUT = """() => [...document.querySelectorAll('article pre')]
  .filter(e => e.scrollWidth > e.clientWidth).map(e => e.textContent.slice(0, 60))"""
VALUE = "e => e.getAttribute('aria-valuetext') ?? e.value"
WAYS = ("mouse", "touch", "keyboard")


class Reader:
    """Somebody who touches a figure on a page in one of the three `WAYS`."""

    def __init__(self, page, way):
        self.page, self.way = page, way
        self.fingers = page.context.new_cdp_session(page)

    def try_figure(self, figure, module):
        """Take hold of the figure and see whether what it shows changes; returns a complaint or None."""
        figure.scroll_into_view_if_needed()
        selector, kind = HOLDS[module]
        status = figure.locator('[role="status"]').first
        for hold in figure.locator(selector).all()[:4]:
            if not rested(hold).is_visible() or not rested(hold).is_enabled():
                continue
            for turn in (1, -1):
                shown, value = rested(figure).evaluate(SHOWN), rested(hold).evaluate(VALUE)
                status.evaluate("e => { e.textContent = '' }")
                getattr(self, kind)(hold, turn)
                if self.waits(lambda before=shown: rested(figure).evaluate(SHOWN) != before):
                    own = kind in ("drag", "slide") and rested(hold).evaluate(VALUE) != value  # it announces itself
                    said = own or self.waits(lambda: rested(status).text_content().strip())
                    return None if said else f"{module} changes by {self.way}, and nothing is announced"
        return f"{module} does not react to {self.way}"

    def waits(self, happened, seconds=10.0):
        end = time.monotonic() + seconds
        while not (found := happened()) and time.monotonic() < end:
            self.page.wait_for_timeout(50)
        return found

    def tap(self, x, y):
        if self.way == "mouse":
            self.page.mouse.click(x, y)
        else:
            self.page.touchscreen.tap(x, y)

    def keys(self, hold, *keys):
        assert rested(hold).evaluate("e => e.tabIndex") >= 0, "the Tab key does not reach it"
        hold.focus()
        for key in keys:
            self.page.keyboard.press(key)

    def middle(self, hold):
        box = rested(hold).bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(self, hold, turn):
        if self.way == "keyboard":
            return self.keys(hold, *["ArrowRight" if turn > 0 else "ArrowLeft"] * 3)
        x, y = self.middle(hold)
        steps = [(x + turn * 8 * i, y - turn * 6 * i) for i in range(5)]
        if self.way == "mouse":
            self.page.mouse.move(x, y)
            self.page.mouse.down()
            for step in steps:
                self.page.mouse.move(*step)
            return self.page.mouse.up()
        for i, step in enumerate(steps):
            self.finger("touchMove" if i else "touchStart", *step)
        return self.finger("touchEnd")

    def finger(self, kind, *point):
        points = [dict(zip("xy", point, strict=True))] if point else []
        self.fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def slide(self, hold, turn):
        if self.way == "keyboard":
            return self.keys(hold, "ArrowRight" if turn > 0 else "ArrowLeft")
        box = rested(hold).bounding_box()
        return self.tap(box["x"] + box["width"] * (0.8 if turn > 0 else 0.2), box["y"] + box["height"] / 2)

    def press(self, hold, turn):
        if self.way == "keyboard":
            return self.keys(hold, "Enter")
        return self.tap(*self.middle(hold))

    def pick(self, hold, turn):
        """One of several, of which the Tab key reaches the one that is chosen, and arrow keys the others."""
        if self.way != "keyboard":
            return self.tap(*self.middle(hold))
        chosen = hold.locator('xpath=ancestor::*[@role="group"][1]').locator('[aria-pressed="true"]')
        return self.keys(chosen, "ArrowRight" if turn > 0 else "ArrowLeft")

    def write(self, hold, turn):
        if self.way == "keyboard":
            self.keys(hold, "Control+a")
        else:
            self.tap(*self.middle(hold))
            hold.press("Control+a")
        reached = rested(hold).evaluate("e => e === document.activeElement")
        assert reached, f"{self.way} does not reach the line to write in"
        hold.press_sequentially("noise" if turn > 0 else "wrong")
        self.page.keyboard.press("Enter")


def frame(html):
    """A page with the site's own look and scripts that holds `html` for an article."""
    page = BeautifulSoup((SITE / "book" / "reading.html").read_text(encoding="utf-8"), "html.parser")
    article = page.select_one("article")
    article.clear()
    article.append(BeautifulSoup(f"<section><h1>Figures</h1>{html}</section>", "html.parser"))
    page.head.append(page.new_tag("link", rel="stylesheet", href="../_static/live/widgets.css"))
    page.head.append(page.new_tag("script", type="module", src="../_static/live/live.mjs"))
    return str(page)


@pytest.fixture
def figures(browser, site, request):
    """A page with two figures of a module (`request.param`), the second with nasty texts; yields both."""
    module = request.param
    site.made[f"/book/{module}.html"] = frame(FIGURES[module]("ear").html() + FIGURES[module](NASTY).html())
    with opened(browser, site.address, f"/book/{module}.html") as page:
        yield module, page


def test_every_kind_of_figure_is_tried():
    offered = {getattr(widgets, name).module for name in widgets.__all__ if name not in ("LiveFigure", "describe_it")}
    assert set(FIGURES) == set(HOLDS) == offered


each_figure = pytest.mark.parametrize("figures", FIGURES, indirect=True)


@each_figure
def test_every_figure_reacts_to_mouse_touch_and_keyboard(figures):
    module, page = figures
    figure = page.locator(".hspace-live").first
    found = [Reader(page, way).try_figure(figure, module) for way in WAYS]
    assert [complaint for complaint in found if complaint] == []
    assert page.watch.outside == [] and page.watch.errors == []


@each_figure
def test_two_figures_on_a_page_share_nothing(figures):
    module, page = figures
    first, second = page.locator(".hspace-live").all()
    assert rested(page).evaluate("() => { const ids = [...document.querySelectorAll('[id]')].map(e => e.id);"
                         " return ids.filter((id, i) => ids.indexOf(id) !== i) }") == []  # fmt: skip
    before = rested(second).evaluate(SHOWN)
    assert Reader(page, "keyboard").try_figure(first, module) is None
    assert rested(second).evaluate(SHOWN) == before


@each_figure
def test_captions_stay_text(figures):
    module, page = figures
    broken = "() => 'broken' in window || document.querySelector('img[src=nowhere]') !== null"
    assert rested(page).evaluate(broken) is False
    if module not in WORDLESS:
        last = rested(page.locator(".hspace-live").last)
        text = last.evaluate("e => e.textContent + e.innerHTML.match(/&lt;\\/script/)")
        assert NASTY in text and "&lt;/script" in text


@each_figure
def test_figures_are_accessible_in_both_themes_and_fit_a_phone(figures, browser, site):
    module, page = figures
    assert judged(page, "light") == [] and judged(page, "dark") == []
    site.made[f"/book/small_{module}.html"] = frame(FIGURES[module]("ear").html())
    small = PHONE | {"viewport": {"width": 320, "height": 640}}
    with opened(browser, site.address, f"/book/small_{module}.html", small) as phone:
        assert rested(phone).evaluate(WIDE) == []


def lab_rules():
    """How JupyterLab dresses what stands in an output, read from its own program."""
    [program] = Path(get_app_dir(), "static").glob("jlab_core.*.js")
    text = program.read_text(encoding="utf-8").replace("\\n", "\n")
    return re.findall(r"\.jp-OutputArea-output (?=[a-z])[^{}]*\{[^}]*\}", text)


BOXES = """e => [...e.querySelectorAll('*')].map(inner => {
  const [a, b] = [inner, e].map(part => part.getBoundingClientRect());
  return [inner.outerHTML.slice(0, 60), ...[a.x - b.x, a.y - b.y, a.width, a.height].map(Math.round)].join(' ');
})"""


@each_figure
def test_jupyterlab_does_not_bend_a_figure(figures):
    rules = "\n".join(lab_rules())
    assert "float: left" in rules  # it has lists of names and values stand in columns
    figure = figures[1].locator(".hspace-live").first
    before = rested(figure).evaluate(BOXES)
    figure.evaluate("(e, rules) => { e.classList.add('jp-OutputArea-output'); document.head.append("
                    "Object.assign(document.createElement('style'), { textContent: rules })); }", rules)  # fmt: skip
    assert rested(figure).evaluate(BOXES) == before


@pytest.mark.parametrize("module", HANDLES)
def test_a_long_pull_on_a_phone_does_not_scroll_the_page(browser, site, module):
    site.made["/book/pull.html"] = frame(FIGURES[module]("ear").html() + '<div style="height: 150rem"></div>')
    with opened(browser, site.address, "/book/pull.html", PHONE) as page:
        figure, reader = page.locator(".hspace-live").first, Reader(page, "touch")
        selector, by = HANDLES[module]
        hold = figure.locator(selector).first
        hold.scroll_into_view_if_needed()
        (x, y), seen, top = reader.middle(hold), [], rested(page).evaluate("() => scrollY")
        reader.finger("touchStart", x, y)
        for i in range(1, 9):
            reader.finger("touchMove", x + by * i, y + by * i)
            seen.append(rested(figure).evaluate(SHOWN))
        reader.finger("touchEnd")
        assert len(set(seen[2:])) > 1 and rested(page).evaluate("() => scrollY") == top


@pytest.mark.parametrize("path", CHAPTERS)
def test_code_is_not_cut_off_on_a_desktop(browser, site, path):
    with opened(browser, site.address, f"/{path}.html", settle=False) as page:
        page.evaluate("() => document.querySelectorAll('details').forEach(e => { e.open = true })")
        assert rested(page).evaluate(CUT) == []


@pytest.mark.parametrize("path", CHAPTERS)
def test_the_figures_of_a_chapter_react(browser, site, path):
    with opened(browser, site.address, f"/{path}.html") as page:
        for figure in page.locator(".hspace-live").all():
            module = rested(figure).get_attribute("data-widget")
            found = [Reader(page, way).try_figure(figure, module) for way in WAYS]
            assert [complaint for complaint in found if complaint] == []


def test_the_cats_law_can_be_locked(browser, site):
    site.made["/book/law.html"] = frame(widgets.CatPerson(controls=["nose", "nap"], lockable=True).html())
    with opened(browser, site.address, "/book/law.html") as page:
        nose, nap = page.locator('input[type="range"]').all()
        expect(nap).to_be_enabled()
        page.locator(".hspace-live").get_by_role("checkbox").check()
        expect(nap).to_be_disabled()
        before = rested(nap).input_value()
        nose.press("ArrowRight")
        expect(nap).not_to_have_value(before)


def test_a_page_that_asks_outside_and_complains_is_caught(browser, site):
    site.made["/book/bad.html"] = (
        '<!doctype html><meta name="viewport" content="width=device-width"><title>Bad</title>'
        '<img src="https://example.org/x.png"><p style="width: 1400px">wide</p><p style="color: #ccc">pale</p>'
        '<script>console.error("no")</script>'
    )
    found = visit(browser, site.address, "/book/bad.html")
    assert any("example.org" in address for address in found["outside"])
    assert any(error.startswith("no") for error in found["errors"])
    assert any("color-contrast" in text for text in found["light"])
    assert len(found["wide"]) > 1 and found["broken"]
