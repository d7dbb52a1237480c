/* What the parts of the search view have in common: how a trial ends, places on an axis, and numbers and colours as shown. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`../served/${name}.js${search}`, import.meta.url));
const [{ clamp, range }, { significant, ticks: round }] = await Promise.all(["dom", "numbers"].map(load));

/** The states of a trial that has ended before its last step. */
export const EARLY = new Set(["pruned", "diverged", "failed"]);

/** Return a number as it is shown. */
export const shown = (value) => significant(value, 3);

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
    values = round(field.low, field.high, about);
  }
  return values.map((value) => [place(field, value), field.log && value < 0.01 ? tenth(value) : shown(value)]);
}

const tenth = (value) => value.toExponential(0).replace("-", "−").replace("e+", "e");

// From dark blue over green to yellow, each lighter than the one before: read in grey too.
const COLOURS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

const INK = 40; // percent of the page's ink in the lowest: on a dark page the dark end would not be seen

/** Return the colour of a share, 0 … 1, for the page as it is, light or dark. */
export function colour(share) {
  const whole = clamp(share, 0, 1), at = whole * (COLOURS.length - 1), i = Math.min(Math.floor(at), COLOURS.length - 2);
  const mixed = COLOURS[i].map((from, k) => Math.round(from + (at - i) * (COLOURS[i + 1][k] - from)));
  return `color-mix(in srgb, var(--ink) ${Math.round(INK * (1 - whole))}%, rgb(${mixed.join(" ")}))`;
}
