"""The website as `make book` built it: whole, and asking no other machine for anything."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from bs4 import BeautifulSoup
from contents import ROOT, SITE, address, toc

from hspace_dialogue import SPEAKERS
from stamp import stamp

LOADED = [("script", "src"), ("img", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"), ("object", "data")]
RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "prefetch", "manifest", "preconnect", "dns-prefetch"}
OUTSIDE = re.compile(r"""(?:url\(\s*|@import\s+)["']?(?:https?:)?//""")


@pytest.fixture(scope="module")
def pages():
    """All pages of the site, parsed: {path: BeautifulSoup}. The site must have been built: `make test` does it."""
    assert (SITE / "index.html").exists(), "no site in _build/html: run `make book` first"
    files = [path for path in sorted(SITE.rglob("*.html")) if SITE / "_static" not in path.parents]  # themes' templates
    return {path: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser") for path in files}


def content_pages(pages):
    return {entry: pages[SITE / f"{entry}.html"] for entry in toc()}


def loaded_addresses(page):
    """Everything a browser fetches by itself when it shows the page."""
    for tag, attribute in LOADED:
        yield from (element[attribute] for element in page.find_all(tag, **{attribute: True}))
    for element in page.find_all(srcset=True):
        yield from (part.split()[0] for part in element["srcset"].split(","))
    for link in page.find_all("link", href=True):
        if RELATIONS & set(link.get("rel", [])):
            yield link["href"]


def is_outside(goal):
    return bool(urlparse(goal).netloc)


def test_every_page_of_the_toc_is_built_with_a_title_of_its_own(pages):
    titles = {entry: page.title.get_text().strip() for entry, page in content_pages(pages).items()}
    assert all(titles.values()) and len(set(titles.values())) == len(titles), titles
    for entry, page in content_pages(pages).items():
        assert len(page.select("article h1")) == 1, f"{entry} wants one heading of the first level"
        assert page.html.get("lang") == "en"


def test_no_page_fetches_from_another_machine(pages):
    for path, page in pages.items():
        assert not list(filter(is_outside, loaded_addresses(page))), path


def test_pages_wear_the_books_style(pages):
    for entry, page in content_pages(pages).items():
        styles = [Path(urlparse(link["href"]).path).name for link in page.find_all("link", rel="stylesheet")]
        assert styles.count("book.css") == 1, entry


def test_no_style_fetches_from_another_machine(pages):
    styles = {path.name: path.read_text(encoding="utf-8") for path in SITE.rglob("*.css")}
    styles |= {path.name: "\n".join(s.get_text() for s in page.find_all("style")) for path, page in pages.items()}
    assert not [name for name, text in styles.items() if OUTSIDE.search(text)]


def test_no_inline_script_names_another_machine_or_stands_twice(pages):
    for path, page in pages.items():
        scripts = [script for script in page.find_all("script", src=False) if script.get("type") != "application/json"]
        inline = [script.get_text().strip() for script in scripts if script.get_text().strip()]
        assert not [text for text in inline if re.search(r"https?://|thebe", text)], path
        assert len(inline) == len(set(inline)), f"{path} has the same script twice"


def test_the_test_for_other_machines_can_fail():
    html = '<img src="https://a.org/x.png"><script src="//b.org/x.js"></script><img src="x.png">'
    page = BeautifulSoup(html, "html.parser")
    assert sorted(filter(is_outside, loaded_addresses(page))) == ["//b.org/x.js", "https://a.org/x.png"]
    assert OUTSIDE.search("a { background: url('https://a.org/x.png') }") and OUTSIDE.search('@import "//a.org/x.css";')
    assert not OUTSIDE.search("a { background: url(x.png) }")


def test_everything_the_pages_fetch_is_there(pages):
    missing = set()
    for path, page in pages.items():
        for goal in loaded_addresses(page):
            file = unquote(urlparse(goal).path)
            if file and not goal.startswith("data:") and not (path.parent / file).exists():
                missing.add(f"{path.name}: {goal}")
    assert not missing


def targets(page):
    return {element[key] for key in ("id", "name") for element in page.find_all(attrs={key: True})}


def test_every_internal_link_leads_somewhere(pages):
    broken, known = set(), {path: targets(page) for path, page in pages.items()}
    for path, page in pages.items():
        for link in page.find_all("a", href=True):
            parts = urlparse(link["href"])
            if parts.scheme or parts.netloc:
                continue
            goal = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            fragment = unquote(parts.fragment)
            if not goal.exists() or (fragment and goal.suffix == ".html" and fragment not in known[goal]):
                broken.add(f"{path.relative_to(SITE)}: {link['href']}")
    assert not broken


def test_mathematics_is_typeset_by_the_sites_own_script(pages):
    notation = content_pages(pages)["book/notation"]
    assert notation.select(".math"), "no formula on the page of notation"
    [script] = [s["src"] for s in notation.find_all("script", src=True) if "mathjax" in s["src"].lower()]
    folder = (SITE / "book" / urlparse(script).path).resolve().parent
    assert folder == SITE / "_static" / "mathjax"
    assert list((folder / "output/chtml/fonts/woff-v2").glob("*.woff"))


def test_figures_say_what_they_show(pages):
    for entry, page in content_pages(pages).items():
        for image in page.select("article img"):
            names = {"", image["src"], Path(image["src"]).name}
            assert image.get("alt", "").strip() not in names, f"{entry}: {image['src'][:60]}"


def test_figures_have_a_size_and_load_when_they_come_near(pages):
    for entry, page in content_pages(pages).items():
        images = page.select("article img")
        unsized = [
            image["src"] for image in images if not ({"width", "height"} <= set(image.attrs) or "style" in image.attrs)
        ]
        assert not unsized, entry
        assert [image.get("loading") for image in images] == [None, *["lazy"] * (len(images) - 1)][: len(images)], entry


def test_no_script_holds_the_page_back(pages):
    for path, page in pages.items():
        scripts = page.find_all("script", src=True)
        waiting = [s for s in scripts if s.has_attr("defer") or s.has_attr("async") or s.get("type") == "module"]
        assert scripts == waiting, path
        assert not [s["src"] for s in scripts if "fontawesome" in s["src"]], path


def test_mathematics_is_loaded_only_where_there_is_some(pages):
    for entry, page in content_pages(pages).items():
        loaded = any("mathjax" in script["src"] for script in page.find_all("script", src=True))
        assert loaded is bool(page.select("article .math")), entry


def test_dialogue_is_said_by_its_speakers_and_can_be_folded_away(pages):
    spoken = 0
    for entry, page in content_pages(pages).items():
        said = page.select("blockquote.said")
        spoken += len(said)
        assert bool(page.select(".story")) is bool(page.select("#story-switch")), entry
        for quote in said:
            speaker = quote.select_one("p").get_text()
            assert "speaker" in quote.select_one("p")["class"] and speaker.endswith(":"), f"{entry}: {speaker}"
        left = [q.get_text().strip() for q in page.select("blockquote:not(.said)")]
        assert not [text for text in left if text.startswith(tuple(SPEAKERS)) and ":" in text[:60]], entry
    assert spoken, "no bubble in the whole book"


def test_live_figures_come_from_the_library(pages):
    widgets = ROOT / "lib/hspace/widgets"
    for entry, page in content_pages(pages).items():
        places = page.select(".hspace-live")
        for place in places:
            for name in (f"{place['data-widget']}.mjs", "parts.mjs", "widgets.css"):
                assert (SITE / "_static/live" / name).read_bytes() == (widgets / name).read_bytes(), entry
            assert json.loads(place["data-state"]) and place.get_text().strip(), entry
        assert bool(places) is any("live.mjs" in script["src"] for script in page.find_all("script", src=True)), entry


def test_every_page_says_what_it_is_to_those_who_link_to_it(pages):
    for entry, page in content_pages(pages).items():
        said = {
            meta.get("property") or meta.get("name"): meta["content"] for meta in page.find_all("meta", content=True)
        }
        assert {"og:title", "og:description", "og:image", "og:image:alt", "twitter:card", "description"} <= set(said), (
            entry
        )
        assert page.select('link[rel="icon"]') and page.select('link[rel="apple-touch-icon"]'), entry
    assert (SITE / "_static" / "social.png").exists()


def test_the_librarys_page_describes_it(pages):
    api = content_pages(pages)["book/api"]
    svd = api.find(id="hspace-krylov-svd")
    assert "svd(operator, k" in svd.get_text() and "singular" in svd.get_text()


def test_mistakes_can_be_reported_once_there_is_a_place_for_them(pages):
    for entry, page in content_pages(pages).items():
        assert bool(page.select(".report-mistake a")) is bool(address()), entry


def test_buttons_that_need_the_address_wait_for_it(pages):
    chapter = next(page for entry, page in content_pages(pages).items() if entry.startswith("chapters/"))
    links = [link["href"] for link in chapter.find_all("a", href=True)]
    assert any("colab.research.google.com" in link for link in links) is bool(address())
    assert any("github.com" in link for link in links) is bool(address())


def test_a_stamped_site_leads_to_its_repository(tmp_path):
    """With an address each page can be reported, and each chapter opens in Colab."""
    project, repository = tmp_path / "book", "https://github.com/somebody/alice"
    unneeded = shutil.ignore_patterns(".git", ".venv", "_build", "runs", "*.safetensors", "__pycache__")
    shutil.copytree(ROOT, project, ignore=unneeded)
    stamp(repository, project)
    build = [Path(sys.executable).parent / "jupyter-book", "build", project, "-W", "-n", "--keep-going", "--quiet"]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    for entry in toc():
        page = BeautifulSoup((project / f"_build/html/{entry}.html").read_text(encoding="utf-8"), "html.parser")
        [mistake] = page.select(".report-mistake a")
        assert mistake["href"].startswith(f"{repository}/issues/new?") and f"{entry}.html" in unquote(mistake["href"])
        colab = [link["href"] for link in page.find_all("a", href=True) if "colab.research" in link["href"]]
        assert bool(colab) == (ROOT / f"{entry}.ipynb").exists(), entry
        assert all(link.endswith(f"/somebody/alice/blob/main/{entry}.ipynb") for link in colab)
