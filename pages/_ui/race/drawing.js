/* What everything drawn on a canvas needs: the theme's colours, sharpness, dashes and markers. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const { range } = await load("../served/dom");

export const DASHES = {
  solid: [], dash: [9, 5], dot: [2, 4], dashdot: [10, 4, 2, 4], longdash: [16, 5], longdashdot: [16, 4, 2, 4],
};

const painter = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** Return [r, g, b] of any CSS colour. */
function rgb(colour) {
  painter.fillStyle = colour;
  painter.fillRect(0, 0, 1, 1);
  return [...painter.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

export const mix = (a, b, share) => a.map((channel, i) => channel + (b[i] - channel) * share);
export const css = (colour, alpha = 1) => `rgba(${colour.map(Math.round).join()}, ${alpha})`;

export function readTheme(root) {
  const style = getComputedStyle(root);
  const ink = rgb(style.getPropertyValue("--st-text-color").trim() || style.color);
  const ground = rgb(style.getPropertyValue("--st-background-color").trim() || "white");
  const dark = ground[0] + ground[1] + ground[2] < 380;
  return {
    ink, ground, dark,
    font: style.getPropertyValue("--st-font").trim() || "sans-serif",
    high: dark ? [92, 116, 140] : [138, 163, 186], // the colour of the heights; the depths have the page's
    colour: (name) => (dark ? mix(rgb(name), [255, 255, 255], 0.34) : rgb(name)),
  };
}

/** Make a canvas as sharp as the screen and return its context, in CSS pixels. */
export function prepare(canvas, width, height, ratio = devicePixelRatio || 1) {
  const [w, h] = [width, height].map((it) => Math.max(Math.round(it * ratio), 1));
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
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
