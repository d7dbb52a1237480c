/** The tools above a moving picture: one place back, play or pause, one place on, and its numbers as a file. */

const { search } = new URL(import.meta.url); // the version, the same for all files that a component imports

const ICONS = {
  back: "M18 6l-8.5 6L18 18zM6 6v12",
  play: "M7 4.5v15l12-7.5z",
  pause: "M8 5v14M16 5v14",
  forward: "M6 6l8.5 6L6 18zM18 6v12",
  csv: "M12 4v10m0 0l-4.5-4.5M12 14l4.5-4.5M4 16v4h16v-4",
};

/** Return the buttons { back, play, forward, csv }; what stands together goes into a .group, and all into .tools. */
export function buttons() {
  return Object.fromEntries(["back", "play", "forward", "csv"].map((name) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: name });
    made.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
    return [name, made];
  }));
}

/** Take the words of a language for all but the play button. */
export function name({ back, forward, csv }, labels) {
  call(back, labels.back);
  call(forward, labels.forward);
  call(csv, labels.csv);
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

/** Put a component's hidden root into its place; show it once tools.css and its own `sheet` are there. */
export async function dress(parent, root, sheet) {
  const sheets = [new URL(`tools.css${search}`, import.meta.url), sheet].map((href) =>
    Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
  const loaded = sheets.map((link) => new Promise((done) => (link.onload = link.onerror = done)));
  parent.append(...sheets, root);
  await Promise.all(loaded);
  parent.querySelector(".room")?.remove();
  root.hidden = false; // no flash of bare elements
}
