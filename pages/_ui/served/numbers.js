/** Numbers as they are shown: with a real minus sign, and no more digits than are read. */

const { search } = new URL(import.meta.url);
const { range } = await import(new URL(`dom.js${search}`, import.meta.url));

/** Return the text of a number with a real minus sign. */
export const minus = (text) => text.replaceAll("-", "−");
const formats = {}, percents = {};

/** Return a number with at most `most` decimals and at least `least`. */
export function decimals(value, most, least = 0) {
  formats[[most, least]] ??= new Intl.NumberFormat("en", {
    minimumFractionDigits: least, maximumFractionDigits: most, useGrouping: false, signDisplay: "negative",
  });
  return minus(formats[[most, least]].format(value));
}

/** Return a share as a percentage. */
export function percent(share, most = 1, least = most) {
  percents[[most, least]] ??= new Intl.NumberFormat("en", {
    style: "percent", minimumFractionDigits: least, maximumFractionDigits: most, signDisplay: "negative",
  });
  return Number.isFinite(share) ? minus(percents[[most, least]].format(share)) : "–";
}

/** Return a number with so many significant digits, none of them a needless zero; extremes as a power of ten. */
export function significant(value, digits) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return minus(value !== 0 && (size >= 1e5 || size < 1e-3)
    ? value.toExponential(Math.min(digits, 3) - 1).replace(/\.?0+e/, "e").replace("e+", "e")
    : String(Number(value.toPrecision(digits))));
}

/** Return a number without needless digits, for scales. */
export const plain = (value) => minus(String(Number(value.toPrecision(6))));

/** Return 10ⁿ for a whole n, for scales. */
export const tenTo = (n) => `10${String(n).replace(/./g, (c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"["0123456789".indexOf(c)] ?? "⁻")}`;

/** Return a number with three digits, zeros among them: it changes, and keeps its width. */
export function steady(value) {
  const size = Math.abs(value);
  return minus(!size ? "0"
    : size < 1e-3 || size >= 1e5 ? value.toExponential(2).replace("e+", "e")
    : size >= 1000 ? String(Math.round(value))
    : value.toPrecision(3));
}

/** Return round numbers from `low` to `high`, about so many, at equal distances. */
export function ticks(low, high, about = 5) {
  const rough = (high - low) / about, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough * 0.999) ?? 10 * power;
  const first = Math.ceil(low / step - 1e-9);
  return range(Math.max(Math.floor(high / step + 1e-9) - first + 1, 0), (i) => Number(((first + i) * step).toPrecision(12)));
}
