/* A batch and its normalization: from cell to cell, with the group that each one's mean is taken over.

   Field   numbers in cells (a table, or pictures with channels), one group of which stands out
   Sums    μ, σ², x̂ and y of one cell, written out
   Pane    the walk from cell to cell, and the number that a hand types into one

   A place is a number along the way; a cell is a number's place in memory. All numbers are the engine's.
   For tests the root carries data-cell and data-group too. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`../served/${name}.js${search}`, import.meta.url));
const [{ clamp, element, fill, range, say }, { mounted }, { decimals }, { Walk }] =
  await Promise.all(["dom", "mount", "numbers", "walk"].map(load));

const WRITTEN = 9; // terms of a sum that are written out

export default mounted(({ parentElement, data }) => new Pane(parentElement, data.key));

// ------------------------------------------------------------------------------------------------------------- numbers

const shown = (value, most = 3) => decimals(value, most);
const two = (value) => decimals(value, 2, 2);
const typed = (value) => decimals(value, 3, 1); // as it was typed or drawn
const isNegative = (text) => text.startsWith("−"); // as it is shown: a little less than 0 may be "0"
const bracketed = (value, most) => {
  const text = shown(value, most);
  return isNegative(text) ? `(${text})` : text;
};

// --------------------------------------------------------------------------------------------------------------- field

/** Numbers in cells. The more of the largest one a number is, the deeper its blue or, below zero, red. */
class Field {
  constructor(name, shape, labels) {
    const [count, ...rest] = shape, features = rest.at(-1);
    this.cells = range(shape.reduce((a, b) => a * b), (n) => element("i", { "data-cell": n }));
    this.title = element("h2");
    const grid = (cells, columns, more = "") => {
      const made = element("div", { className: `grid ${more}` }, ...cells);
      made.style.setProperty("--columns", columns);
      return made;
    };
    let body;
    if (rest.length === 1) {
      const head = range(features, (d) => element("small", { title: fill(labels.unit, { n: d + 1 }) }, String(d + 1)));
      const rows = range(count, (n) => [element("small", {}, fill(labels.example, { n: n + 1 })), ...this.cells.slice(n * features, (n + 1) * features)]);
      const corner = element("small", { className: "corner" }, fill(labels.unit, { n: "" }).trim());
      body = grid([corner, ...head, ...rows.flat()], features, "table");
    } else {
      const [side] = rest;
      const plane = (n, c) => grid(range(side * side, (at) => this.cells[(n * side * side + at) * features + c]), side);
      body = element("div", { className: "planes" });
      body.style.setProperty("--channels", features);
      body.append(element("small"), ...range(features, (c) => element("small", {}, fill(labels.channel, { n: c + 1 }))),
        ...range(count, (n) => [element("small", { className: "row-name" }, fill(labels.picture, { n: n + 1 })), ...range(features, (c) => plane(n, c))]).flat());
    }
    this.root = element("section", { className: `field ${name}` }, this.title, body);
    this.box = body;
  }

  fill(values, written) {
    const largest = Math.max(...values.map(Math.abs)) || 1;
    values.forEach((value, n) => {
      const cell = this.cells[n], text = written(value);
      say(cell, text);
      cell.dataset.n = Math.min(text.length, 6);
      cell.classList.toggle("negative", value < 0);
      cell.style.setProperty("--share", (Math.abs(value) / largest).toFixed(3));
    });
  }

  mark(here, group) {
    this.cells.forEach((cell, n) => {
      cell.classList.toggle("here", n === here);
      cell.classList.toggle("group", group[n] === group[here]);
    });
  }

  /** Call `listener(n)` with the cell that a pointer is on. */
  listen(type, listener) {
    this.root.addEventListener(type, (event) => {
      const cell = event.target.closest?.("i[data-cell]");
      if (cell) listener(Number(cell.dataset.cell));
    });
  }
}

// ---------------------------------------------------------------------------------------------------------------- sums

/** The four lines of normalization, with the numbers of one cell in them. */
class Sums {
  constructor() {
    this.lines = Object.fromEntries(["mean", "variance", "standard", "output"].map((name) => {
      const parts = ["name", "left", "middle", "right"].map((part) => element("span", { className: part }));
      return [name, parts];
    }));
    this.root = element("div", { className: "sums", role: "group" },
      ...Object.entries(this.lines).map(([name, parts]) => element("p", { "data-line": name }, ...parts)));
  }

  show(scene, here, labels) {
    for (const [name, texts] of Object.entries(written(scene, here, labels))) {
      texts.forEach((text, k) => say(this.lines[name][k], text));
    }
  }

  /** Make every line as high as the highest that it becomes at any cell, so that nothing moves on the way. */
  reserve(scene, labels) {
    const all = scene.x.map((_, here) => written(scene, here, labels));
    const tried = element("div", { className: "sums tried" });
    const lines = [...this.root.children].map((line) => {
      const texts = new Map(all.map((it) => [it[line.dataset.line].join(), it[line.dataset.line]]));
      const copies = [...texts.values()].map((parts) => {
        const copy = line.cloneNode(true);
        copy.style.minHeight = "";
        parts.forEach((text, k) => (copy.children[k].textContent = text));
        return copy;
      });
      tried.append(...copies);
      return [line, copies];
    });
    this.root.after(tried);
    const highest = (copies) => Math.max(...copies.map((it) => it.getBoundingClientRect().height));
    for (const [line, copies] of lines) line.style.minHeight = `${highest(copies)}px`;
    tried.remove();
  }
}

/** Return the parts of each line at a cell: its name, what it computes, how, and the result. A term is never broken. */
function written(scene, here, labels) {
  const { x, group, mean, variance, deviation, normal, y, gamma, beta } = scene;
  const members = x.filter((_, n) => group[n] === group[here]);
  const mu = shown(mean[here], 2), n = members.length;
  const sum = (term) => {
    const terms = members.slice(0, n > WRITTEN ? WRITTEN - 1 : n).map(term);
    return n > WRITTEN ? `${terms.join(" + ")} + …` : terms.join(" + ");
  };
  const minus = isNegative(mu) ? `\u00a0+\u00a0${mu.slice(1)}` : `\u00a0−\u00a0${mu}`;
  const line = (name, left, middle, right) => [labels[name], left, middle, `= ${right}`];
  return {
    mean: line("mean", "μ =", `(${sum((value) => bracketed(value, 3))}) / ${n}`, shown(mean[here])),
    variance: line("variance", "σ² =", `(${sum((value) => `(${shown(value)}${minus})²`)}) / ${n}`, shown(variance[here])),
    standard: line("standard", "x̂ =", `(x\u00a0−\u00a0μ) / √(σ²\u00a0+\u00a0ε) = (${shown(x[here])}${minus}) / ${shown(deviation[here])}`, shown(normal[here])),
    output: line("output", "y =", `γ x̂ + β = ${shown(gamma, 2)} · ${bracketed(normal[here], 3)} + ${bracketed(beta, 2)}`, shown(y[here])),
  };
}

// ---------------------------------------------------------------------------------------------------------------- pane

class Pane extends Walk {
  pace = 1.1;
  file = "normalized";
  told = new Map(); // cell → the number typed into it, until the page has heard of it

  constructor(parent, key) {
    super(key);
    this.input = element("input", { type: "number", id: "number", step: 0.1, min: -99, max: 99 });
    this.inputName = element("label", { htmlFor: "number" });
    this.heading = element("p", { className: "heading" });
    this.stage = element("div", { className: "stage", tabIndex: 0, role: "application", "aria-describedby": "keys" });
    this.sums = new Sums();
    this.alone = element("p", { className: "alone" });
    this.keys = element("p", { className: "keys", id: "keys" });
    this.compose(parent, new URL(`normal.css${search}`, import.meta.url), {
      className: "kasane-normal",
      tools: [element("div", { className: "typed" }, this.inputName, this.input)],
      below: [this.heading, this.stage, this.sums.root, this.alone, this.keys],
    });
    this.openStage(this.stage);
    this.input.onfocus = () => this.play(false);
    this.input.oninput = () => (this.writing = true);
    this.input.onchange = () => this.type();
    this.input.onblur = () => (this.writing = false);
  }

  get places() {
    return this.way.length;
  }

  update(component) {
    const { heard } = component.data;
    if (JSON.stringify(heard) === JSON.stringify([...this.told])) this.told.clear();
    super.update(component);
  }

  build() {
    const { scene, labels } = this, built = scene.shape + this.root.lang;
    if (this.built !== built) this.buildFields();
    this.built = built;
    for (const [name, written] of [["x", typed], ["normal", two], ["y", two]]) this.fields[name].fill(scene[name], written);
    const kind = `${scene.kind}_${scene.shape.length === 2 ? "units" : "pictures"}`;
    const size = scene.group.filter((it) => it === scene.group[0]).length;
    say(this.heading, fill(labels[size === 1 ? `${kind}_one` : kind], { n: size }));
    say(this.alone, size === 1 ? labels.alone : "");
    this.layout();
  }

  buildFields() {
    const { labels, scene: { shape } } = this;
    this.way = way(shape);
    this.rowLength = shape.length === 2 ? shape[1] : shape[2];
    this.fields = Object.fromEntries(["x", "normal", "y"].map((name) => [name, new Field(name, shape, labels)]));
    for (const [name, field] of Object.entries(this.fields)) {
      say(field.title, labels[name]);
      this.openTo(field, (cell) => ({ place: this.way.indexOf(cell) }));
    }
    this.stage.replaceChildren(...Object.values(this.fields).map(({ root }) => root));
    this.stage.className = `stage ${shape.length === 2 ? "units" : "pictures"}`;
    this.stage.style.setProperty("--across", shape.length === 2 ? shape[1] : shape[3] * shape[2]);
    this.stage.setAttribute("aria-label", labels.x);
    say(this.inputName, labels.number);
    say(this.keys, labels.keys);
  }

  /** Give the sums the room that they need along the whole way, as wide as the pane is now. */
  layout() {
    if (this.scene) this.sums.reserve(this.scene, this.labels);
  }

  /** A pointer leads, but not away from a cell whose number is being typed. */
  hold(to) {
    if (!this.writing) super.hold(to);
  }

  draw() {
    const { scene, labels, state } = this, here = this.way[state.place];
    for (const field of Object.values(this.fields)) field.mark(here, scene.group);
    this.sums.show(scene, here, labels);
    if (!this.writing) this.ask(here);
    Object.assign(this.root.dataset, { cell: here, group: scene.group[here] });
    return fill(labels.said, { where: this.where(here), x: shown(scene.x[here]), normal: two(scene.normal[here]), y: two(scene.y[here]) });
  }

  where(cell) {
    const { labels, scene: { shape } } = this, features = shape.at(-1);
    const first = Math.floor(cell / shape.slice(1).reduce((a, b) => a * b)), last = cell % features;
    const [a, b] = shape.length === 2 ? [labels.example, labels.unit] : [labels.picture, labels.channel];
    return `${fill(a, { n: first + 1 })}, ${fill(b, { n: last + 1 })}`;
  }

  /** Let the field be that of a cell. */
  ask(cell) {
    this.asked = cell;
    this.input.value = this.told.get(cell) ?? Number(this.scene.x[cell].toFixed(3));
  }

  /** Tell the page which numbers were typed: while it is busy, the last that it is told is all that it hears. */
  type() {
    const value = this.input.valueAsNumber;
    this.writing = false;
    if (!Number.isFinite(value)) return this.ask(this.asked);
    this.told.set(this.asked, clamp(value, -99, 99));
    this.tell("typed", [...this.told]);
  }

  *rows() {
    const names = ["x", "group", "mean", "variance", "normal", "y"], { scene } = this;
    yield ["cell", ...names];
    yield* scene.x.map((_, n) => [n, ...names.map((name) => scene[name][n])]);
  }
}

/** Return the cells in the order they are gone through: row by row, and pictures plane by plane. */
function way(shape) {
  if (shape.length === 2) return range(shape[0] * shape[1], (n) => n);
  const [count, side, , channels] = shape, size = side * side;
  return range(count * channels * size, (n) => {
    const plane = Math.floor(n / size);
    return (Math.floor(plane / channels) * size + (n % size)) * channels + (plane % channels);
  });
}
