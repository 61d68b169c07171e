"""The graph to walk: its numbers are the engine's, at every step, in Python and in the browser."""

import json
import re

import pytest
import torch
from browser import rested, says
from bs4 import BeautifulSoup
from playwright.sync_api import expect
from test_widgets_pictures import page, show, state  # noqa: F401  (page is a fixture)

from hspace.engine import Node, graph, jvp, kept, vjp
from hspace.widgets import Graph
from hspace.widgets.graph import written

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script`:DeprecationWarning")
W = torch.tensor([[2.0, 0.75], [-0.5, 1.5]], dtype=torch.float64)


def skip():
    """W, x, and the end of a layer with a connection that goes round it."""
    weights, x = Node(W, "W"), Node([0.3, 0.7], "x")
    y = (weights @ x).tanh() + x
    return weights, x, ((y - torch.ones(2)) ** 2).sum()


def live(**options):
    _, x, end = skip()
    return Graph(end, steps={x: [1.0, 0.0]}, **options)


def test_every_number_is_the_engines():
    _, x, end = skip()
    figure = Graph(end, steps={x: [1.0, 0.0]})
    order, told, moved = graph(end), vjp(end), jvp(end, {x: [1.0, 0.0]})
    assert [node["name"] for node in figure.nodes] == [node.name for node in order]
    for node, given in zip(order, figure.nodes, strict=True):
        assert given["input"] == (not node.links)
        torch.testing.assert_close(torch.tensor(given["value"], dtype=torch.float64), node.value)
        torch.testing.assert_close(torch.tensor(given["told"], dtype=torch.float64), told[node])
        assert (given["moved"] is None) == (node not in moved)
    assert figure.nodes[-1]["moved"] == pytest.approx(float(moved[end]))


def test_what_goes_along_the_arrows_adds_up_at_the_nodes():
    figure = live()
    for i, node in enumerate(figure.nodes):
        for kind, side in (("told", "start"), ("moved", "end")):
            parts = [torch.tensor(link[kind]) for link in figure.links if link[side] == i and link[kind] is not None]
            if parts:
                torch.testing.assert_close(sum(parts), torch.tensor(node[kind]), msg=f"{kind} of {node['name']}")


def test_what_is_kept_is_there_once():
    _, _, end = skip()
    figure = Graph(end)
    assert sum(torch.tensor(tensor).numel() for tensor in figure.stored) == kept(end)
    assert {link["what"] for link in figure.links if link["keeps"] is not None} == {"slopes", "the other factor"}


def test_without_steps_there_is_no_forward_mode():
    _, _, end = skip()
    figure = Graph(end)
    assert all(node["moved"] is None for node in figure.nodes) and figure.length == 12
    with pytest.raises(ValueError, match="needs steps"):
        figure.mode = "forward"
    figure = live()
    figure.at = 12
    figure.mode = "forward"
    assert figure.at == 0 and figure.length == 6


def test_the_description_tells_the_walk():
    said = live(title="A layer").describe()
    assert said.startswith("A layer: a graph from x and W, walked forward and back.")
    assert "Forward: @ = (1.125, 0.9), tanh = (0.809, 0.716)" in said and "numbers are kept." in said
    assert "Back, from 1: x is told (" in said and ", W is told (" in said
    assert "In forward mode a step of x by (1, 0) moves the end by" in said


def test_a_reading_may_be_a_vector():
    x = Node([1.0, 2.0], "x")
    figure = Graph(x * 3, reading=[1.0, 0.0])
    assert figure.nodes[0]["told"] == [3.0, 0.0] and "Back, from (1, 0)" in figure.describe()
    with pytest.raises(ValueError, match=r"more than one number: give a reading"):
        Graph(x * 3)


def test_a_page_keeps_its_state():
    figure = live(title="A <b>")
    [element] = BeautifulSoup(figure.html(), "html.parser").contents
    assert element["data-widget"] == "graph" and element.p.text == figure.describe()
    assert json.loads(element["data-state"]) == figure.state()


def test_numbers_in_words():
    assert written(0.12345) == "0.123" and written(-2.0) == "−2" and written(-0.0001) == "0"
    assert written([[1.0, 2.0], [3.0, 0.5]]) == "(1, 2; 3, 0.5)"


def long(count):
    x = Node(0.1, "x")
    for _ in range(count):
        x = x.sin()
    return x


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: Graph(W), "is no node"),
        (lambda: Graph(Node(1.0, "x")), "1 nodes"),
        (lambda: Graph(long(16)), "17 nodes"),
        (lambda: Graph(Node(torch.ones(13), "x").sum()), "13 numbers"),
        (lambda: Graph(sum((Node(1.0) * Node(2.0) for _ in range(3)), Node(0.0))), "boxes"),
        (lambda: Graph(Node(0.0, "x").log()), "NaN or infinite"),
        (lambda: Graph(long(2), reading=[1.0, 2.0]), "needs"),
    ],
)
def test_what_cannot_be_shown_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        wrong()


def test_numbers_set_later_are_checked():
    figure = live()
    for name, value in {"at": 13, "mode": "sideways"}.items():
        with pytest.raises(ValueError, match=f"{name}="):
            setattr(figure, name, value)


# In the browser


def at(page, step):  # noqa: F811
    page.evaluate("at => { model.set('at', at); }", step)
    expect(page.locator(".hs-count")).to_contain_text(re.compile(f"^{step} /"))


def boxes(page):  # noqa: F811
    """The texts in the boxes, {name: [value, what it was told]}; names stand once."""
    texts = rested(page).evaluate("""() => [...document.querySelectorAll('.hs-node')]
      .map(e => [...e.querySelectorAll('text')].map(t => t.textContent))""")
    return {name: rest for name, *rest in texts}


def test_forward_then_back(page):  # noqa: F811
    _, x, end = skip()
    show(page, live())
    texts = boxes(page)
    assert texts["x"] == ["(0.3, 0.7)"] and len(texts["W"]) == 1
    assert not any(texts[name] for name in ("@", "tanh", "+", "−", "^2", "sum"))
    says(page, "Numbers kept for the way back", "0")
    at(page, 1)
    assert boxes(page)["@"] == ["(1.125, 0.9)"]
    expect(page.locator(".hs-remark")).to_contain_text("both factors")
    says(page, "Numbers kept for the way back", "6")
    at(page, 6)
    assert boxes(page)["sum"] == [written(float(end.value)), "↑ 1"]
    says(page, "Numbers kept for the way back", str(kept(end)))
    at(page, 12)
    assert boxes(page)["x"][1] == f"↑ {written(vjp(end)[x].tolist())}"
    says(page, "Numbers kept for the way back", "0")


def test_a_node_that_is_used_twice_waits_and_adds(page):  # noqa: F811
    _, x, end = skip()
    show(page, live())
    at(page, 10)  # the plus has handed on; the way through W is still open
    expect(page.locator(".hs-remark")).to_have_text("x has not heard from all who use it, and waits.")
    plus = next(node for node in graph(end) if node.name == "+")
    assert boxes(page)["x"][1] == f"↑ {written(vjp(end)[plus].tolist())}"
    at(page, 12)
    expect(page.locator(".hs-remark")).to_contain_text("What it is told is added up.")
    assert boxes(page)["x"][1] == f"↑ {written(vjp(end)[x].tolist())}"


def test_forward_mode_carries_the_step_along_and_keeps_nothing(page):  # noqa: F811
    _, x, end = skip()
    show(page, live())
    at(page, 3)
    page.get_by_role("button", name="Forward mode").click()
    assert state(page, "mode") == "forward" and state(page, "at") == 0
    assert boxes(page)["x"] == ["(0.3, 0.7)", "→ (1, 0)"]
    at(page, 1)
    says(page, "Its own step", "(2, −0.5)")
    at(page, 6)
    says(page, "Numbers needed now", "0")
    assert boxes(page)["sum"][1] == f"→ {written(float(jvp(end, {x: [1.0, 0.0]})[end]))}"
    expect(page.get_by_role("button", name="Next")).to_have_attribute("aria-disabled", "true")


def test_buttons_and_keys_step_and_what_happened_is_said(page):  # noqa: F811
    show(page, live())
    expect(page.get_by_role("button", name="Back")).to_have_attribute("aria-disabled", "true")
    page.get_by_role("button", name="Next").click()
    assert state(page, "at") == 1  # drawn: the slider goes on from what it shows
    slider = page.get_by_label("Step", exact=True)
    slider.press("ArrowRight")
    assert state(page, "at") == 2
    expect(slider).to_have_attribute("aria-valuetext", "step 2 of 12")
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('tanh = (0.809, 0.716)')")
    slider.press("End")
    assert state(page, "at") == 12
    page.get_by_role("button", name="Back").click()
    assert state(page, "at") == 11


def test_a_title_stays_text_and_modes_are_offered_only_with_steps(page):  # noqa: F811
    _, _, end = skip()
    show(page, Graph(end, title="<i>L</i>"))
    expect(page.locator(".hs-title")).to_have_text("<i>L</i>")
    expect(page.locator("main i")).to_have_count(0)
    expect(page.get_by_role("button", name="Forward mode")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_the_figure_fits(page, width):  # noqa: F811
    page.set_viewport_size({"width": width, "height": 800})
    show(page, live(title="A layer"))
    at(page, 12)
    assert rested(page).evaluate("document.documentElement.scrollWidth") <= width
    wide = rested(page).evaluate("""() => [...document.querySelectorAll('.hs-node')].filter(e => {
      const box = e.querySelector('rect').getBoundingClientRect();
      return [...e.querySelectorAll('text')].map(t => t.getBoundingClientRect())
        .some(t => t.left < box.left - 1 || t.right > box.right + 1);
    }).map(e => e.textContent)""")
    assert wide == []
    page.set_viewport_size({"width": 900, "height": 900})


def test_cleaning_up_leaves_nothing(page):  # noqa: F811
    show(page, live())
    page.evaluate("clean()")
    expect(page.locator("main *")).to_have_count(0)
    assert rested(page).evaluate("Object.values(model.calls).flat().length") == 0
