/** A ball ‖w‖ₚ ≤ t against the contours of an error: where the two touch, the error is least.

    The ball's outline, the way of the lowest point as the budget grows, and its errors are the engine's. Here the
    contours are drawn, which are ellipses, and the lowest point of the bowl follows the hand. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`../served/${name}.js${search}`, import.meta.url));
const [{ change, clamp, element, fill, range, say, svg }, { decimals, significant }] = await Promise.all(["dom", "numbers"].map(load));

const SIZE = 500, EDGE = 26; // units of the drawing
const SENT_EVERY = 70; // ms between two places of the hand that the page is told
const STEP = 0.05; // of the settings

const two = (value) => decimals(value, 2, 2);
/** The same, but what is not 0 does not look like it. */
const near = (value) => (value && Math.abs(value) < 0.005 ? significant(value, 2) : two(value));

export class Norms {
  pace = 12; // places a second

  constructor(pane) {
    this.pane = pane;
    this.contours = range(9, () => svg("ellipse", { class: "contour" }));
    this.touching = svg("ellipse", { class: "contour touching" });
    this.ball = svg("path", { class: "ball" });
    this.way = svg("polyline", { class: "way" });
    this.best = svg("g", { class: "best" }, svg("circle", { r: 8 }), svg("circle", { r: 2.6 }));
    this.zero = svg("line", { class: "zero" });
    this.handle = svg("g", { class: "handle", tabindex: 0, role: "button" },
      svg("circle", { r: 22, class: "reach" }), svg("path", { d: "M-9 0H9M0-9V9" }), svg("circle", { r: 10 }));
    const axes = svg("path", { class: "axis", d: `M${EDGE} ${SIZE / 2}H${SIZE - 6}M${SIZE / 2} ${SIZE - EDGE}V6` });
    this.names = [[SIZE - 14, SIZE / 2 - 10, "w₁"], [SIZE / 2 + 18, 18, "w₂"]].map(([x, y, text]) => {
      const name = svg("text", { x, y, class: "name" });
      name.textContent = text;
      return name;
    });
    this.ticks = svg("g", { class: "ticks" });
    this.clip = svg("clipPath", { id: "inside" }, svg("rect", { x: 1, y: 1, width: SIZE - 2, height: SIZE - 2, rx: 6 }));
    const inside = svg("g", { "clip-path": "url(#inside)" }, ...this.contours, this.ball, this.touching, axes, this.ticks,
      this.way, this.zero);
    this.picture = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "map", role: "group" }, this.clip,
      svg("rect", { class: "ground", x: 1, y: 1, width: SIZE - 2, height: SIZE - 2, rx: 6 }), inside, ...this.names,
      this.handle, this.best);
    this.facts = {};
    const fact = (name) => {
      this.facts[name] = element("dd");
      return element("div", {}, element("dt", { "data-t": name }), this.facts[name]);
    };
    this.verdict = element("p", { className: "verdict" });
    this.root = element("div", { className: "norms" }, this.picture,
      element("div", { className: "side" }, element("dl", {}, ...["budget", "weights", "norm", "error"].map(fact)), this.verdict));
    this.openToHands();
  }

  /** Return where a point of the plane lies in the drawing. */
  at([x, y]) {
    const unit = (SIZE / 2 - EDGE) / this.far;
    return [SIZE / 2 + x * unit, SIZE / 2 - y * unit];
  }

  update(scene) {
    this.scene = scene;
    this.far = scene.far;
    // What the page says is older than the hand, until it has heard what the hand said last.
    if (this.sent === String(scene.heard)) this.sent = undefined;
    if (this.sent === undefined && !this.dragging && !this.timer) this.centre = scene.centre;
    const { labels } = this.pane;
    this.picture.setAttribute("aria-label", fill(labels.ball, { p: decimals(scene.p, 3) }));
    for (const term of this.root.querySelectorAll("[data-t]")) say(term, labels[term.dataset.t]);
    const marks = [-3, -2, -1, 1, 2, 3].flatMap((n) => [[n, [n, 0], [0, 16], "middle"], [n, [0, n], [-8, 4], "end"]]);
    this.ticks.replaceChildren(...marks.map(([n, point, [dx, dy], anchor]) => {
      const [x, y] = this.at(point);
      const text = svg("text", { x: x + dx, y: y + dy, "text-anchor": anchor });
      text.textContent = decimals(n, 3);
      return text;
    }));
    this.way.setAttribute("points", scene.path.map((point) => this.at(point).map((it) => it.toFixed(2))).join(" "));
  }

  show(place) {
    const { scene, pane: { labels } } = this, t = scene.budgets[place], w = scene.path[place], error = scene.errors[place];
    const outline = scene.sphere.map(([x, y]) => this.at([x * t, y * t]).map((it) => it.toFixed(2)).join(" "));
    this.ball.setAttribute("d", `M${outline.join("L")}Z`);
    this.drawBowl(error);
    this.best.setAttribute("transform", `translate(${this.at(w)})`);
    const zeros = w.map((it) => it === 0);
    const [x, y] = this.at(w);
    this.zero.style.display = zeros[0] !== zeros[1] ? "" : "none";
    change(this.zero, zeros[0] ? { x1: x, x2: x, y1: 0, y2: SIZE } : { x1: 0, x2: SIZE, y1: y, y2: y });
    say(this.facts.budget, two(t));
    say(this.facts.weights, `(${near(w[0])}, ${near(w[1])})`);
    say(this.facts.norm, two(scene.norms[place]));
    say(this.facts.error, two(error));
    const name = zeros[0] ? "w₁" : "w₂";
    const verdict = zeros[0] && zeros[1] ? labels.both_zero : zeros[0] || zeros[1] ? fill(labels.zero, { weight: name })
      : error < 1e-12 ? labels.inside : labels.no_zero;
    say(this.verdict, verdict);
    this.verdict.classList.toggle("yes", zeros[0] || zeros[1]);
    return fill(labels.norms_said, { t: two(t), w1: near(w[0]), w2: near(w[1]), e: two(error) });
  }

  /** Draw the contours about the lowest point: E = ½ (a² + k b²) along and across. */
  drawBowl(error) {
    const { scene, centre } = this, [cx, cy] = this.at(centre), unit = (SIZE / 2 - EDGE) / this.far;
    const turn = `rotate(${-scene.angle} ${cx} ${cy})`;
    const ellipse = (node, radius) => change(node, {
      cx, cy, rx: (radius * unit).toFixed(2), ry: ((radius * unit) / Math.sqrt(scene.narrow)).toFixed(2), transform: turn,
    });
    this.contours.forEach((node, n) => ellipse(node, 0.6 * (n + 1)));
    const known = centre.join() === scene.centre.join(); // else the page has yet to answer
    ellipse(this.touching, known ? Math.sqrt(2 * error) : 0);
    this.handle.setAttribute("transform", `translate(${cx} ${cy})`);
    this.handle.setAttribute("aria-label", `${this.pane.labels.centre} (${two(centre[0])}, ${two(centre[1])})`);
  }

  // ---- the hand that moves the bowl

  openToHands() {
    const { handle, picture } = this;
    handle.addEventListener("pointerdown", (event) => {
      this.dragging = true;
      handle.setPointerCapture(event.pointerId);
      event.preventDefault();
      handle.focus();
    });
    handle.addEventListener("pointermove", (event) => {
      if (!this.dragging) return;
      const box = picture.getBoundingClientRect(), unit = (SIZE / 2 - EDGE) / this.far;
      const [x, y] = [(event.clientX - box.x) / box.width, (event.clientY - box.y) / box.height].map((it) => it * SIZE - SIZE / 2);
      this.move(x / unit, -y / unit);
    });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      handle.addEventListener(end, () => {
        if (!this.dragging) return;
        this.dragging = false;
        this.send();
        this.pane.show();
      });
    }
    handle.addEventListener("keydown", (event) => {
      if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
      const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      const way = ways[event.key];
      if (!way) return;
      event.preventDefault();
      const by = event.shiftKey ? 10 * STEP : STEP;
      this.move(this.centre[0] + by * way[0], this.centre[1] + by * way[1]);
    });
  }

  move(...point) {
    const snapped = point.map((it) => Math.round(clamp(it, -this.far, this.far) / STEP) * STEP);
    this.centre = snapped.map((it) => Number(it.toFixed(2)) + 0);
    this.drawBowl(this.scene.errors[this.pane.place]);
    if (this.timer) return;
    this.timer = setTimeout(() => this.send(), SENT_EVERY);
  }

  send() {
    clearTimeout(this.timer);
    this.timer = undefined;
    const text = this.centre.join();
    if (text === (this.sent ?? this.scene.centre.join())) return; // it knows
    this.sent = text;
    this.pane.tell("centre", this.centre);
  }

  *rows() {
    const { scene } = this;
    yield ["budget", "w1", "w2", "norm", "error"];
    for (const [n, t] of scene.budgets.entries()) yield [t, ...scene.path[n], scene.norms[n], scene.errors[n]];
  }

  close() {
    clearTimeout(this.timer);
  }
}
