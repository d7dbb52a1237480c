/** The tools above a moving picture: one place back, play or pause, one place on, and its numbers as a file. */

const { search } = new URL(import.meta.url); // the version, the same for all files that a component imports

const ICONS = {
  back: "M18 6l-8.5 6L18 18zM6 6v12",
  play: "M7 4.5v15l12-7.5z",
  pause: "M8 5v14M16 5v14",
  forward: "M6 6l8.5 6L6 18zM18 6v12",
  csv: "M12 4v10m0 0l-4.5-4.5M12 14l4.5-4.5M4 16v4h16v-4",
};

/**
 * Return the buttons { back, play, forward, csv }; what stands together goes into a .group, and all into .tools.
 *
 * icons: name → path, of further buttons and of those that are to look otherwise.
 */
export function buttons(icons = {}) {
  const { pause, ...all } = { ...ICONS, ...icons };
  return Object.fromEntries(Object.entries(all).map(([name, path]) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: name });
    made.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
    return [name, made];
  }));
}

/** Take the words of a language for all but the play button. */
export function label({ play, ...others }, labels) {
  for (const [name, button] of Object.entries(others)) call(button, labels[name]);
}

/** Make the play button one that pauses, or back. */
export function turn({ play }, playing, labels) {
  const name = playing ? "pause" : "play";
  play.querySelector("path").setAttribute("d", ICONS[name]);
  call(play, labels[name]);
}

function call(button, text) {
  button.title = text;
  button.setAttribute("aria-label", text);
}

/** Load tools.css and a component's own `sheet` into `parent`, a shadow root or the document's head. */
export async function style(parent, sheet) {
  await Promise.all([new URL(`tools.css${search}`, import.meta.url), sheet].map((href) => new Promise((done) => {
    parent.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href, onload: done, onerror: done }));
  })));
}

/** Put a component's hidden root into its place; show it once its style sheets are there. */
export async function dress(parent, root, sheet) {
  const styled = style(parent, sheet);
  parent.append(root);
  await styled;
  parent.querySelector(".room")?.remove();
  root.hidden = false; // no flash of bare elements
}
