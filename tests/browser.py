"""A real browser over the built site: a server on this machine, a Chromium, and what a visit to a page finds.

Used by test_browser.py and test_widgets_pictures.py. Nothing here asks another machine for anything, except once for
axe-core, the judge of accessibility, which is kept in _build/ and checked against its published hash.
"""

import os
import re
import warnings
from contextlib import contextmanager
from functools import lru_cache

import pytest
from playwright.sync_api import Locator, expect, sync_playwright

import chrome
import npm
from chrome import ARGUMENTS, find

expect.set_options(timeout=30_000)  # milliseconds: a busy machine is slow, and not wrong

ADVICE = (
    "NO BROWSER, SO THE SITE IS NOT TESTED IN ONE. Get it by `apt-get install chromium fonts-dejavu` or "
    "`.venv/bin/playwright install chromium`, or name one: CHROMIUM=/path/to/chrome"
)
DESKTOP = {"viewport": {"width": 1280, "height": 900}, "has_touch": True, "reduced_motion": "reduce"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
    "reduced_motion": "reduce",
}
AXE = "4.14.1"
AXE_HASH = (
    "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="  # sha512, npm's own
)


def give_up(message):
    """Fail where a browser is required (REQUIRE_BROWSER=1), else skip so that nobody overlooks it."""
    if os.environ.get("REQUIRE_BROWSER", "0") not in ("", "0"):
        pytest.fail(message, pytrace=False)
    warnings.warn(message, stacklevel=2)
    pytest.skip(message)


@contextmanager
def chromium():
    """A browser, closed in the end; without one on this machine the test gives up."""
    with sync_playwright() as playwright:
        path = find(playwright)
        if path is None:
            give_up(ADVICE)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@lru_cache
def axe():
    """The source of axe-core, fetched from the npm registry where it is not in _build/ yet. OSError, ValueError."""
    with npm.package("axe-core", AXE, AXE_HASH) as tar:
        return tar.extractfile("package/axe.min.js").read().decode()


class Watch:
    """What a page asks of other machines, and what it complains about, from the moment it is made."""

    def __init__(self, page, address):
        self.outside, self.errors, self.address = [], [], address
        page.on("request", self.request)
        page.on("console", self.console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def request(self, request):
        if not request.url.startswith((f"{self.address}/", "data:", "blob:")):
            self.outside.append(request.url)

    def console(self, message):
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url', '')})")


#: A page's script that knows when all is drawn: a figure draws in frames, and those that are asked for are counted.
FRAMES = """(() => {
  const [ask, drop] = [window.requestAnimationFrame.bind(window), window.cancelAnimationFrame.bind(window)];
  const wanted = new Set();
  window.requestAnimationFrame = draw => {
    const frame = ask(now => { wanted.delete(frame); draw(now); });
    wanted.add(frame);
    return frame;
  };
  window.cancelAnimationFrame = frame => { wanted.delete(frame); drop(frame); };
  window.atRest = async () => { // two frames: what is moved and resized in the first may ask for the second
    for (let [quiet, frames] = [0, 0]; quiet < 2; frames++) {
      if (frames > 2000) throw new Error('after 2000 frames the page still asks for more');
      await new Promise(done => ask(done));
      quiet = wanted.size ? 0 : quiet + 1;
    }
  };
})()"""


def rested(target):
    """`target`, a page or a locator, when its page has drawn all that it was asked to, and nothing glides any more.

    What is read of a figure after an action is read through this, or by Playwright's `expect`, which waits itself.
    """
    (target.page if isinstance(target, Locator) else target).evaluate("atRest()")
    return target


def says(page, name, value):
    """Wait until a figure's list of numbers says `value` in the row of that name; fail where it never does."""
    named = page.locator("dt", has_text=re.compile(f"^{re.escape(name)}$"))
    expect(page.locator(".hs-readings > div", has=named).locator("dd")).to_have_text(value)


def stays(page, read, milliseconds=600):
    """Whether `read()` is the same before and after a while in which nothing must happen."""
    before = read()
    page.wait_for_timeout(milliseconds)
    return read() == before


SETTLE = f"async () => {{ await ({chrome.SETTLE})(); await atRest(); }}"

# The first picture of a page may be wanted at once.
LAZY = """() => [...document.querySelectorAll('article img')].slice(1)
  .filter(e => e.getBoundingClientRect().top > 2 * innerHeight && e.loading !== 'lazy').map(e => e.src.slice(-60))"""

# Pictures that are not as wide to their height as in their files.
BENT = """() => [...document.querySelectorAll('article img')].filter(e => e.naturalWidth && e.clientHeight)
  .filter(e => Math.abs(Math.log(e.clientWidth / e.clientHeight * e.naturalHeight / e.naturalWidth)) > 0.03)
  .map(e => `${e.clientWidth} × ${e.clientHeight}, of ${e.naturalWidth} × ${e.naturalHeight}: ${e.src.slice(-60)}`)"""

FACTS = """() => {
  const all = selector => [...document.querySelectorAll(selector)];
  const short = e => e.outerHTML.slice(0, 160);
  const sized = e => ['width', 'height'].every(side => e.getAttribute(side) > 0 || e.style[side].endsWith('px'));
  const loads = performance.getEntriesByType('resource');
  const opened = performance.getEntriesByType('navigation');
  return {
    bare: all('.math').filter(e => !e.querySelector('mjx-container')).map(short),
    wrong: all('mjx-merror, [data-mjx-error]').map(short),
    formulas: all('mjx-container').length,
    sizeless: all('article img').filter(e => !sized(e)).map(short),
    broken: all('img').filter(e => !e.naturalWidth).map(short),
    dead: all('.hspace-live').filter(e => !e.querySelector('.hs-figure')).map(e => e.dataset.widget),
    links: all('a[href]').map(e => e.href),
    names: all('[id], a[name]').flatMap(e => [e.id, e.getAttribute('name')]).filter(Boolean),
    twice: all('[id]').map(e => e.id).filter((id, i, ids) => ids.indexOf(id) !== i),
    weight: [...loads, ...opened].reduce((sum, entry) => sum + entry.encodedBodySize, 0),
    blocking: loads.filter(e => e.initiatorType === 'script' && e.renderBlockingStatus === 'blocking').map(e => e.name),
  };
}"""

WIDE = """() => {
  const width = document.documentElement.clientWidth, needed = document.documentElement.scrollWidth;
  if (needed <= width) return [];
  const clipped = e => e && (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX) || clipped(e.parentElement));
  const beyond = e => e.getBoundingClientRect().right > width + 1 && !clipped(e.parentElement);
  const guilty = [...document.body.querySelectorAll('*')].filter(beyond).map(e => e.outerHTML.slice(0, 160));
  return [`${needed} px wanted, ${width} px there`, ...guilty];
}"""

JUDGE = """async () => {
  const found = await axe.run(document, { resultTypes: ['violations'] });
  return found.violations.map(v => `${v.id}: ${v.help}\\n` + v.nodes.slice(0, 5)
    .map(n => `  ${n.target.join(' ')}: ${(n.any[0] ?? n.all[0] ?? n.none[0] ?? {}).message ?? ''}`).join('\\n'));
}"""


def judged(page, theme):
    """What axe-core finds wrong with the page in a theme, "light" or "dark", as a list of texts."""
    page.evaluate("theme => Object.assign(document.documentElement.dataset, { theme, mode: theme })", theme)
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(axe())
    return page.evaluate(JUDGE)


@contextmanager
def opened(browser, address, path, settings=DESKTOP, settle=True):
    """A page of the server at `address`, opened in a context of its own; `page.watch` is its `Watch`.

    settle: wait for pictures, formulas and live figures.
    """
    with browser.new_context(**settings) as context:
        page = context.new_page()
        page.add_init_script(FRAMES)
        page.watch = Watch(page, address)
        page.goto(f"{address}{path}")
        if settle:
            page.evaluate(SETTLE)
        yield page


def visit(browser, address, path):
    """Open a page on a desktop and on a phone; returns what was found, {fact: value} (see test_browser.py)."""
    with opened(browser, address, path, settle=False) as page:
        eager = page.evaluate(LAZY)
        page.evaluate(SETTLE)
        facts = {**page.evaluate(FACTS), "eager": eager, "bent": page.evaluate(BENT)}
        facts["light"], facts["dark"] = judged(page, "light"), judged(page, "dark")
    with opened(browser, address, path, PHONE) as handheld:
        facts["wide"], facts["bent"] = handheld.evaluate(WIDE), facts["bent"] + handheld.evaluate(BENT)
    watches = page.watch, handheld.watch
    return {**facts, **{what: [x for watch in watches for x in getattr(watch, what)] for what in ("outside", "errors")}}
