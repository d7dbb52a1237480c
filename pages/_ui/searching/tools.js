/* What the parts of the search view are drawn with: elements, numbers as text, places on an axis, colours. No state. */

const set = (made, properties) => {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) made.removeAttribute(name);
    else if (made.getAttribute(name) !== String(value)) made.setAttribute(name, value);
  }
  return made;
};

/** Change attributes; null takes one away. */
export const change = set;

/** Return a new HTML element with attributes and children. */
export function element(tag, attributes = {}, ...children) {
  const made = set(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

/** Return a new SVG element with attributes and children. */
export function svg(tag, attributes = {}, ...children) {
  const made = set(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes);
  made.append(...children);
  return made;
}

/** Change an element's text, and touch it only where it differs. */
export function say(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export const range = (n, make) => Array.from({ length: n }, (_, i) => make(i));
export const fill = (template, values) => template.replace(/\{(\w+)\}/g, (field, name) => values[name] ?? field);

/** Return a number as it is shown: three digits, a power of ten for what is very small or large. */
export function shown(value, digits = 3) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size < 1e-3 || size >= 1e5
    ? value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e")
    : String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−");
}

/** Return an accuracy as it is shown. */
export const percent = (accuracy) => `${(100 * accuracy).toFixed(1)} %`;

/** Return what is shown for a field's value. */
export function word(field, value) {
  return field.options?.find((option) => option.value === value)?.label ?? shown(value);
}

/** Return how far along its axis a value lies, 0 … 1. */
export function place(field, value) {
  if (field.options) {
    const n = field.options.length;
    return (field.options.findIndex((option) => option.value === value) + 0.5) / n;
  }
  const to = field.log ? Math.log10 : (x) => x;
  return (to(value) - to(field.low)) / (to(field.high) - to(field.low));
}

/** Return [place, text] for the ticks of a field's axis, about so many. */
export function ticks(field, about = 5) {
  if (field.options) return field.options.map(({ value, label }) => [place(field, value), label]);
  let values;
  if (field.log && field.high / field.low >= 10) {
    const [first, last] = [Math.ceil(Math.log10(field.low) - 1e-9), Math.floor(Math.log10(field.high) + 1e-9)];
    const stride = Math.ceil((last - first + 1) / (about + 1));
    values = range(Math.floor((last - first) / stride) + 1, (i) => 10 ** (first + i * stride));
  } else {
    const rough = (field.high - field.low) / about, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough * 0.999) ?? 10 * power;
    const first = Math.ceil(field.low / step - 1e-9);
    const count = Math.max(Math.floor(field.high / step + 1e-9) - first + 1, 0);
    values = range(count, (i) => Number(((first + i) * step).toPrecision(12)));
  }
  return values.map((value) => [place(field, value), field.log && value < 0.01 ? tenth(value) : shown(value)]);
}

const tenth = (value) => value.toExponential(0).replace("-", "−").replace("e+", "e");

// From dark blue over green to yellow, each lighter than the one before: read in grey too.
const COLOURS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

/** Return the colour of a share, 0 … 1. */
export function colour(share) {
  const at = Math.min(Math.max(share, 0), 1) * (COLOURS.length - 1), i = Math.min(Math.floor(at), COLOURS.length - 2);
  const mixed = COLOURS[i].map((from, k) => Math.round(from + (at - i) * (COLOURS[i + 1][k] - from)));
  return `rgb(${mixed.join(" ")})`;
}
