/** Lines that are told apart: each has a colour, and a dash and a mark for those who see no colours. */

const { search } = new URL(import.meta.url); // the version, the same for all files that a component imports
const { svg } = await import(new URL(`dom.js${search}`, import.meta.url));

// Okabe and Ito's colours and four more, for light and dark pages.
const COLORS = {
  light: ["#0072b2", "#d55e00", "#00845f", "#b0538e", "#9a6b00", "#3787b3", "#5b5b5b", "#6a45c0", "#a33b3b", "#2d2d2d"],
  dark: ["#5cb3ff", "#ff9d57", "#3fd3a5", "#e8a1cd", "#f0c04f", "#9bd6f5", "#b5b5b5", "#bda2ff", "#ff9a9a", "#f0f0f0"],
};
const MARKS = [ // around (0, 0), and what Plotly calls them
  ["M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0", "circle"],
  ["M-3 -3h6v6h-6z", "square"],
  ["M0 -4.4L4.4 0 0 4.4-4.4 0z", "diamond"],
  ["M0 -4L4 3.4H-4z", "triangle-up"],
  ["M-3-3L3 3M3-3L-3 3", "x"],
  ["M0-4V4M-4 0H4", "cross"],
];
export const DASHES = { solid: "", dash: "5 3", dot: "1.5 2.5", dashdot: "6 2.5 1.5 2.5", longdash: "9 3" };

/** Return the name of the dash of the line at a place. */
export const dashOf = (index) => Object.keys(DASHES)[index % Object.keys(DASHES).length];

/** Return the look of the line at a place: its colour, the name of its dash, and its mark, as a path and by name. */
export function series(index, dark) {
  const colors = COLORS[dark ? "dark" : "light"], [mark, symbol] = MARKS[index % MARKS.length];
  return { color: colors[index % colors.length], dash: dashOf(index), mark, symbol };
}

/** Return a dash as a canvas takes it. */
export const strokes = (dash) => DASHES[dash].split(" ").filter(Boolean).map(Number);

/** Return the swatch of a line, with its mark if it has one, for a legend. */
export function swatch({ color, dash, mark }) {
  const line = svg("path", { d: "M1 5h28", fill: "none", stroke: color, "stroke-width": 2, "stroke-dasharray": DASHES[dash] });
  const dot = mark && svg("path", { d: mark, fill: color, stroke: color, "stroke-width": 1.4, transform: "translate(15 5)" });
  return svg("svg", { class: "swatch", viewBox: "0 0 30 10", "aria-hidden": true }, ...[line, dot].filter(Boolean));
}
