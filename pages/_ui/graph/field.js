/* Arrows against the gradient of a function of two numbers, and the path of a descent, step by step.

   Everything is in the scene: the page's engine found every gradient. A position counts steps; between two whole numbers
   the point is on its way. When the path leaves the picture, the picture grows with it. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Plot, line, powers, shown }, { change, clamp, element, fill, range, say, svg }, { ticks }] =
  await Promise.all(["plot", "../served/dom", "../served/numbers"].map(load));

const BANDS = 13, DETAIL = 220; // of the ground: level bands, and its pixels on a side
const SMALLEST = 0.04; // of its size at first, where the ground is no longer drawn

export class Field {
  constructor(tell) {
    this.tell = tell;
    this.plot = new Plot("plane", "", { left: 52, right: 8, top: 8, bottom: 38 });
    this.plot.names = { x: "x₀", y: "x₁" };
    this.ground = element("canvas", { class: "ground", "aria-hidden": "true" });
    this.arrows = svg("path", { class: "arrows", "vector-effect": "non-scaling-stroke" });
    this.group = svg("g", {}, this.arrows);
    this.path = svg("path", { class: "path" });
    this.stops = svg("g", { class: "stops" });
    this.ahead = svg("path", { class: "ahead" });
    this.start = svg("circle", { class: "start", r: 6 });
    this.point = svg("circle", { class: "point", r: 8 });
    this.cut = svg("rect");
    this.plot.body.append(svg("clipPath", { id: "plane" }, this.cut),
      svg("g", { "clip-path": "url(#plane)" }, this.group, this.ahead, this.path, this.stops, this.start, this.point));
    this.frame = element("div", { class: "frame" }, this.ground, this.plot.root);
    this.facts = Object.fromEntries(["x", "slope", "next", "value"].map((name) => [name, [element("dt"), element("dd")]]));
    this.title = element("h2");
    this.curve = new Plot("course", "", { left: 56, right: 10, top: 8, bottom: 38 });
    this.course = svg("path", { class: "curve" });
    this.now = svg("circle", { class: "point", r: 5 });
    this.curve.body.append(this.course, this.now);
    this.curveTitle = element("h2");
    this.hint = element("p", { class: "hint" });
    this.beside = element("div", { class: "beside" }, this.title,
      element("dl", { class: "facts long" }, ...Object.values(this.facts).flat()), this.curveTitle, this.curve.root);
    this.root = element("div", { class: "field" }, element("div", {}, this.frame, this.hint), this.beside);
    this.plot.root.addEventListener("click", (event) => this.choose(event));
  }

  take(scene, labels) {
    Object.assign(this, { scene, labels });
    this.descends = scene.path.length > 0;
    this.beside.hidden = !this.descends;
    say(this.hint, this.descends ? labels.field_hint : labels.field_arrows);
    say(this.facts.x[0], "x");
    say(this.facts.slope[0], "∇f(x)");
    say(this.facts.next[0], "x − η ∇f(x)");
    say(this.facts.value[0], "f(x)");
    this.logs = scene.values.every((value) => value > 0);
    say(this.curveTitle, this.logs ? labels.course_log : labels.course);
    this.curve.names = { x: labels.step };
    this.frame.classList.toggle("open", this.descends);
    change(this.plot.root, { "aria-label": fill(labels.field_text, { formula: scene.formula }) });
    change(this.curve.root, { "aria-label": this.curveTitle.textContent });
    this.paint();
  }

  story() {
    return JSON.stringify([this.scene.surface, this.scene.path.slice(0, 3), this.scene.path.length, this.scene.lr]);
  }

  measure() {
    const last = Math.max(this.scene.path.length - 1, 0);
    return { last, rate: Math.max(1, last / 12) };
  }

  // ---- what does not move

  /** Paint the height of the function in bands, like a map. */
  paint() {
    const { shade, side } = this.scene;
    const { ground } = this;
    ground.width = ground.height = DETAIL;
    const picture = ground.getContext("2d"), image = picture.createImageData(DETAIL, DETAIL);
    const at = (i, j) => shade[i * side + j];
    for (let row = 0; row < DETAIL; row++) {
      for (let column = 0; column < DETAIL; column++) {
        const [u, v] = [(1 - row / (DETAIL - 1)) * (side - 1), (column / (DETAIL - 1)) * (side - 1)];
        const [i, j] = [Math.min(Math.floor(u), side - 2), Math.min(Math.floor(v), side - 2)], [a, b] = [u - i, v - j];
        const height = (1 - a) * ((1 - b) * at(i, j) + b * at(i, j + 1)) + a * ((1 - b) * at(i + 1, j) + b * at(i + 1, j + 1));
        const band = Math.floor((height / 255) * BANDS) / BANDS;
        image.data.set([46, 125, 190, 14 + 118 * band], 4 * (row * DETAIL + column));
      }
    }
    picture.putImageData(image, 0, 0);
  }

  layout(width) {
    const narrow = width < 640;
    const side = narrow ? width : clamp(Math.round(width * 0.5), 380, 560);
    this.plot.size(side, side);
    this.frame.style.width = this.frame.style.height = `${side}px`;
    const { scene } = this, beside = narrow ? width : clamp(width - side - 32, 200, 560);
    this.curve.size(beside, narrow ? 190 : 250);
    this.height = (value) => (this.logs ? Math.log10(value) : value);
    const heights = scene.values.map(this.height), [low, high] = [Math.min(...heights), Math.max(...heights)];
    const air = (high - low) * 0.08 || 0.1 * Math.abs(low) || 1;
    if (this.descends) {
      const last = Math.max(scene.path.length - 1, 1), [bottom, top] = [low - air, high + air];
      this.curve.span([0, last], [bottom, top], ticks(0, last).filter(Number.isInteger), this.logs ? powers(bottom, top) : undefined);
      change(this.course, { d: line(heights.map((value, n) => [this.curve.x(n), this.curve.y(value)])) });
    }
    this.arrange();
  }

  /** Draw the arrows in the function's own units; the group is scaled with the view. */
  arrange() {
    const { arrows, cell } = this.scene;
    const longest = Math.max(...arrows.map(([, , a, b]) => Math.hypot(a, b))) || 1;
    const d = arrows.map(([x, y, a, b]) => {
      const size = Math.hypot(a, b);
      if (!size) return "";
      const long = cell * 1.05 * (0.18 + 0.82 * (size / longest) ** this.scene.power), [u, v] = [-a / size, -b / size];
      const [tx, ty] = [x + u * long, y + v * long], head = Math.min(cell * 0.3, long * 0.5);
      const wing = (side) => `${tx - head * (u * 0.87 + side * v * 0.5)} ${ty - head * (v * 0.87 - side * u * 0.5)}`;
      return `M${x} ${y}L${tx} ${ty}M${wing(1)}L${tx} ${ty}L${wing(-1)}`;
    });
    change(this.arrows, { d: d.join("") });
  }

  // ---- what moves

  /** Return the point at a position, and half the side of the picture that shows the path so far. */
  view(position) {
    const { path, view: [low, high] } = this.scene;
    const centre = (low + high) / 2, base = (high - low) / 2;
    if (!this.descends) return { centre, base, half: base };
    const before = Math.floor(position), after = Math.min(before + 1, path.length - 1), share = position - before;
    const here = path[before].map((value, axis) => value + share * (path[after][axis] - value));
    const reach = [...path.slice(0, before + 1), here].map((point) => Math.max(...point.map((value) => Math.abs(value - centre))));
    return { centre, base, here, before, half: Math.max(base, 1.12 * Math.max(...reach)) };
  }

  show(position) {
    const { centre, base, half, here, before } = this.view(position);
    const { plot, scene } = this;
    const marks = ticks(centre - half, centre + half);
    plot.span([centre - half, centre + half], [centre - half, centre + half], marks, marks);
    const { inner } = plot;
    change(this.cut, { x: inner.left, y: inner.top, width: inner.width, height: inner.height });
    const scale = inner.width / (2 * half), high = inner.height / (2 * half), share = base / half;
    const visible = share > SMALLEST;
    change(this.group, {
      transform: `matrix(${scale} 0 0 ${-high} ${plot.x(0)} ${plot.y(0)})`, visibility: visible ? null : "hidden",
    });
    Object.assign(this.ground.style, {
      left: `${plot.x(centre - base)}px`, top: `${plot.y(centre + base)}px`,
      width: `${inner.width * share}px`, height: `${inner.height * share}px`,
    });
    for (const part of [this.start, this.point, this.path, this.stops, this.ahead]) change(part, { visibility: this.descends ? null : "hidden" });
    if (!this.descends) return;

    const pixel = ([x, y]) => [plot.x(x), plot.y(y)];
    const gone = scene.path.slice(0, before + 1).map(pixel), now = pixel(here);
    change(this.path, { d: line([...gone, now]) });
    change(this.ahead, { d: before + 1 < scene.path.length ? line([now, pixel(scene.path[before + 1])]) : "" });
    this.stops.replaceChildren(...gone.slice(-200).map(([x, y]) => svg("circle", { cx: x, cy: y, r: 3 })));
    change(this.start, { cx: gone[0][0], cy: gone[0][1] });
    change(this.point, { cx: now[0], cy: now[1] });
    change(this.now, { cx: this.curve.x(before), cy: this.curve.y(this.height(scene.values[before])) });

    const pair = (values) => `(${values.map((value) => shown(value)).join(", ")})`;
    const x = scene.path[before], slope = scene.gradients[before], next = scene.path[before + 1];
    say(this.title, fill(this.labels.step_of, { step: before, steps: scene.path.length - 1 }));
    say(this.facts.x[1], pair(x));
    say(this.facts.slope[1], pair(slope));
    say(this.facts.next[1], `${pair(x)} − ${shown(scene.lr, 3)} · ${pair(slope)}${next ? ` = ${pair(next)}` : ""}`);
    say(this.facts.value[1], shown(scene.values[before], 5));
  }

  where(position) {
    return this.descends ? fill(this.labels.step_of, { step: Math.floor(position), steps: this.scene.path.length - 1 }) : "";
  }

  said(position) {
    if (!this.descends) return "";
    const at = Math.floor(position), [x0, x1] = this.scene.path[at].map((value) => shown(value));
    return fill(this.labels.field_said, { step: at, x0, x1, value: shown(this.scene.values[at]) });
  }

  choose(event) {
    if (!this.descends) return;
    const { left, top } = this.plot.root.getBoundingClientRect(), { inner } = this.plot, { reach } = this.scene;
    const pixel = [event.clientX - left, event.clientY - top];
    if (pixel[0] < inner.left || pixel[1] > inner.top + inner.height) return;
    const round = (value) => clamp(Number(value.toFixed(2)), -reach, reach);
    this.tell({ start0: round(this.plot.back(pixel[0])), start1: round(this.plot.up(pixel[1])) });
  }

  table() {
    const { arrows, path, gradients, values } = this.scene;
    if (!this.descends) return [["x0", "x1", "gradient0", "gradient1"], ...arrows];
    return [["step", "x0", "x1", "gradient0", "gradient1", "f"],
      ...range(path.length, (n) => [n, ...path[n], ...gradients[n], values[n]])];
  }
}
