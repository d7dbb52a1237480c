/** What every component's pictures are made of: elements, their texts, their style sheets. No state. */

export const range = (n, make) => Array.from({ length: n }, (_, i) => make(i));
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Return a template with its {fields} filled. */
export const fill = (template, values) => template.replace(/\{(\w+)\}/g, (field, name) => values[name] ?? field);

/** Return a new HTML element. What it has as a property (className, hidden) is set as one, all else becomes an attribute. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Return a new SVG element with attributes and children. */
export function svg(tag, attributes = {}, ...children) {
  const made = change(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes);
  made.append(...children);
  return made;
}

/** Give an element's attributes other values, and return it; null takes one away, the same one costs nothing. */
export function change(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) target.removeAttribute(name);
    else if (target.getAttribute(name) !== String(value)) target.setAttribute(name, value);
  }
  return target;
}

/** Change an element's text, and touch it only where it differs. */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** Load style sheets into `parent`, a shadow root or the document's head. */
export async function style(parent, ...sheets) {
  await Promise.all(sheets.map((href) => new Promise((done) => {
    parent.append(element("link", { rel: "stylesheet", href, onload: done, onerror: done }));
  })));
}

/** Put a component's hidden root into its place, and show it once its style sheets are there. */
export async function dress(parent, root, ...sheets) {
  const styled = style(parent, ...sheets);
  parent.append(root);
  await styled;
  parent.querySelector(".room")?.remove();
  root.hidden = false; // no flash of bare elements
}
