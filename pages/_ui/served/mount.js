/** What every component of ours does with its place in the page, for the buttons there, and with a table of numbers. */

export const STILL = matchMedia("(prefers-reduced-motion: reduce)").matches;

const HEADER = 60; // pixels at the top that Streamlit's header covers
const ARRIVAL = 10_000; // ms that a page followed a link to is waited for at most; a busy server takes seconds
const REST = 500, AT_MOST = 10_000; // ms that what was scrolled to has to rest, and that this is waited for at most

/**
 * Return what Streamlit is to call at the first mount and whenever data, theme or page change.
 *
 * create(component) makes a view with update(component) and close(); ready, if given, returns what to wait for first.
 * Where the page may call for attention (by another `data.attention`), a view also has its root, which is then brought
 * into sight, and may have again(), to begin anew.
 *
 * What each call returns is called when the component goes, but also when a newer call overtakes that one: then the view
 * stays, with whatever a hand is doing in it. Which of the two it is shows later: its place goes, or the newer call comes.
 */
export function mounted(create, ready) {
  const views = new WeakMap(); // the element that Streamlit gives → its view
  const places = new WeakMap(); // the same element → the path of its page
  const calls = new WeakMap(); // view → how often it was updated
  let heeded = 0; // the latest call for attention that a view has answered; the next one may come with a new view
  const show = (given) => {
    const { parentElement, data: { attention } } = given;
    if (!places.has(parentElement)) {
      places.set(parentElement, location.pathname);
      if (location.pathname !== from) leave(-Infinity); // the page that was asked for has come
    }
    const component = untilLeft(given, places.get(parentElement));
    if (!views.has(parentElement)) views.set(parentElement, create(component));
    const view = views.get(parentElement), call = (calls.get(view) ?? 0) + 1;
    calls.set(view, call);
    view.update(component);
    if (attention && attention !== heeded) {
      heeded = attention;
      view.again?.();
      reveal(view.root);
    }
    const end = () => {
      if (views.get(parentElement) !== view) return;
      views.delete(parentElement);
      view.close();
    };
    return function settle() {
      if (!parentElement.isConnected) end();
      else if (calls.get(view) === call) setTimeout(settle, 100);
    };
  };
  if (!ready) return show;
  return async (component) => {
    await ready();
    return component.parentElement.isConnected ? show(component) : undefined; // it may have gone meanwhile
  };
}

/**
 * Return a component that tells Streamlit its values until its page is left.
 *
 * After "Back" or a link, Streamlit has asked for another page; but until that begins to come, whatever a component says
 * is a request for its own page, which would then stay, or come back.
 */
function untilLeft(component, place) {
  const stays = () => location.pathname === place && performance.now() - left > ARRIVAL;
  const guarded = (set) => (...value) => stays() && set(...value);
  const { setStateValue, setTriggerValue } = component;
  return { ...component, setStateValue: guarded(setStateValue), setTriggerValue: guarded(setTriggerValue) };
}

let left, from; // when a page was left last, and its path where the address keeps it until the next one comes
let shown; // the path of the page that was left, or came, last
const leave = (when, path) => [left, from, shown] = [when, path, location.pathname];
leave(-Infinity);

addEventListener("popstate", () => leave(location.pathname === shown ? -Infinity : performance.now()));

addEventListener("click", (event) => {
  const link = event.composedPath().find((it) => it instanceof HTMLAnchorElement);
  const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || link?.target || link?.download;
  if (!link || elsewhere || link.origin !== location.origin || link.pathname === location.pathname) return;
  leave(performance.now(), location.pathname);
}, { capture: true });

/**
 * Scroll until an element is in sight from its top on, as soon as it is not hidden, and see that it stays there.
 *
 * While the page's script runs, what the page showed before still stands above and below; it goes at the end. So look
 * at every frame until the script has ended and the element rests, or until a hand takes over.
 */
function reveal(root) {
  const hand = new AbortController(), begin = performance.now();
  for (const sign of ["wheel", "touchmove", "pointerdown", "keydown"]) {
    addEventListener(sign, () => hand.abort(), { capture: true, passive: true, signal: hand.signal });
  }
  let before, rested; // where it was a frame ago, and since when it has been there
  const look = () => {
    if (hand.signal.aborted) return;
    const now = performance.now(), { top, bottom } = root.getBoundingClientRect();
    const rests = !root.hidden && (before === undefined || before === top);
    if (rests && (top < HEADER || bottom > innerHeight)) root.scrollIntoView({ behavior: STILL ? "instant" : "smooth" });
    rested = rests && !isScriptRunning() ? rested ?? now : undefined;
    before = root.hidden ? undefined : top;
    if (now - (rested ?? now) < REST && now - begin < AT_MOST && root.isConnected) requestAnimationFrame(look);
    else hand.abort();
  };
  look();
}

const isScriptRunning = () =>
  ["running", "rerunRequested"].includes(document.querySelector("[data-testid=stApp]")?.dataset.testScriptState);

/*
 * A button that another takes the place of, "Pause" that of "Train", takes the keyboard's focus with it: the browser then
 * puts it on the page. It belongs on the button that came, so that the same key starts and pauses.
 */
let held; // the button of the page that has the focus, the row it stands in, and where there

function hold(target) {
  const row = target.matches("button") && target.closest("[data-testid=stHorizontalBlock]");
  held = row && { button: target, row, place: [...row.children].findIndex((child) => child.contains(target)) };
}

hold(document.activeElement ?? document.body);
addEventListener("focusin", (event) => hold(event.target));

new MutationObserver(() => {
  if (!held || held.button.isConnected) return;
  const { row, place } = held, nobody = document.activeElement === document.body;
  held = null;
  if (nobody) row.children[place]?.querySelector("button")?.focus({ preventScroll: true });
}).observe(document.body, { childList: true, subtree: true });

/**
 * Call `changed` whenever a pixel of the page becomes another number of the screen's: the window was moved to another
 * screen, and no size in the page has changed. Return what ends that.
 */
export function onOtherScreen(changed) {
  const end = new AbortController();
  const listen = () => {
    const same = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    same.addEventListener("change", () => {
      listen();
      changed();
    }, { once: true, signal: end.signal });
  };
  listen();
  return () => end.abort();
}

/** Have the browser save rows of cells as a CSV file. What is not there, or no finite number, is an empty cell. */
export function save(rows, name) {
  const cell = (value) => {
    if (typeof value === "number" && !Number.isFinite(value)) return "";
    const text = String(value ?? "");
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = Array.from(rows, (row) => Array.from(row, cell).join());
  const link = Object.assign(document.createElement("a"), { download: name });
  link.href = URL.createObjectURL(new Blob([lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
