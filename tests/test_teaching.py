"""The pages for instructors: schedules add up, what they name exists, the sheet is one sheet, messages are printed."""

import ast
import re
import tomllib
from functools import cache
from itertools import pairwise

import nbformat
import numpy as np
import pytest
from browser import chromium
from bs4 import BeautifulSoup
from contents import NOTEBOOKS, ROOT, SITE

import hspace
import hspace_teaching as teaching
from chrome import serve
from hspace.cats.world import W

DAYS = teaching.schedules()
HOURS = {"half_day": 4, "full_day": 8}
WRITTEN = {path.stem for path in NOTEBOOKS}
LONGEST = 90  # minutes without a break
LABELS = ("The idea.", "Ask.", "Expect.", "When late.")
PREFIX = re.compile(r"^(?:[\w.]*(?:Error|Warning): |hspace \w+: )?")
WORD = re.compile(r"(?<!\S)[A-Za-z]{2,}[.,;:]?(?!\S)")
#: Messages of other programs that trouble.md quotes, by how they begin.
FOREIGN = (
    "ERROR: Invalid requirement",  # pip
    "ERROR: Package 'hspace' requires",  # pip
    "ERROR: No matching distribution",  # pip
    "WARNING: Retrying",  # pip
    "ModuleNotFoundError: No module named 'hspace'",  # Python
    "Error displaying widget",  # ipywidgets
    "'make' is not recognized",  # Windows
    "Activate.ps1 cannot be loaded",  # PowerShell
    "OSError: [WinError 126]",  # Windows
)


def page(name):
    return (ROOT / "book" / name).read_text(encoding="utf-8")


def minutes(time):
    return int(time[:2]) * 60 + int(time[3:])


# Schedules -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOURS)
def test_one_entry_begins_where_the_last_one_ends(name):
    for entry, after in pairwise(DAYS[name]):
        assert minutes(entry["start"]) + entry["minutes"] == minutes(after["start"]), entry["what"]
    assert all(entry["minutes"] > 0 and entry["minutes"] % 5 == 0 for entry in DAYS[name])
    assert set(DAYS) == set(HOURS)


@pytest.mark.parametrize("name", HOURS)
def test_nobody_sits_for_longer_than_ninety_minutes(name):
    sat = 0
    for entry in DAYS[name]:
        sat = 0 if entry["what"] in ("Break", "Lunch") else sat + entry["minutes"]
        assert sat <= LONGEST, entry["what"]
    assert [entry["minutes"] for entry in DAYS[name] if entry["what"] == "Break"].count(15) >= 2


@pytest.mark.parametrize("name", HOURS)
def test_a_day_is_as_long_as_its_page_says(name):
    day = DAYS[name]
    end = minutes(day[-1]["start"]) + day[-1]["minutes"]
    assert end - minutes(day[0]["start"]) == 60 * HOURS[name]
    breaks = sum(entry["minutes"] for entry in day if entry["what"] in ("Break", "Lunch"))
    taught = 60 * HOURS[name] - breaks
    said = f"From {day[0]['start']} to {end // 60}:{end % 60:02d}, {HOURS[name]} hours: "
    said += f"{taught // 60} hours {taught % 60} minutes together"
    assert teaching.summary(day).startswith(said) and said in guide_page().get_text()
    assert breaks == {"half_day": 30, "full_day": 105}[name]


def promised():
    """{chapter: anchors} that beats.md promises."""
    found = re.findall(r"`(\d\d_\w+)#([\w-]+)`", page("beats.md"))
    return {chapter: {anchor for other, anchor in found if other == chapter} for chapter, _ in found}


def anchor(heading):
    return "-".join(re.findall(r"[a-z0-9]+", heading.lower()))


@pytest.mark.parametrize("name", HOURS)
def test_what_a_schedule_names_is_in_the_book(name):
    for entry in DAYS[name]:
        assert set(entry) <= {"start", "minutes", "what", "chapter", "parts"}
        chapter, parts = entry["chapter"], entry.get("parts", [])
        if chapter in WRITTEN:
            assert set(parts) <= set(teaching.headings(chapter)), f"{chapter} lacks {parts}"
        elif chapter is not None:
            assert {anchor(part) for part in parts} <= promised()[chapter], f"{chapter} does not promise {parts}"
        assert bool(parts) == (chapter is not None)


def test_headings_are_not_found_in_code():
    assert "Noise" not in teaching.headings("01_noise") and "How do you draw?" in teaching.headings("01_noise")
    assert not [heading for heading in teaching.headings("07_chains") if "=" in heading]


def test_durations_in_words():
    assert teaching.duration(40) == "40 minutes" and teaching.duration(60) == "1 hour"
    assert teaching.duration(135) == "2 hours 15 minutes" and teaching.duration(0) == "0 minutes"


# The guide -----------------------------------------------------------------------------------------------------------


def built(name):
    """A page of the site, which must have been built."""
    return BeautifulSoup((SITE / f"book/{name}.html").read_text(encoding="utf-8"), "html.parser")


@cache
def guide_page():
    return built("teaching/guide")


def sections():
    """The guide's sections on chapters, {title: text}."""
    pieces = re.split(r"^### (.+)$", page("teaching/guide.md"), flags=re.M)[1:]
    return dict(zip(pieces[::2], pieces[1::2], strict=True))


def test_the_guide_has_a_section_for_every_chapter_by_its_title():
    titles = [re.search(r"^# (.+)$", nbformat.read(path, 4).cells[0].source, re.M)[1] for path in NOTEBOOKS]
    assert set(titles) <= set(sections()) and len(sections()) == 14
    assert [int(title.split(" · ")[0]) for title in sections()] == list(range(1, 15))


@pytest.mark.parametrize("title", sections())
def test_a_chapters_section_says_what_an_instructor_needs(title):
    text = " ".join(sections()[title].split())
    assert all(f"- **{label}**" in text for label in LABELS)
    chapter = re.search(r"\{hspace-room\} (\w+)", text)[1]
    assert int(chapter[:2]) == int(title.split(" · ")[0])
    assert text.split("**Ask.**")[1].split("**Expect.**")[0].count("*") >= 4, "at least two questions"
    if chapter in WRITTEN:
        cut = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", text.split("**When late.**")[1])
        assert {heading.rstrip(".") for heading in cut} <= set(teaching.headings(chapter))


def test_the_exercises_of_the_schedules_are_those_that_the_guide_recommends():
    advised = dict(re.findall(r"\{hspace-room\} (\w+)\n:exercise: (\d+)", page("teaching/guide.md")))
    for entry in (entry for day in DAYS.values() for entry in day):
        for part in entry.get("parts", []):
            if part.startswith("Exercise"):
                assert part == teaching.exercise(entry["chapter"], advised[entry["chapter"]])[0]


def test_a_room_shows_the_minutes_of_the_chapter_and_of_both_days():
    said = [element.get_text() for element in guide_page().select("p.room")]
    assert len(said) == 14
    head = next(cell.source for cell in nbformat.read(NOTEBOOKS[0], 4).cells if "About" in cell.source)
    alone = re.search(r"About (\d+) minutes", head)[1]
    assert said[0].startswith(f"Minutes: alone {alone}, half day 45, full day 50. ")
    assert "Exercise 1 · When does noise win? (5 minutes, easy)" in said[0]


def test_some_chapters_want_two_sessions_and_two_can_share_one():
    alone = {int(name[:2]): teaching.minutes_alone(name) for name in WRITTEN}
    assert {number for number, long in alone.items() if long > LONGEST} == {8, 10, 11}
    assert alone[1] + alone[2] <= LONGEST
    said = " ".join(page("teaching/guide.md").split())
    assert "chapters 8, 10 and 11 want two each, and 1 and 2 can share one" in said


def test_schedules_lead_to_the_sections_of_chapters():
    links = {a["href"] for a in guide_page().select("table.schedule a")}
    assert "../../chapters/12_fifty_directions.html#what-they-do" in links
    for link in links:
        file, _, fragment = link.partition("#")
        target = (SITE / "book/teaching" / file).resolve()
        assert not fragment or f'id="{fragment}"' in target.read_text(encoding="utf-8"), link


# The sheet -----------------------------------------------------------------------------------------------------------


def entries(M):
    return r" \\ ".join(" & ".join(f"{value:g}" for value in row) for row in np.atleast_2d(M))


def test_the_numbers_on_the_sheet_are_right():
    sheet = page("teaching/handout.md")
    p, v, step = np.array([2.0, 3.0]), np.array([0.3, 0.7]), 1e-6

    def h(x):
        return np.array([x[0] ** 2 + x[1], x[0] + x[1]])

    J = np.stack([(h(p + step * e) - h(p - step * e)) / (2 * step) for e in np.eye(2)], axis=1).round(4)
    assert entries(W.numpy().round(4)) in sheet and entries(J) in sheet
    assert "h(p) = ({:g}, {:g})".format(*h(p)) in sheet and "J v = ({:g}, {:g})".format(*(J @ v).round(4)) in sheet


def test_the_sheets_pictures_come_from_the_chapters():
    asked = re.findall(r"\{hspace-picture\} (\w+)\n:by: (.+)", page("teaching/handout.md"))
    shown = built("teaching/handout").select(".handout img")
    assert len(shown) == len(asked) >= 8
    for image, (chapter, call) in zip(shown, asked, strict=True):
        assert image["alt"] == teaching.picture(chapter, call)[1]
    with pytest.raises(ValueError, match=r"no picture by 'figures.none"):
        teaching.picture("01_noise", "figures.none")
    with pytest.raises(ValueError, match="no exercise 99"):
        teaching.exercise("01_noise", 99)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sheet_prints_on_both_sides_of_one_a4_and_nothing_is_cut_off(scheme):
    with serve(SITE) as server, chromium() as browser:
        tab = browser.new_page(viewport={"width": 718, "height": 1000}, color_scheme=scheme)
        tab.goto(f"{server.address}/book/teaching/handout.html")
        tab.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
        tab.wait_for_function("[...document.images].every(image => image.complete)")
        tab.wait_for_function("document.querySelectorAll('mjx-container').length > 20")
        printed = tab.pdf(prefer_css_page_size=True)
        tab.emulate_media(media="print", color_scheme=scheme)
        wide = tab.evaluate(
            "[...document.querySelectorAll('.handout div.math')].filter(m => m.scrollWidth > m.clientWidth + 1).length"
        )
        colour = tab.evaluate("getComputedStyle(document.querySelector('.handout p')).color")
    assert printed.count(b"/Type /Page\n") == 2 and b"/MediaBox [0 0 594.95" in printed
    assert wide == 0 and colour == "rgb(0, 0, 0)"


# When it does not work -----------------------------------------------------------------------------------------------


def template(node):
    """A string of the code as a regular expression for what it prints; "" where hardly any of it is fixed."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    fixed = [part.value if isinstance(part, ast.Constant) else None for part in parts]
    if sum(len(text.strip()) for text in fixed if text) < 12:
        return ""
    line = "".join("(.+)" if text is None else re.escape(text) for text in fixed)
    return line.split("\\\n")[0]  # what follows on further lines is another program's message


@cache
def templates():
    found = set()
    for path in (ROOT / "lib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
                found.add(template(node))
    return [re.compile(each) for each in found - {""}]


def is_ours(message):
    """Whether the library can print it: some string of its code fits, and what it inserts, if long, is one as well."""
    for each in templates():
        match = each.fullmatch(message)
        if match and all(len(WORD.findall(group)) < 4 or is_ours(group) for group in match.groups()):
            return True
    return False


def quoted():
    return re.findall(r"```text\n(.+?)\n```", page("trouble.md"), re.S)


@pytest.mark.parametrize("message", dict.fromkeys(quoted()))
def test_quoted_messages_are_those_that_are_printed(message):
    assert message.startswith(FOREIGN) or is_ours(PREFIX.sub("", message)), message


def test_the_test_for_messages_can_fail():
    assert is_ours("no folder cats; a model on the hub is named owner/name")
    assert not is_ours("no folder cats; a model of the hub is named owner/name")
    assert not is_ours("could not fetch 'a/b' from the hub: something that nobody ever wrote in there")
    assert all(any(message.startswith(begins) for message in quoted()) for begins in FOREIGN)


def test_pips_messages_name_what_this_package_asks_for():
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [torch] = [line for line in asked["dependencies"] if line.startswith("torch")]
    assert f"No matching distribution found for {torch}" in page("trouble.md")
    assert f"not in '{asked['requires-python']}'" in page("trouble.md")


def test_messages_that_can_be_had_here_are_word_for_word():
    alice = hspace.load()
    x = alice.noise(seed=7)
    causes = [
        lambda: hspace.load("cats"),
        lambda: alice.denoise(x, stop=620),
        lambda: alice.h(x.flatten(), 600),
        lambda: alice.jacobian(alice.noise(seed=[1, 2]), 600),
    ]
    for cause in causes:
        with pytest.raises((ValueError, OSError)) as caught:
            cause()
        assert f"{caught.typename}: {caught.value}" in quoted()


def test_every_trouble_says_why_and_what_to_do():
    entries = re.split(r"^### .+$", page("trouble.md"), flags=re.M)[1:]
    told = [entry for entry in entries if "**" in entry]
    assert len(told) >= 25
    for entry in told:
        assert entry.count("**Why.**") == entry.count("**What to do.**") == 1, entry[:80]
