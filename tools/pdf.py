"""The whole book as one PDF, printed by Chromium from the built site and linked from its pages; `make pdf` calls it.

    python tools/pdf.py

The site's pages become one page in the order of the contents, each on a new sheet. A live figure is printed as it
stands when it comes alive. Solutions stand at the end, and each exercise says on which page; the setup cells, which the
site folds away, and the pages that are of use on a screen only are left out. The page numbers are known once it has
been printed, so it is printed again with them.
"""

import base64
import posixpath
import re
import sys
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import yaml
from bs4 import BeautifulSoup
from PIL import Image
from playwright.sync_api import Error, sync_playwright
from pypdf import PdfReader

from chrome import ARGUMENTS, SETTLE, find, serve
from hspace.files import write

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
STYLE = ROOT / "book" / "_print" / "print.css"
NAME = "a_map_of_alice.pdf"
ON_SCREEN = {"book/exercises", "book/beats", "book/api", "book/publishing", "book/teaching/check"}
LEFT_OUT = ".headerlink, details.hide, .visually-hidden, script, nav, button.copybtn"
LINK = re.compile(r"<!-- printed: (.*?) -->")
FOOTER = (
    '<div style="width: 100%; text-align: center; font: 9px sans-serif; color: #555">'
    '<span class="pageNumber"></span></div>'
)
ADVICE = "no browser to print with: apt-get install chromium fonts-dejavu, or name one: CHROMIUM=/path/to/chrome"
NUMBER = """pages =>
  document.querySelectorAll('[data-page]').forEach(e => e.textContent = pages[e.dataset.page] ?? '')"""


def contents():
    """[(part's caption or "", pages of it)] of the book in print."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = [("", [toc["root"]])]
    parts += [(part["caption"], [entry["file"] for entry in part["chapters"]]) for part in toc["parts"]]
    return [(caption, [entry for entry in entries if entry not in ON_SCREEN]) for caption, entries in parts]


def mark(entry, name=""):
    """The id, in the one page, of a page or of an element on it."""
    return entry.replace("/", "-") + (f"--{name}" if name else "")


def article(entry, printed, site=SITE):
    """What a page holds, as a section for the one page: its ids and addresses are the one page's.

    printed: the pages that are part of the book in print; links to others become text.
    """
    page = BeautifulSoup((site / f"{entry}.html").read_text(encoding="utf-8"), "html.parser")
    body = page.select_one("article.bd-article")
    for left_out in body.select(LEFT_OUT):
        left_out.decompose()
    for element in body.find_all(id=True):
        element["id"] = mark(entry, element["id"])
    for picture in body.find_all("img", src=True):
        picture["src"] = ink(posixpath.normpath(posixpath.join(posixpath.dirname(entry), picture["src"])), site)
        picture["loading"] = "eager"
    for link in body.find_all("a", href=True):
        redirect(link, entry, printed)
    body.name, body["id"], body["class"] = "section", mark(entry), ["sheet", "bd-article"]
    return body


def ink(address, site):
    """A picture's address, or itself as JPEG where the site has it as a WebP that is not lossless.

    A PDF holds JPEG as it is; anything else is stored dot by dot and makes it three times as large.
    """
    file = site / unquote(address)
    if file.suffix != ".webp" or file.read_bytes()[12:16] == b"VP8L":
        return address
    made = BytesIO()
    Image.open(file).convert("RGB").save(made, format="jpeg", quality=88)
    return "data:image/jpeg;base64," + base64.b64encode(made.getvalue()).decode()


def redirect(link, entry, printed):
    """Lead a link to its place in print; one that leads out of the book stays, one that leads nowhere is unwrapped."""
    if urlparse(link["href"]).scheme:
        return
    address, name = urldefrag(link["href"])
    goal = posixpath.normpath(posixpath.join(posixpath.dirname(entry), address)) if address else f"{entry}.html"
    goal = unquote(goal).removesuffix(".html")
    if goal in printed:
        link["href"] = "#" + mark(goal, unquote(name))
    else:
        link.unwrap()


def solutions(body, entry, soup):
    """Take the solutions out of a page, and leave a line that says where they are; returns them under headings."""
    moved = []
    for details in body.select("details:not(.hide)"):
        section = details.find_parent("section", id=True)
        heading = section.find(re.compile(r"h\d")).get_text()
        name = mark(entry, f"solution-{len(moved) + 1}")
        where = tag(soup, "p", {"class": "solution-where"}, "Solution: page ")
        where.append(tag(soup, "a", {"href": f"#{name}", "data-page": name}))
        details.replace_with(where)
        details.summary.decompose()
        details.name = "div"
        solution = tag(soup, "section", {"id": name})
        solution.extend([tag(soup, "h3", {}, heading), details])
        moved.append(solution)
    return moved


def tag(soup, name, attributes, text=""):
    made = soup.new_tag(name, attrs=attributes)
    if text:
        made.string = text
    return made


def entry_of(soup, anchor, text, inner=()):
    """A line of the contents: the text, the page's number, and lines beneath it."""
    line, link = tag(soup, "li", {}), tag(soup, "a", {"href": f"#{anchor}"})
    link.extend([tag(soup, "span", {}, text), tag(soup, "span", {"data-page": anchor})])
    line.append(link)
    if inner:
        below = tag(soup, "ol", {})
        below.extend(inner)
        line.append(below)
    return line


def title_of(element):
    return " ".join(element.get_text().split())


def lines_of(soup, body):
    """The lines of the contents for a page: its title, and the headings below it that are neither task nor slip."""
    tasks = {"exercise", "slip", "describe-it"}
    below = [s for s in body.select("section[id]:has(> h2)") if not tasks & set(s.get("class", []))]
    inner = [entry_of(soup, s["id"], title_of(s.h2)) for s in below if body["id"].startswith("chapters-")]
    return entry_of(soup, body["id"], title_of(body.h1), inner)


def head(site=SITE):
    """What the one page loads: the styles, mathematics and live figures of a page that has all of them."""
    for file in sorted((site / "chapters").glob("*.html")):
        page = BeautifulSoup(file.read_text(encoding="utf-8"), "html.parser").head
        kept = [
            *page.select('link[rel="stylesheet"]'),
            *[s for s in page.find_all("script") if "MathJax" in s.get_text() or "mathjax" in s.get("src", "")],
            *page.select('script[src*="live.mjs"]'),
        ]
        if any("live.mjs" in element.get("src", "") for element in kept) and "MathJax" in str(kept):
            return "\n".join(str(e).replace('"../_static', '"_static') for e in kept)
    raise FileNotFoundError(f"no chapter with a live figure and mathematics in {site}: run `make book` first")


def one_page(parts, site=SITE):
    """The book as one HTML page.  parts: as `contents` gives them."""
    printed = {entry for _, entries in parts for entry in entries}
    soup = BeautifulSoup("", "html.parser")
    lines, sheets = tag(soup, "ol", {}), []
    end = tag(soup, "section", {"id": "solutions", "class": "sheet solutions bd-article"})
    end.append(tag(soup, "h1", {}, "Solutions"))
    for _, entries in parts:
        for entry in entries:
            body = article(entry, printed, site)
            if moved := solutions(body, entry, soup):
                end.append(tag(soup, "h2", {}, title_of(body.h1)))
                end.extend(moved)
            lines.append(lines_of(soup, body))
            sheets.append(str(body))
    if len(end) > 1:
        lines.append(entry_of(soup, "solutions", "Solutions"))
        sheets.append(str(end))
    return PAGE.format(head=head(site), style=STYLE.read_text(encoding="utf-8"), lines=lines, sheets="\n".join(sheets))


PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light" data-mode="light"><head><meta charset="utf-8"><title>A Map of Alice</title>
{head}
<style>{style}</style></head>
<body><main class="bd-main"><div class="bd-content"><div class="bd-article-container">
<section class="cover"><h1>A Map of Alice</h1><p>Geometry inside a diffusion model, told as a therapy session</p>
<img src="_static/touch.png" alt=""></section>
<section class="sheet contents bd-article"><h1>Contents</h1>{lines}</section>
{sheets}
</div></div></main></body></html>
"""


def numbers(pdf):
    """{id: page} of all places that the links of a PDF lead to, pages counted from 1."""
    reader = PdfReader(BytesIO(pdf))
    return {
        name.lstrip("/"): reader.get_destination_page_number(goal) + 1
        for name, goal in reader.named_destinations.items()
    }


def numbered(page, most=5):
    """The PDF of a page whose contents tell where each part stands: printed until the numbers are those of the print.

    Raises RuntimeError where they still differ after `most` prints.
    """
    told = None
    for _ in range(most):
        pdf = press(page)
        if told == (found := numbers(pdf)):
            return pdf
        page.evaluate(NUMBER, told := found)
    raise RuntimeError(f"after {most} prints the page numbers in the contents still move")


def printed(html, site=SITE):
    """The PDF, as bytes, of a page that belongs into the site's folder.

    Raises RuntimeError where there is no browser or the page asked another machine for something.
    """
    with sync_playwright() as playwright, serve(site) as server:
        path = find(playwright)
        if path is None:
            raise RuntimeError(ADVICE)
        server.made["/print.html"] = html
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page, outside = browser.new_page(viewport={"width": 820, "height": 1160}), []
        page.on("request", lambda request: outside.append(request.url) if server.address not in request.url else None)
        page.set_default_timeout(300_000)
        page.goto(f"{server.address}/print.html")
        page.evaluate(SETTLE)
        pdf = numbered(page)
        browser.close()
    if asked := [url for url in outside if not url.startswith(("data:", "blob:"))]:
        raise RuntimeError(f"the page to print asked another machine for {asked[0]}")
    return pdf


def press(page):
    return page.pdf(
        prefer_css_page_size=True,
        print_background=True,
        scale=0.85,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOTER,
        outline=True,
        tagged=True,
    )


def link(site=SITE):
    """Show the link to the PDF on every page of the site; returns on how many."""
    shown = 0
    for file in site.rglob("*.html"):
        text, found = LINK.subn(r"\1", file.read_text(encoding="utf-8"))
        if found:
            file.write_text(text, encoding="utf-8")
            shown += 1
    return shown


def main():
    if not (SITE / "index.html").exists():
        sys.exit("no site in _build/html: run `make book` first")
    try:
        pdf = printed(one_page(contents()))
    except (RuntimeError, OSError, Error) as error:
        sys.exit(str(error))
    write(SITE / NAME, lambda beside: beside.write_bytes(pdf))
    print(f"{SITE / NAME}: {len(PdfReader(BytesIO(pdf)).pages)} pages, linked from {link()} pages of the site")


if __name__ == "__main__":
    main()
