/* How low everyone is: now, in a table, and at every step, in a chart. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const { css, surface } = await load("../served/canvas");
const { clamp, element, fill } = await load("../served/dom");
const { drag } = await load("../served/drag");
const { plain, steady, tenTo, ticks } = await load("../served/numbers");
const { DASHES, drawMarker } = await load("drawing");

/** The runners with their value and their distance now. */
export class Legend {
  constructor() {
    this.head = element("thead");
    this.body = element("tbody");
    this.root = element("table", {}, this.head, this.body);
  }

  show(race) {
    const { labels, theme, scene } = race;
    const column = (text, title = "") => element("th", { scope: "col", title }, text);
    this.head.replaceChildren(element("tr", {}, column(labels.runner), column(labels.value), column(labels.distance, labels.distance_help)));
    this.rows = scene.runs.map((run) => {
      const swatch = element("canvas");
      Object.assign(swatch.style, { width: "34px", height: "16px" });
      const context = surface(swatch, 34, 16);
      Object.assign(context, { strokeStyle: run.ink, lineWidth: 2.2 });
      context.setLineDash(DASHES[run.dash]);
      context.beginPath();
      context.moveTo(0, 8);
      context.lineTo(34, 8);
      context.stroke();
      drawMarker(context, run, 17, 8, 5, css(theme.ground));
      const [value, distance] = [element("td"), element("td")];
      const row = element("tr", { "data-run": run.id }, element("th", { scope: "row", title: run.name }, swatch, run.name), value, distance);
      return { run, row, value, distance };
    });
    const nobody = element("tr", {}, element("th", { colSpan: 3 }, labels.nobody));
    this.body.replaceChildren(...(this.rows.length ? this.rows.map(({ row }) => row) : [nobody]));
    this.step = null;
  }

  follow(race) {
    const step = Math.floor(race.state.time);
    if (step === this.step) return;
    this.step = step;
    for (const { run, value, distance } of this.rows) {
      const last = run.points.length - 1, lost = run.diverged && step > last;
      value.textContent = lost ? "∞" : steady(run.values[Math.min(step, last)]);
      distance.textContent = lost ? fill(race.labels.diverged, { step: last + 1 }) : steady(run.distances[Math.min(step, last)]);
      distance.classList.toggle("kr-lost", lost);
    }
  }
}

/** f above its lowest value against the step, on a logarithmic scale. */
export class Chart {
  /** begin(): a hand is going to lead; returns what undoes that. lead(time): where it is. */
  constructor(begin, lead) {
    this.title = element("h2");
    this.canvas = element("canvas", { className: "kr-chart", role: "img" });
    drag(this.canvas, begin, (event) => {
      const { left } = this.canvas.getBoundingClientRect();
      if (this.frame) lead(((event.clientX - left - this.frame.left) / this.frame.width) * this.frame.steps);
    });
  }

  /** Settle the scales. */
  show({ scene, field }) {
    const above = scene.runs.map(({ values }) => values.map((it) => it - field.lowest));
    const first = Math.max(...above.map(([it]) => it), 1e-3);
    const seen = above.flat().filter((it) => it > 0 && it < 100 * first);
    this.high = Math.ceil(Math.log10(Math.max(...seen, first)));
    this.low = clamp(Math.floor(Math.log10(Math.min(...seen, first))), this.high - 9, this.high - 1);
  }

  draw({ scene, field, theme, state: { time }, labels }) {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width) return;
    const context = surface(this.canvas, width, height);
    const [left, right, top, bottom] = [38, 8, 6, 30], { low, high } = this;
    const steps = Math.max(scene.steps, 1);
    this.frame = { left, width: width - left - right, steps };
    const toX = (step) => left + (step / steps) * (width - left - right);
    const toY = (value) => {
      const power = clamp(Math.log10(Math.max(value - field.lowest, 1e-300)), low - 1, high + 1);
      return top + ((high - power) / (high - low)) * (height - top - bottom);
    };
    context.font = `11px ${theme.font}`;
    context.fillStyle = css(theme.ink, 0.7);
    context.textAlign = "right";
    context.textBaseline = "middle";
    context.lineWidth = 1;
    const every = Math.ceil((high - low) / 5);
    for (let power = low; power <= high; power++) {
      const y = top + ((high - power) / (high - low)) * (height - top - bottom);
      context.strokeStyle = css(theme.ink, 0.13);
      context.beginPath();
      context.moveTo(left, y);
      context.lineTo(width - right, y);
      context.stroke();
      if ((power - low) % every === 0) context.fillText(power >= -2 && power <= 3 ? plain(10 ** power) : tenTo(power), left - 5, y);
    }
    context.textAlign = "center";
    context.textBaseline = "top";
    for (const step of ticks(0, steps, 6).filter(Number.isInteger)) context.fillText(plain(step), toX(step), height - bottom + 5);
    context.textAlign = "right";
    context.textBaseline = "bottom";
    context.fillText(labels.steps, width - right, height);
    context.save();
    context.beginPath();
    context.rect(left - 1, top - 2, width - left - right + 2, height - top - bottom + 4);
    context.clip();
    for (const run of [...scene.runs].reverse()) {
      const line = (until) => {
        context.beginPath();
        for (let n = 0; n <= Math.min(until, run.values.length - 1); n++) context[n ? "lineTo" : "moveTo"](toX(n), toY(run.values[n]));
        context.stroke();
      };
      context.strokeStyle = run.ink;
      context.setLineDash(DASHES[run.dash]);
      Object.assign(context, { globalAlpha: 0.28, lineWidth: 1.2 });
      line(Infinity);
      Object.assign(context, { globalAlpha: 1, lineWidth: 2 });
      line(Math.floor(time));
    }
    context.setLineDash([]);
    context.strokeStyle = css(theme.ink, 0.5);
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(toX(time), top);
    context.lineTo(toX(time), height - bottom);
    context.stroke();
    context.restore();
    for (const run of scene.runs) {
      const step = Math.min(Math.floor(time), run.values.length - 1), y = toY(run.values[step]);
      if (y >= top - 1 && y <= height - bottom + 1) drawMarker(context, run, toX(step), y, 4, css(theme.ground));
    }
  }
}
