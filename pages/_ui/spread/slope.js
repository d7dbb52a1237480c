/* An activation and its derivative, and what is left of a gradient on its way back through many of them. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Lines }, { clamp, element, range, svg }, { drag }, { DASHES, series, swatch }] =
  await Promise.all(["lines", "../served/dom", "../served/drag", "../served/series"].map(load));

const HERE = 1, BEST = 0, MEASURED = { lecun_normal: 2, he_normal: 3 }; // places in the order of looks

export class Slope {
  alone = true; // its sliders need no answer of the page

  constructor(stage) {
    this.stage = stage;
    this.curve = svg("svg", { class: "ksp-lines ksp-curve", role: "img" });
    this.lines = new Lines();
    this.legends = [element("div", { className: "ksp-legend" }), element("div", { className: "ksp-legend" })];
    this.said = [element("p", { className: "ksp-note" }), element("p", { className: "ksp-note" })];
    const main = element("div", { className: "ksp-main ksp-halves" });
    for (const [i, [title, picture]] of [["curve", this.curve], ["product", this.lines.root]].entries()) {
      const box = element("section");
      box.append(element("h2", { textContent: stage.t(title) }), this.legends[i], picture, this.said[i]);
      main.append(box);
    }
    this.parts = [main];
    drag(this.curve, () => () => this.slider.letGo(), (event) => this.follow(event), () => this.slider.take(true));
  }

  sliders() {
    const { format } = this.stage;
    return [
      { name: "z", low: -6, high: 6, step: 0.1, say: format.short },
      { name: "passed", low: 2, high: 30, step: 1, say: String },
    ];
  }

  /** The slider of z. */
  get slider() {
    return this.stage.sliders[0];
  }

  /** Move z to where the pointer is. */
  follow(event) {
    const { left } = this.curve.getBoundingClientRect();
    this.slider.input.value = clamp(this.back(event.clientX - left), -6, 6);
    this.slider.take(false);
  }

  draw(scene, width) {
    const half = Math.floor(width >= 760 ? (width - 28) / 2 : width);
    const { z, passed } = this.stage.values;
    const at = this.at(scene, z);
    this.drawCurve(scene, half, z, at);
    this.drawProduct(scene, half, at, passed);
  }

  at({ x, y, slope, most }, z) {
    const place = clamp(((z - x[0]) / (x.at(-1) - x[0])) * (x.length - 1), 0, x.length - 1);
    const i = Math.min(Math.floor(place), x.length - 2), part = place - i;
    const between = (values) => values[i] + (values[i + 1] - values[i]) * part;
    return { y: between(y), slope: between(slope), most };
  }

  drawCurve({ x, y, slope }, width, z, at) {
    const { stage, curve } = this, { format, theme } = stage;
    const [left, right, top, foot, height] = [38, 12, 10, 36, 270];
    const least = Math.min(0, ...slope, ...y.filter((value) => value > -2));
    const low = least < -0.5 ? Math.min(least, -1) : least, high = Math.min(Math.max(1, ...slope, ...y), 2.2);
    const px = (value) => left + ((width - left - right) * (value + 6)) / 12;
    const py = (value) => top + ((height - top - foot) * (high - value)) / (high - low);
    this.back = (pixel) => ((pixel - left) / (width - left - right)) * 12 - 6;
    const line = (ys) => ys.map((value, i) => `${i ? "L" : "M"}${px(x[i]).toFixed(1)} ${py(value).toFixed(1)}`).join("");
    const parts = [];
    const ticks = [...new Set([0, 0.25, 0.5, 1, 2, -1].filter((value) => value >= low && value <= high))];
    for (const tick of ticks) {
      parts.push(svg("path", { class: "rule", d: `M${left} ${py(tick)}H${width - right}` }));
      parts.push(svg("text", { x: left - 6, y: py(tick) + 4, "text-anchor": "end" }, tick === 0.25 ? "¼" : format.short(tick)));
    }
    for (let k = -6; k <= 6; k += 2) {
      parts.push(svg("text", { x: px(k), y: height - foot + 16, "text-anchor": "middle" }, String(k).replace("-", "−")));
    }
    parts.push(svg("text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle", class: "name" }, "z"));
    const clip = svg("clipPath", { id: this.clip ??= `ksp-${Math.random().toString(36).slice(2)}` },
      svg("rect", { x: left, y: 0, width: width - left - right, height: height - foot + 1 }));
    const [first, second] = [series(0, theme.dark), series(1, theme.dark)];
    parts.push(clip, svg("g", { "clip-path": `url(#${this.clip})` },
      svg("path", { class: "area", d: `${line(slope)}L${px(6)} ${py(0)}L${px(-6)} ${py(0)}z`, fill: second.color }),
      svg("path", { class: "line", d: line(y), stroke: first.color }),
      svg("path", { class: "line", d: line(slope), stroke: second.color, "stroke-dasharray": DASHES[second.dash] })));
    parts.push(svg("path", { class: "here", d: `M${px(z)} ${top}V${height - foot}` }));
    for (const [value, style] of [[at.y, first], [at.slope, second]]) {
      if (value <= high && value >= low) {
        parts.push(svg("path", { d: style.mark, fill: style.color, stroke: style.color, transform: `translate(${px(z)} ${py(value)}) scale(1.3)` }));
      }
    }
    const text = stage.t("curve_text", {
      z: format.short(z), y: format.short(at.y), slope: format.short(at.slope), most: format.short(at.most),
    }).replaceAll("-", "−");
    for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}`, "aria-label": text })) {
      curve.setAttribute(name, value);
    }
    curve.replaceChildren(...parts);
    this.said[0].textContent = text;
    this.legend(0, [[first, stage.t("f")], [second, `${stage.t("df")}, ${stage.t("most", { value: format.short(at.most) })}`]]);
  }

  drawProduct({ measured }, width, { slope, most }, passed) {
    const { stage } = this, { format, theme } = stage;
    const powers = (base) => range(passed + 1, (k) => Math.abs(base) ** k);
    const lines = [{ ys: powers(most), index: BEST }, { ys: powers(slope), index: HERE },
      ...Object.entries(measured).map(([name, ys]) => ({ ys: ys.slice(0, passed + 1), index: MEASURED[name] }))];
    const [best, left] = [format.short(most ** passed), format.short(Math.abs(slope) ** passed)];
    const title = stage.t("left", { n: passed, value: left, best });
    this.lines.draw(lines, { width, height: 270, first: 0, last: passed, dark: theme.dark, title, label: stage.t("passed_axis") });
    this.said[1].textContent = title;
    this.legend(1, [[BEST, "best"], [HERE, "here"], ...Object.entries(MEASURED).map(([name, i]) => [i, `measured_${name}`])]
      .map(([i, name]) => [series(i, theme.dark), stage.t(name)]));
  }

  legend(i, entries) {
    const key = JSON.stringify(entries);
    if (this.legends[i].dataset.key === key) return;
    this.legends[i].dataset.key = key;
    this.legends[i].replaceChildren(...entries.map(([style, text]) => {
      const entry = element("span");
      entry.append(swatch(style), text);
      return entry;
    }));
  }

  table({ x, y, slope }) {
    return [["z", "f", "derivative"], ...x.map((z, i) => [Number(z.toFixed(6)), y[i], slope[i]])];
  }
}
