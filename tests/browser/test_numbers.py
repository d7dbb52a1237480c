"""Numbers as every component of ours shows them (pages/_ui/served/numbers.js), and the elements that they stand in."""

from __future__ import annotations

import itertools
import json

import pytest

pytestmark = pytest.mark.browser

IMPORTED = """async ([file, code]) => {
  const them = await import(`/ui/served/${file}.js`);
  return new Function(...Object.keys(them), `return ${code}`)(...Object.values(them));
}"""

SHOWN = {
    "decimals(2.5, 3)": "2.5",
    "decimals(-1234.5678, 2)": "−1234.57",
    "decimals(-0.0004, 3)": "0",  # no "−0"
    "decimals(0.5, 2, 2)": "0.50",
    "significant(0, 3)": "0",
    "significant(1234.5678, 4)": "1235",
    "significant(-0.00012, 4)": "−1.2e−4",
    "significant(1e6, 8)": "1e6",
    "significant(NaN, 4)": "–",
    "significant(Infinity, 4)": "–",
    "percent(0.97456)": "97.5%",
    "percent(-0.0004)": "0.0%",
    "percent(1, 0)": "100%",
    "percent(NaN)": "–",
    "steady(0)": "0",
    "steady(1.5)": "1.50",
    "steady(-1234.5)": "−1234",
    "steady(0.00001234)": "1.23e−5",
    "plain(0.1 + 0.2)": "0.3",
    "plain(-20)": "−20",
    "ticks(0, 1)": [0, 0.2, 0.4, 0.6, 0.8, 1],
    "ticks(-0.3, 0.3, 3)": [-0.2, 0, 0.2],
    "ticks(99.5, 100.4, 2)": [99.5, 100],
}


@pytest.fixture(scope="module")
def evaluate(opened, profile, app_url):
    with opened(profile) as page:
        page.goto(f"{app_url}/_stcore/health")  # a document of the server's, no page of ours
        yield lambda file, code: page.evaluate(IMPORTED, [file, code])


def test_numbers_are_shown_as_they_are_read(evaluate):
    assert dict(zip(SHOWN, evaluate("numbers", f"[{', '.join(SHOWN)}]"), strict=True)) == SHOWN


def test_ticks_are_round_evenly_apart_and_about_as_many_as_asked_for(evaluate):
    cases = itertools.product([-1e5, -7.3, -1e-4, 0, 3e-7, 12], [1e-3, 0.7, 3, 999, 2e8], [2, 5, 9])
    spans = [(low, low + span, about) for low, span, about in cases]
    found = evaluate("numbers", f"{json.dumps(spans)}.map((it) => ticks(...it))")
    for (low, high, about), ticks in zip(spans, found, strict=True):
        assert about / 2.6 - 1 <= len(ticks) <= about + 1
        slack = 1e-6 * (high - low)
        assert all(low - slack <= tick <= high + slack for tick in ticks)
        for a, b in itertools.pairwise(ticks):
            assert f"{b - a:.2e}"[:4] in ("1.00", "2.00", "5.00")


def test_an_element_has_properties_and_attributes_and_a_template_its_fields(evaluate):
    made = 'element("input", {type: "range", max: 7, value: 5, className: "a", "aria-label": "b", hidden: true})'
    assert evaluate("dom", f"{made}.outerHTML") == '<input type="range" max="7" class="a" aria-label="b" hidden="">'
    assert evaluate("dom", f"{made}.value") == "5"
    assert evaluate("dom", 'element("p", {}, "a", element("b", {textContent: "<"})).innerHTML') == "a<b>&lt;</b>"
    assert evaluate("dom", 'change(svg("g", {x: 1, y: 2}), {x: null, z: 3}).outerHTML') == '<g y="2" z="3"></g>'
    assert evaluate("dom", 'fill("{a} of {b}, {c}", {a: 0, b: "x"})') == "0 of x, {c}"
