"""What every component of ours does with its place in the page: Streamlit's calls, in every order that they come in."""

from __future__ import annotations

import pytest

from tests.browser.conftest import wait_ready

pytestmark = pytest.mark.browser

# Runs `play`, which has mount(n, attention) → the end of that call, the place, pause(), and go(), which ends the wait.
STAGE = """async ([waits, play]) => {
  const { mounted } = await import(new URL("ui/served/mount.js", document.baseURI));
  const log = [], place = document.createElement("div");
  let views = 0, go;
  const ready = new Promise((done) => (go = done));
  document.body.append(place);
  const show = mounted(() => {
    const name = "ab"[views++];
    const root = document.createElement("p");
    root.scrollIntoView = () => {};
    const say = (what) => log.push(name + what);
    return { root, update: ({ data }) => say(data.n), again: () => say("!"), close: () => say("x") };
  }, waits ? () => ready : undefined);
  const mount = (n, attention) => show({ parentElement: place, data: { n, attention } });
  const pause = () => new Promise((done) => setTimeout(done, 250));
  await new Function("mount", "place", "pause", "go", `return (async () => { ${play} })()`)(mount, place, pause, go);
  place.remove();
  return log.join(" ");
}"""

AGAIN = "place.remove(); end(); document.body.append(place);"
ORDERS = {
    "one after the other": (False, "mount(1); const end = mount(2); place.remove(); end()", "a1 a2 ax"),
    "overtaken": (False, "mount(1)(); mount(2)(); await pause(); place.remove(); await pause()", "a1 a2 ax"),
    "overtaken late": (False, "mount(1)(); await pause(); mount(2)(); place.remove(); await pause()", "a1 a2 ax"),
    "its place goes late": (False, "mount(1)(); await pause(); place.remove(); await pause()", "a1 ax"),
    "ended twice": (False, "const end = mount(1); end(); place.remove(); end(); await pause()", "a1 ax"),
    "mounted anew": (False, f"const end = mount(1); {AGAIN} mount(2)", "a1 ax b2"),
    "two wait": (True, "const calls = [mount(1), mount(2)]; go(); (await calls[0])(); await pause()", "a1 a2"),
    "gone while it waited": (True, "const late = mount(1); place.remove(); go(); (await late)?.()", ""),
    "called": (False, "[0, 1, 1, 2, 0, 2].forEach((attention, n) => mount(n, attention))", "a0 a1 a! a2 a3 a! a4 a5"),
    "called with another": (False, f"const end = mount(1, 3); {AGAIN} mount(2, 3); mount(3, 4)", "a1 a! ax b2 b3 b!"),
}


@pytest.mark.parametrize(("waits", "play", "log"), ORDERS.values(), ids=ORDERS)
def test_a_view_is_made_once_and_ends_when_its_place_goes(page, app_url, waits, play, log):
    page.goto(app_url)
    wait_ready(page)
    assert page.evaluate(STAGE, [waits, play]) == log
