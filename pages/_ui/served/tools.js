/** The tools above a moving picture: one place back, play or pause, one place on, and its numbers as a file. */

const { search } = new URL(import.meta.url); // the version, the same for all files that a component imports
const { element } = await import(new URL(`dom.js${search}`, import.meta.url));

export const SHEET = new URL(`tools.css${search}`, import.meta.url); // what they look like

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
    const innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;
    return [name, element("button", { type: "button", className: name, innerHTML })];
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
