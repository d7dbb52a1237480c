/* Lines over the layers on a logarithmic axis, each with a colour, a dash and a mark of its own. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`../served/${name}.js${search}`, import.meta.url));
const [{ svg }, { tenTo }, { DASHES, series }] = await Promise.all(["dom", "numbers", "series"].map(load));

/** Return round powers of ten around positive numbers, so wide that a small change of them does not move the axis. */
export function decades(values) {
  const logs = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
  const [low, high] = [Math.min(0, ...logs) - 1e-9, Math.max(0, ...logs) + 1e-9];
  const unit = high - low > 10 ? 5 : 1;
  return [Math.min(Math.floor(low / unit) * unit, -1), Math.max(Math.ceil(high / unit) * unit, 1)];
}

/** A picture of lines {ys, index}: ys over the layers from `first` on; what is not a positive number leaves a gap. */
export class Lines {
  constructor() {
    this.root = svg("svg", { class: "ksp-lines", role: "img" });
  }

  /** title: what is to be read in it, for those who do not see it; label: of the axis of the layers. */
  draw(lines, { width, height = 210, first, last, dark, title, label }) {
    const [left, right, top, foot] = [44, 12, 10, 36];
    const [low, high] = decades(lines.flatMap(({ ys }) => ys));
    const x = (k) => left + ((width - left - right) * (k - first)) / (last - first || 1);
    const y = (value) => top + ((height - top - foot) * (high - Math.log10(value))) / (high - low);
    const parts = [];
    const every = Math.ceil((high - low) / 6);
    for (let d = low; d <= high; d += every) {
      const at = y(10 ** d);
      parts.push(svg("path", { class: d ? "rule" : "rule one", d: `M${left} ${at}H${width - right}` }));
      parts.push(svg("text", { x: left - 6, y: at + 4, "text-anchor": "end" }, d ? tenTo(d) : "1"));
    }
    const skip = Math.ceil(((last - first + 1) * 24) / (width - left - right));
    for (let k = first; k <= last; k++) {
      if ((k - first) % skip === 0) {
        parts.push(svg("text", { x: x(k), y: height - foot + 16, "text-anchor": "middle" }, String(k)));
      }
    }
    parts.push(svg("text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle", class: "name" }, label));
    for (const { ys, index } of lines) {
      const { color, mark, dash } = series(index, dark);
      const points = ys.map((value, i) => [x(first + i), value > 0 && Number.isFinite(value) ? y(value) : NaN]);
      let pen = "M";
      const d = points.map(([px, py]) => {
        const piece = Number.isFinite(py) ? `${pen}${px.toFixed(1)} ${py.toFixed(1)}` : "";
        pen = piece ? "L" : "M";
        return piece;
      }).join("");
      parts.push(svg("path", { class: "line", d, stroke: color, "stroke-dasharray": DASHES[dash] }));
      const sparse = Math.ceil(points.length / 12);
      points.forEach(([px, py], i) => {
        if (i % sparse || !Number.isFinite(py)) return;
        parts.push(svg("path", { d: mark, fill: color, stroke: color, transform: `translate(${px.toFixed(1)} ${py.toFixed(1)})` }));
      });
    }
    const { root } = this;
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}`, "aria-label": title })) {
      root.setAttribute(name, value);
    }
    root.replaceChildren(...parts);
  }
}
