/** Elements and numbers: what the pictures of this folder share. */

const SVG = "http://www.w3.org/2000/svg";

/** Return a new HTML element. Properties starting with "aria-", "data-" or "role" become attributes. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(aria-|data-|role)/.test(name)) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** Return a new SVG element with these attributes. */
export function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  set(made, attributes);
  made.append(...children);
  return made;
}

export function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

export const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);

const decimals = new Intl.NumberFormat("en", { maximumFractionDigits: 3, useGrouping: false, signDisplay: "negative" });
const fixed = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2, useGrouping: false, signDisplay: "negative" });

/** Return a number in at most three decimals, or in just two, with a real minus sign. */
export const shown = (value) => decimals.format(value).replace("-", "−");
export const two = (value) => fixed.format(value).replace("-", "−");

/** Change a text only where it is another one. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
