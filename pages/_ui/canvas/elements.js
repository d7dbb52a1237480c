/* Icons, and what a hand's quick movements change again and again: what the parts of the pad are made of. */

const ICONS = {
  pen: "M4 20l1-4L16.5 4.5a2 2 0 0 1 3 3L8 19l-4 1zM14.5 6.5l3 3",
  eraser: "M8.5 19.5L3.8 14.8a1.5 1.5 0 0 1 0-2.1l8.4-8.4a1.5 1.5 0 0 1 2.1 0l5.2 5.2a1.5 1.5 0 0 1 0 2.1l-7.9 7.9z"
    + "M8.5 19.5H20M8 8.5l7.3 7.3",
  undo: "M9 6L4.5 10.5 9 15M4.5 10.5H14a5 5 0 0 1 0 10h-3",
  redo: "M15 6l4.5 4.5L15 15M19.5 10.5H10a5 5 0 0 0 0 10h3",
  clear: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 10.5v6M13.5 10.5v6",
};

/** Return an icon by name. */
export function icon(name) {
  const template = document.createElement("template");
  template.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
  return template.content.firstChild;
}

/** Give a property or an attribute ("aria-…") of an element another value; the same one costs nothing. */
export function put(made, name, value) {
  if (!name.startsWith("aria-")) {
    if (made[name] !== value) made[name] = value;
  } else if (made.getAttribute(name) !== value) {
    made.setAttribute(name, value);
  }
}
