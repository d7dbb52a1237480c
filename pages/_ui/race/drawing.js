/* What the runners look like: their colours in the page's theme, dashes and markers. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const { mix, pageTheme, rgb } = await load("../served/canvas");
const { range } = await load("../served/dom");

export const DASHES = {
  solid: [], dash: [9, 5], dot: [2, 4], dashdot: [10, 4, 2, 4], longdash: [16, 5], longdashdot: [16, 4, 2, 4],
};

/** Return the page's theme, its colours as numbers too, and the runners' colours in it. */
export function readTheme(root) {
  const theme = pageTheme(root), { dark } = theme;
  return {
    ...theme, ink: rgb(theme.text), ground: rgb(theme.background),
    high: dark ? [92, 116, 140] : [138, 163, 186], // the colour of the heights; the depths have the page's
    colour: (name) => (dark ? mix(rgb(name), [255, 255, 255], 0.34) : rgb(name)),
  };
}

/** Lay the outline of a marker. */
export function outline(context, marker, x, y, r) {
  const polygon = (points) => points.forEach(([dx, dy], n) => context[n ? "lineTo" : "moveTo"](x + r * dx, y + r * dy));
  context.beginPath();
  if (marker === "square") context.rect(x - 0.85 * r, y - 0.85 * r, 1.7 * r, 1.7 * r);
  else if (marker === "diamond") polygon([[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]]);
  else if (marker === "triangle") polygon([[0, -1.15], [1.1, 0.85], [-1.1, 0.85]]);
  else if (marker === "cross") polygon(CROSS);
  else if (marker === "star") polygon(range(10, (n) => [Math.sin(n * Math.PI / 5), -Math.cos(n * Math.PI / 5)].map((it) => it * (n % 2 ? 0.55 : 1.3))));
  else context.arc(x, y, r, 0, 7);
  context.closePath();
}

const CROSS = [[-1, -0.4], [-0.4, -0.4], [-0.4, -1], [0.4, -1], [0.4, -0.4], [1, -0.4], [1, 0.4], [0.4, 0.4], [0.4, 1], [-0.4, 1], [-0.4, 0.4], [-1, 0.4]];

export function drawMarker(context, run, x, y, r, ground) {
  outline(context, run.marker, x, y, r);
  context.setLineDash([]);
  context.fillStyle = run.marker === "ring" ? ground : run.ink;
  context.strokeStyle = run.marker === "ring" ? run.ink : ground;
  context.lineWidth = run.marker === "ring" ? 2.5 : 1.5;
  context.fill();
  context.stroke();
}
