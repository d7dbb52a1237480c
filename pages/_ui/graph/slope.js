/* The slope of a chord: its ends close in on x, and it turns into the tangent. Beside it the same through a lens that
   grows with 1 / h: a smooth curve becomes a line, a kink stays a kink, and at last the steps of floating point show.

   A position is −log₁₀ h. The curves are written here once more, so that a hand can drag x: the page's engine says the
   same (compared by a test). */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Plot, clipped, line, shown }, { change, clamp, element, fill, range, say, svg }, { drag }] =
  await Promise.all(["plot", "../served/dom", "../served/drag"].map(load));

const sigmoid = (x) => 1 / (1 + Math.exp(-x));

export const CURVES = {
  book: [(x) => 0.01 * x ** 2 + 0.1 * x, (x) => 0.02 * x + 0.1],
  square: [(x) => x * x, (x) => 2 * x],
  cube: [(x) => x * x * x, (x) => 3 * x * x],
  sin: [Math.sin, Math.cos],
  exp: [Math.exp, Math.exp],
  sigmoid: [sigmoid, (x) => sigmoid(x) * (1 - sigmoid(x))],
  abs: [Math.abs, (x) => (x ? Math.sign(x) : NaN)], // no slope at the kink
  log: [(x) => (x > 0 ? Math.log(x) : NaN), (x) => 1 / x],
};

const SAMPLES = 240, FINEST = 16; // points of a drawn curve; the smallest h is 10^−FINEST
const REST = 500; // ms after the last key, when the page is told

/** Return the ends of a chord and its slope. */
export function chord(f, x, h, kind) {
  const ends = kind === "forward" ? [x, x + h] : [x - h, x + h];
  return { ends, slope: (f(ends[1]) - f(ends[0])) / (kind === "forward" ? h : 2 * h) };
}

export class Slope {
  constructor(tell, go) {
    Object.assign(this, { tell, go });
    this.whole = new Plot("whole", "");
    change(this.whole.root, { role: "group" }); // it holds a slider
    this.lens = new Plot("lens", "", { left: 12, right: 12, top: 8, bottom: 24 });
    const stroke = (name) => svg("path", { class: name });
    const dot = (name) => svg("circle", { class: name, r: 6 });
    this.marks = svg("g", { class: "marks" });
    this.inWhole = { tangent: stroke("tangent"), curve: stroke("curve"), chord: stroke("chord"), ends: [dot("end"), dot("end")] };
    this.inLens = { tangent: stroke("tangent"), curve: stroke("curve"), chord: stroke("chord"), ends: [dot("end"), dot("end")] };
    this.handle = svg("circle", { class: "handle", r: 9, tabindex: 0, role: "slider" });
    const parts = ({ tangent, curve, chord, ends }) => [curve, chord, tangent, ...ends];
    this.fits = [clipped(this.whole, this.marks, ...parts(this.inWhole)), clipped(this.lens, ...parts(this.inLens))];
    this.names = svg("g", { class: "names" });
    this.whole.body.append(this.names, this.handle);
    this.title = element("h2");
    this.facts = Object.fromEntries(["h", "chord", "tangent", "error"].map((name) => [name, [element("dt", { class: name }), element("dd")]]));
    this.root = element("div", { class: "slope" },
      this.whole.root,
      element("div", { class: "beside" }, this.title, this.lens.root,
        element("dl", { class: "facts" }, ...Object.values(this.facts).flat())));
    this.listen();
  }

  listen() {
    const { root } = this.whole;
    const at = (event) => {
      const { low, high } = this.scene;
      const x = this.whole.back(event.clientX - root.getBoundingClientRect().left);
      const unit = 10 ** Math.floor(Math.log10((high - low) / 100));
      return clamp(Number((Math.round(x / unit) * unit).toPrecision(6)), low, high);
    };
    const begin = (event) => {
      const { x } = this;
      event.preventDefault(); // or the press would take the focus away again
      this.handle.focus({ preventScroll: true });
      return () => this.move(x);
    };
    drag(root, begin, (event) => this.move(at(event)), () => this.tell({ x: this.x }));
    this.handle.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
      const { low, high } = this.scene, unit = (high - low) / 100;
      const by = { ArrowLeft: -unit, ArrowDown: -unit, ArrowRight: unit, ArrowUp: unit, PageUp: 10 * unit, PageDown: -10 * unit }[event.key];
      if (!by) return;
      event.preventDefault();
      this.move(clamp(Number((this.x + by).toPrecision(6)), low, high));
      clearTimeout(this.later);
      this.later = setTimeout(() => this.tell({ x: this.x }), REST);
    });
  }

  move(x) {
    this.x = x;
    this.show(this.position);
  }

  take(scene, labels) {
    Object.assign(this, { scene, labels, x: scene.x });
    [this.f, this.slope] = CURVES[scene.curve];
    say(this.title, labels.lens);
    for (const [name, [term]] of Object.entries(this.facts)) say(term, name === "h" ? "h" : labels[`${name}_${scene.chord}`] ?? labels[name]);
    change(this.handle, { "aria-label": "x", "aria-valuemin": scene.low, "aria-valuemax": scene.high });
    change(this.whole.root, { "aria-label": fill(labels.slope_text, { formula: scene.formula }) });
    change(this.lens.root, { "aria-label": labels.lens });
  }

  /** What makes another scene another story, to be told from the beginning. */
  story() {
    return [this.scene.curve, this.scene.chord].join();
  }

  measure() {
    const widest = Math.ceil(Math.log10((this.scene.high - this.scene.low) / 8));
    return { first: -widest, last: FINEST, rest: -Math.log10(this.scene.h), rate: 0.8, grain: 0.05 };
  }

  layout(width) {
    const narrow = width < 640;
    const beside = narrow ? width : clamp(width * 0.32, 270, 420);
    const wide = narrow ? width : width - beside - 28;
    this.whole.size(wide, narrow ? 270 : 400);
    this.lens.size(beside, narrow ? 190 : 220);
    const { low, high } = this.scene;
    const ys = range(SAMPLES + 1, (n) => this.f(low + ((high - low) * n) / SAMPLES)).filter(Number.isFinite);
    const [bottom, top] = [Math.min(...ys), Math.max(...ys)], air = (top - bottom) * 0.08;
    this.whole.span([low, high], [bottom - air, top + air]);
    this.lens.span([-2, 2], [-1, 1], [], []);
    this.fits.forEach((fit) => fit());
    change(this.inWhole.curve, {
      d: line(range(SAMPLES + 1, (n) => low + ((high - low) * n) / SAMPLES).map((x) => [this.whole.x(x), this.whole.y(this.f(x))])),
    });
    this.drawMarks();
  }

  /** Draw the tangents at the points that the scene names; `show` says the slope that differences give there. */
  drawMarks() {
    const { low, high, points } = this.scene, { whole } = this;
    const tangent = (x) => [low, high].map((at) => [whole.x(at), whole.y(this.f(x) + this.slope(x) * (at - x))]);
    this.marks.replaceChildren(...points.flatMap((x) => [
      svg("path", { class: "mark", d: line(tangent(x)) }),
      svg("circle", { class: "mark", cx: whole.x(x), cy: whole.y(this.f(x)), r: 3.5 }),
    ]));
    this.names.replaceChildren(...points.map((x) => {
      const y = whole.y(this.f(x)), falls = this.slope(x) < 0, left = !falls && y > whole.height - 70; // off the curve
      return svg("text", { x: whole.x(x) + (left ? -8 : 8), y: y + (falls || left ? -14 : 26), "text-anchor": left ? "end" : "start" });
    }));
  }

  show(position) {
    this.position = position;
    const { x, f, whole, lens, scene } = this, h = 10 ** -position;
    const { ends, slope } = chord(f, x, h, scene.chord), steep = this.slope(x);
    const { low, high } = scene;
    /** Draw chord and tangent from one end of a plot to the other, in its own units. */
    const draw = (shapes, plot, toX, toY, m, from, to) => {
      const through = ([x0, y0], slope) => line([from, to].map((at) => [plot.x(at), plot.y(y0 + slope * (at - x0))]));
      const [first, second] = ends.map((end) => [toX(end), toY(f(end))]);
      change(shapes.chord, { d: through(first, (second[1] - first[1]) / (second[0] - first[0])) });
      change(shapes.tangent, { d: through([toX(x), toY(f(x))], m) });
      shapes.ends.forEach((dot, n) => {
        const [u, v] = n ? second : first, there = Number.isFinite(v);
        change(dot, { cx: there ? plot.x(u) : 0, cy: there ? plot.y(v) : 0, visibility: there ? null : "hidden" });
      });
    };

    const same = (value) => value;
    draw(this.inWhole, whole, same, same, steep, scene.low, scene.high);
    change(this.handle, { cx: whole.x(x), cy: whole.y(f(x)), "aria-valuenow": x, "aria-valuetext": `x = ${shown(x)}` });

    // in the lens, one unit to the right is h, and one unit up is `tall`
    const samples = range(161, (n) => x + ((n - 80) / 40) * h), values = samples.map(f), centre = f(x);
    const tall = Math.max(...values.map((value) => Math.abs(value - centre)).filter(Number.isFinite), 0) * 1.1 || 1;
    const near = (value) => (value - x) / h, up = (value) => (value - centre) / tall;
    change(this.inLens.curve, { d: line(values.map((value, n) => [lens.x((n - 80) / 40), lens.y(up(value))])) });
    draw(this.inLens, lens, near, up, (steep * h) / tall, -2, 2);
    const named = [[0, "x"], [1, "x + h"], ...(scene.chord === "central" ? [[-1, "x − h"]] : [])];
    lens.span([-2, 2], [-1, 1], named, []);

    scene.points.forEach((point, n) => {
      say(this.names.children[n], `f′(${shown(point)}) ≈ ${shown(chord(f, point, h, scene.chord).slope, 6)}`);
    });

    const told = { h: shown(h, 3), chord: shown(slope, 8), tangent: shown(steep, 8), error: shown(Math.abs(slope - steep), 2) };
    if (Number.isNaN(steep)) told.tangent = this.labels.no_derivative;
    for (const [name, text] of Object.entries(told)) say(this.facts[name][1], text);
    this.now = { h, slope, steep };
  }

  where(position) {
    return `h = ${shown(10 ** -position, 2)}`;
  }

  said() {
    const { h, slope, steep } = this.now;
    const { slope_said: both, slope_none: alone } = this.labels;
    return fill(Number.isNaN(steep) ? alone : both, { x: shown(this.x), h: shown(h, 2), chord: shown(slope, 6), tangent: shown(steep, 6) });
  }

  /** Tell the page the h at which a hand left the slider. */
  settled(position) {
    this.tell({ h: Number((10 ** -position).toPrecision(3)) });
  }

  *rows() {
    const { f, x, scene } = this;
    for (let n = this.measure().first; n <= FINEST; n += 0.25) {
      const h = 10 ** -n, { slope } = chord(f, x, h, scene.chord);
      yield [x, h, slope, this.slope(x)];
    }
  }

  table() {
    return [["x", "h", "chord", "derivative"], ...this.rows()];
  }

  close() {
    clearTimeout(this.later);
  }
}
