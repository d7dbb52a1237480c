/* The map: bands and contour lines, drawn when the look changes, and the walks over them, drawn with every frame. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const { css, mix, surface } = await load("../served/canvas");
const { clamp, range } = await load("../served/dom");
const { plain, ticks } = await load("../served/numbers");
const { DASHES, drawMarker, outline } = await load("drawing");
const { BANDS, position } = await load("plane");

const PIXELS = 1.4e6; // of the map: more would be slow to colour
export const DOTTED = 90; // steps up to which each has a dot of its own

/** Draw the bands and lines of a field, and the scales along the edges. */
export function drawGround(canvas, field, view, theme) {
  const [width, height] = view.size;
  const ratio = Math.min(devicePixelRatio || 1, Math.sqrt(PIXELS / (width * height)));
  const context = surface(canvas, width, height, ratio);
  const { width: w, height: h } = canvas;
  const picture = context.createImageData(w, h), pixels = picture.data;
  const lines = mix(theme.high, theme.ink, 0.45);
  const bands = range(2 * BANDS + 1, (n) => mix(theme.ground, theme.high, Math.min(0.03 + (0.72 * n) / BANDS, 0.85)));
  const above = new Float64Array(w);
  const [left] = view.toPlane(0, 0), step = 1 / (view.scale * ratio);
  for (let j = 0, at = 0; j < h; j++) {
    const powers = field.row(view.toPlane(0, (j + 0.5) / ratio)[1]);
    let before = NaN;
    for (let i = 0; i < w; i++, at += 4) {
      const x = left + (i + 0.5) * step;
      let value = 0;
      for (let n = powers.length - 1; n >= 0; n--) value = value * x + powers[n];
      const t = field.height(value), nearest = Math.round(t);
      const slope = Math.hypot(i ? t - before : 0, j ? t - above[i] : 0);
      let line = 0;
      if (nearest > 0 && i && j && slope < 0.7) {
        line = clamp(1.05 - Math.abs(t - nearest) / Math.max(slope, 1e-9), 0, 1) * clamp(1.4 - 2 * slope, 0, 0.5);
      }
      const band = bands[Math.min(Math.floor(t), 2 * BANDS)];
      for (let channel = 0; channel < 3; channel++) {
        pixels[at + channel] = band[channel] + (lines[channel] - band[channel]) * line;
      }
      pixels[at + 3] = 255;
      above[i] = before = t;
    }
  }
  context.putImageData(picture, 0, 0);
  drawScales(context, view, theme);
}

function drawScales(context, view, theme) {
  const [width, height] = view.size;
  const [low, top] = view.toPlane(0, 0), [high, bottom] = view.toPlane(width, height);
  context.font = `11px ${theme.font}`;
  context.fillStyle = context.strokeStyle = css(theme.ink, 0.75);
  context.lineWidth = 1;
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (const x of ticks(low, high, Math.max(width / 90, 5))) {
    const [at] = view.toScreen([x, 0]), half = context.measureText(plain(x)).width / 2 + 4;
    if (at < half || at > width - half) continue; // the numbers of the other scale end higher up
    context.fillRect(at, height - 5, 1, 5);
    context.fillText(plain(x), at, height - 8);
  }
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const y of ticks(bottom, top, height / 70)) {
    const at = view.toScreen([0, y])[1];
    if (at < 14 || at > height - 40) continue;
    context.fillRect(0, at, 5, 1);
    context.fillText(plain(y), 8, at);
  }
}

/** Draw the walks up to a time, where they start and what they look for. */
export function drawWays(canvas, race) {
  const { view, theme, scene, state: { time } } = race;
  const context = surface(canvas, ...view.size);
  const ground = css(theme.ground);
  context.lineJoin = context.lineCap = "round";
  for (const point of scene.landscape.minima) drawMinimum(context, view.toScreen(point), theme);
  const fewer = scene.steps <= DOTTED;
  for (const run of [...scene.runs].reverse()) {
    const reached = Math.min(Math.floor(time), run.points.length - 1);
    const way = run.points.slice(0, reached + 1).map((point) => view.toScreen(point));
    const head = view.toScreen(position(run, time));
    const trace = () => {
      context.beginPath();
      [...way, head].forEach(([x, y], n) => context[n ? "lineTo" : "moveTo"](x, y));
    };
    context.setLineDash([]);
    context.strokeStyle = css(theme.ground, 0.7);
    context.lineWidth = 4.5;
    trace();
    context.stroke();
    context.strokeStyle = run.ink;
    context.lineWidth = 2.2;
    context.setLineDash(DASHES[run.dash]);
    trace();
    context.stroke();
    context.fillStyle = run.ink;
    if (fewer) {
      for (const [x, y] of way.slice(1)) {
        context.beginPath();
        context.arc(x, y, 2.4, 0, 7);
        context.fill();
      }
    }
    run.head = head;
  }
  const [x, y] = view.toScreen(race.pending ?? race.start);
  context.setLineDash([]);
  context.strokeStyle = css(theme.ink);
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(x, y, 7, 0, 7);
  for (const [dx, dy] of [[1, 0], [0, 1], [-1, 0], [0, -1]]) {
    context.moveTo(x + 4 * dx, y + 4 * dy);
    context.lineTo(x + 11 * dx, y + 11 * dy);
  }
  context.stroke();
  for (const arrow of scene.arrows ?? []) drawArrow(context, view.toScreen(arrow.from), view.toScreen(arrow.to), arrow, theme);
  for (const run of [...scene.runs].reverse()) drawMarker(context, run, ...run.head, 6, ground);
}

function drawMinimum(context, [x, y], theme) {
  context.setLineDash([]);
  context.fillStyle = css(theme.ink, 0.8);
  outline(context, "star", x, y, 6);
  context.fill();
}

/** Draw an arrow with a halo; a dashed one is what might have been. */
function drawArrow(context, [x, y], [toX, toY], { dashed }, theme) {
  const length = Math.hypot(toX - x, toY - y);
  if (length < 4) return;
  const [ux, uy] = [(toX - x) / length, (toY - y) / length], head = Math.min(11, length * 0.6);
  const shaft = () => {
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(toX - 0.7 * head * ux, toY - 0.7 * head * uy);
  };
  context.setLineDash([]);
  context.strokeStyle = css(theme.ground, 0.75);
  context.lineWidth = 6;
  shaft();
  context.stroke();
  context.strokeStyle = context.fillStyle = css(theme.ink, dashed ? 0.75 : 1);
  context.lineWidth = dashed ? 1.8 : 2.6;
  context.setLineDash(dashed ? [5, 4] : []);
  shaft();
  context.stroke();
  context.beginPath();
  context.moveTo(toX, toY);
  context.lineTo(toX - head * ux - 0.45 * head * uy, toY - head * uy + 0.45 * head * ux);
  context.lineTo(toX - head * ux + 0.45 * head * uy, toY - head * uy - 0.45 * head * ux);
  context.closePath();
  context.fill();
}
