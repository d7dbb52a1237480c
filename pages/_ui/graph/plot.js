/* What the three scenes are drawn with: plots, and the numbers in them. No state. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`../served/${name}.js${search}`, import.meta.url));
const [{ change, range, svg }, { significant, tenTo, ticks }] = await Promise.all(["dom", "numbers"].map(load));

/** Return a number as the scenes show it. */
export const shown = (value, digits = 4) => significant(value, digits);

/** Return points as the `d` of a path; a point that is no number interrupts the line. */
export function line(points) {
  let pen = "M";
  return points.map(([x, y]) => {
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      pen = "M";
      return "";
    }
    const piece = `${pen}${x.toFixed(2)} ${y.toFixed(2)}`;
    pen = "L";
    return piece;
  }).join("");
}

/** Return where a logarithmic axis from 10^low to 10^high has ticks, as [exponent, text]: at powers of ten, or closer. */
export function powers(low, high) {
  const word = (n) => (n >= -3 && n <= 3 ? String(Number((10 ** n).toPrecision(1))) : tenTo(n));
  const whole = range(Math.max(Math.floor(high) - Math.ceil(low) + 1, 0), (n) => Math.ceil(low) + n);
  const every = Math.ceil(whole.length / 6);
  if (whole.length > 1) return whole.filter((n) => n % every === 0).map((n) => [n, word(n)]);
  const [bottom, top] = [10 ** low, 10 ** high];
  return ticks(bottom, top, 4).filter((value) => value > 0).map((value) => [Math.log10(value), shown(value)]);
}

/** A plot with ticks, and the way from numbers to pixels. names: what its axes are called, if anything. */
export class Plot {
  names = {};

  constructor(name, label, margins = { left: 38, right: 8, top: 8, bottom: 24 }) {
    this.margins = margins;
    this.axes = svg("g", { class: "axes" });
    this.body = svg("g");
    this.root = svg("svg", { class: `plot ${name}`, role: "img", "aria-label": label }, this.axes, this.body);
  }

  /** Give the plot its pixels. */
  size(width, height) {
    Object.assign(this, { width, height });
    change(this.root, { width, height, viewBox: `0 0 ${width} ${height}` });
  }

  /** Say what the axes span, and draw their ticks: numbers, or [number, text] pairs. */
  span([left, right], [bottom, top], xs = ticks(left, right), ys = ticks(bottom, top, 4)) {
    const { margins, width, height } = this;
    const inner = { width: width - margins.left - margins.right, height: height - margins.top - margins.bottom };
    this.x = (value) => margins.left + ((value - left) / (right - left)) * inner.width;
    this.y = (value) => margins.top + ((top - value) / (top - bottom)) * inner.height;
    this.back = (pixel) => left + ((pixel - margins.left) / inner.width) * (right - left);
    this.up = (pixel) => top - ((pixel - margins.top) / inner.height) * (top - bottom);
    this.inner = { ...inner, left: margins.left, top: margins.top };
    const pair = (tick) => (Array.isArray(tick) ? tick : [tick, shown(tick)]);
    const foot = margins.top + inner.height;
    this.axes.replaceChildren(
      ...xs.map(pair).flatMap(([value, text]) => [
        svg("path", { class: "rule", d: `M${this.x(value)} ${margins.top}V${foot}` }),
        svg("text", { x: this.x(value), y: foot + 15, "text-anchor": "middle" }, text),
      ]),
      ...ys.map(pair).flatMap(([value, text]) => [
        svg("path", { class: "rule", d: `M${margins.left} ${this.y(value)}h${inner.width}` }),
        svg("text", { x: margins.left - 6, y: this.y(value) + 4, "text-anchor": "end" }, text),
      ]),
      ...(this.names.x ? [svg("text", { class: "name", x: margins.left + inner.width / 2, y: height - 5, "text-anchor": "middle" }, this.names.x)] : []),
      ...(this.names.y ? [svg("text", { class: "name", x: 2, y: margins.top + inner.height / 2 + 4 }, this.names.y)] : []),
      svg("rect", { class: "edge", x: margins.left, y: margins.top, width: inner.width, height: inner.height }),
    );
    return this;
  }
}

let clips = 0;

/** Draw children that are cut off at the edge of a plot; return what makes the cut follow the plot's size. */
export function clipped(plot, ...children) {
  const id = `clip-${clips++}`;
  const cut = svg("rect");
  const group = svg("g", { "clip-path": `url(#${id})` }, ...children);
  plot.body.append(svg("clipPath", { id }, cut), group);
  return () => change(cut, { x: plot.inner.left, y: plot.inner.top, width: plot.inner.width, height: plot.inner.height });
}
