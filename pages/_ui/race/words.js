/* Elements, numbers as they are shown, and round numbers for scales. */

/** Return a new element. Properties starting with "aria-", "data-" or "role" become attributes. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(aria-|data-|role)/.test(name)) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

export const range = (n, make) => Array.from({ length: n }, (_, i) => make(i));
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
export const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** Return a number in three digits, with a real minus sign. */
export function shown(value) {
  const size = Math.abs(value);
  const text = !size ? "0"
    : size < 1e-3 || size >= 1e5 ? value.toExponential(2)
    : size >= 1000 ? String(Math.round(value))
    : value.toPrecision(3);
  return text.replace("e+", "e").replaceAll("-", "−");
}

/** Return a number without needless digits, for scales. */
export const plain = (value) => String(Number(value.toPrecision(6))).replaceAll("-", "−");

/** Return round numbers at most `count` of which lie between two others. */
export function ticks(low, high, count) {
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.ceil(low / step);
  return range(Math.max(Math.floor(high / step) - first + 1, 0), (n) => (first + n) * step);
}
