/* The window: it travels over the cells of an input, and what it computes there stands below.

   Geometry   which cells lie under the window at a place                          no screen
   Grid       numbers in cells, in blue and red, with a frame around some of them
   Layout     how large a cell can be
   Convolution, Pooling, Matrix   the three scenes: their grids, and the sum at one place
   Pane       what they have in common: the way from place to place, by hand and in time

   A place is a number, counted row by row over the output. What lies under the window, the products and the sums are
   worked out here from the input; the numbers of the output come from the engine.
   For tests the root carries data-place, data-filter, data-playing, data-cell and, changed last, data-shown (a count). */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`../served/${name}.js${search}`, import.meta.url));
const [{ dress, element, fill, range, say }, { STILL, mounted, save }, { decimals }, { SHEET, buttons, label, turn }] =
  await Promise.all(["dom", "mount", "numbers", "tools"].map(load));

const LARGEST = 40, SMALLEST = 16, LEGIBLE = 19; // pixels of a cell; on a phone, rather long than smaller than LEGIBLE
const GAP = 10, COLUMN_GAP = 28, TITLE = 30, CAPTION = 18; // pixels between planes and panels, and of words above them
const SLOWEST = 0.5, DOUBLINGS = 5; // places a second at the left end of the speed, and how often that doubles
const SPOKEN_AFTER = 500; // ms of rest after which a place is announced

const memory = new Map(); // key → where a pane was left

export default mounted(({ parentElement, data }) => new Pane(parentElement, data.key));

// ---------------------------------------------------------------------------------------------------------- geometry

/** The places of a window over an input (C, H, W). Coordinates count from the corner of the padding. */
class Geometry {
  constructor({ input, kernel, stride, padding }, output) {
    Object.assign(this, { input, kernel, stride, padding });
    this.channels = input.length;
    [this.height, this.width] = [input[0].length, input[0][0].length].map((size) => size + 2 * padding);
    [this.rows, this.columns] = [output.length, output[0].length];
    this.places = this.rows * this.columns;
  }

  /** Return the number in a cell, undefined in the padding. */
  at(channel, i, j) {
    return this.input[channel][i - this.padding]?.[j - this.padding];
  }

  plane(channel) {
    return cells(this.height, this.width, (i, j) => this.at(channel, i, j));
  }

  /** Return row and column of a place in the output. */
  position(place) {
    return [Math.floor(place / this.columns), place % this.columns];
  }

  /** Return the cell under the window's upper left corner. */
  corner(place) {
    return this.position(place).map((step) => step * this.stride);
  }

  patch(channel, place) {
    const [top, left] = this.corner(place);
    return cells(this.kernel, this.kernel, (i, j) => this.at(channel, top + i, left + j));
  }

  /** Tell whether the window ever lies on a cell. */
  isSeen(i, j) {
    const under = (at, count) => {
      const before = Math.min(Math.floor(at / this.stride), count - 1);
      return at - before * this.stride < this.kernel;
    };
    return under(i, this.rows) && under(j, this.columns);
  }

  /** Return [place, i, j] for every window over a cell: the place, and where in the window the cell lies. */
  windowsOver(i, j) {
    const found = [];
    for (let place = 0; place < this.places; place++) {
      const [top, left] = this.corner(place);
      const [down, right] = [i - top, j - left];
      if (Math.min(down, right) >= 0 && Math.max(down, right) < this.kernel) found.push([place, down, right]);
    }
    return found;
  }
}

const cells = (rows, columns, make) => range(rows * columns, (n) => make(Math.floor(n / columns), n % columns));
const total = (values) => values.reduce((sum, value) => sum + value, 0);
const number = (value) => value ?? 0; // a cell of the padding holds 0

// -------------------------------------------------------------------------------------------------------------- grid

/** Return a number as it is shown. */
const shown = (value) => decimals(value, 2);

/** Numbers in rows and columns. The more of the largest one a number is, the deeper its blue or, below zero, red. */
class Grid {
  constructor(rows, columns, label, properties = {}) {
    Object.assign(this, { rows, columns });
    this.cells = range(rows * columns, () => element("i"));
    this.frame = element("b", { className: "frame", hidden: true });
    this.root = element("div", { role: "img", "aria-label": label, ...properties }, ...this.cells, this.frame);
    this.root.className = `grid ${properties.className ?? ""}`;
    this.root.style.setProperty("--columns", columns);
  }

  /** Show numbers; undefined is a cell of the padding. */
  fill(values, largest = Math.max(...values.map((value) => Math.abs(number(value))))) {
    values.forEach((value, n) => {
      const cell = this.cells[n], text = shown(number(value));
      say(cell, text);
      cell.dataset.n = Math.min(text.length, 6);
      cell.classList.toggle("padding", value === undefined);
      cell.classList.toggle("negative", value < 0);
      cell.style.setProperty("--share", largest ? (Math.abs(number(value)) / largest).toFixed(3) : 0);
    });
    return this;
  }

  /** Give the cells for which `is(i, j, n)` holds a class, and take it from the others. */
  mark(name, is) {
    this.cells.forEach((cell, n) => cell.classList.toggle(name, is(Math.floor(n / this.columns), n % this.columns, n)));
    return this;
  }

  /** Lay the frame around a block of cells. */
  surround(i, j, rows, columns) {
    this.frame.hidden = false;
    for (const [name, value] of Object.entries({ i, j, rows, columns })) this.frame.style.setProperty(`--${name}`, value);
  }

  /** Call `listener(n, event)` with the cell that a pointer is on. */
  listen(type, listener) {
    this.root.addEventListener(type, (event) => {
      const n = this.cells.indexOf(event.target);
      if (n >= 0) listener(n, event);
    });
  }
}

// ------------------------------------------------------------------------------------------------------------ layout

/** Grids of the same size under one title, side by side or (stacked) one under the other. */
class Panel {
  constructor(name, title, grids, { stacked = false, matrix = false, captions = [] } = {}) {
    Object.assign(this, { grids, stacked, matrix, captioned: captions.length > 0 });
    const planes = grids.map(({ root }, n) => (captions[n] ? element("div", {}, element("small", {}, captions[n]), root) : root));
    const [first, ...more] = title;
    this.title = element("h3", {}, first, ...more.map((words) => element("small", {}, words)));
    this.root = element("section", { className: `panel ${name}${matrix ? " matrix" : ""}` },
      this.title, element("div", { className: stacked ? "planes stacked" : "planes" }, ...planes));
  }

  /** Return [width, height] in pixels where a cell is `size` wide, in `room` pixels; the width is Infinity in too few. */
  measure(size, room) {
    const { rows, columns } = this.grids[0];
    const [wide, high] = this.matrix ? matrixCell(size) : [size, size];
    const [width, height] = [columns * wide, rows * high];
    if (width > room) return [Infinity, Infinity];
    const abreast = this.stacked ? 1 : Math.min(this.grids.length, Math.floor((room + GAP) / (width + GAP)));
    const lines = Math.ceil(this.grids.length / abreast);
    return [Math.max(abreast * (width + GAP) - GAP, this.title.offsetWidth), TITLE + lines * (height + GAP + (this.captioned ? CAPTION : 0))];
  }
}

/** Return width and height of the cells of long matrices, where others are `size` wide. */
const matrixCell = (size) => [0.75, 0.6].map((share) => Math.max(Math.round(share * size), 17));

/** Return the height in pixels of panels that fill line after line, Infinity where one is too wide. */
function flow(panels, size, room) {
  let height = 0, line = 0, left = room;
  for (const panel of panels) {
    const [wide, high] = panel.measure(size, room);
    if (wide === Infinity) return Infinity;
    if (wide > left) {
      height += line;
      [line, left] = [0, room];
    }
    line = Math.max(line, high);
    left -= wide + COLUMN_GAP;
  }
  return height + line;
}

/** Return the pixels of a cell: large, but not at the price of much height, and within `limit` of it where that can be. */
function cellSize(panels, room, limit, smallest) {
  const sizes = range(LARGEST - SMALLEST + 1, (n) => SMALLEST + n);
  const cost = (size) => flow(panels, size, room) - 25 * size;
  const best = (choice) => choice.reduce((least, size) => (cost(size) < cost(least) ? size : least));
  const possible = sizes.filter((size) => flow(panels, size, room) < Infinity);
  const choices = [
    possible.filter((size) => flow(panels, size, room) <= limit && size >= smallest),
    possible.filter((size) => size >= smallest),
    possible,
    [SMALLEST],
  ];
  return best(choices.find((choice) => choice.length));
}

// ------------------------------------------------------------------------------------------------------------ scenes

/** What scenes share: the input with a frame on every channel. `show` is told the place and the filter. */
class Scene {
  constructor(scene, labels, output) {
    this.labels = labels;
    this.scene = scene;
    this.geometry = new Geometry(scene, output);
    const { geometry } = this, { padding } = scene;
    this.channelNames = numbered(labels.channel, geometry.channels);
    this.filters = scene.weights?.length ?? 1;
    this.filterNames = numbered(labels.filter, this.filters);
    this.largest = largestOf(scene.input);
    this.inputs = this.grids(labels.input, this.channelNames, geometry.channels, geometry.height, geometry.width);
    this.inputs.forEach((grid, c) => {
      grid.fill(geometry.plane(c), this.largest);
      grid.mark("unseen", (i, j) => !geometry.isSeen(i, j));
    });
    const size = times(geometry.height - 2 * padding, geometry.width - 2 * padding, geometry.channels);
    const title = [labels.input, size, padding ? fill(labels.padding, { padding }) : ""];
    this.panels = [new Panel("input", title, this.inputs, { captions: this.channelNames })];
    this.placed = []; // grids with a cell for each place
    this.ways = []; // grids whose cells lead the window, and where to: a function from cell and filter to [place, filter]
    this.rowLength = geometry.columns; // places from one row to the next, for the arrow keys
  }

  /** Return `count` grids of the same size, which are called by the title and their own name, if they have one. */
  grids(title, names, count, rows, columns) {
    return range(count, (n) => new Grid(rows, columns, names[n] ? `${title}, ${names[n]}` : title));
  }

  /** Return the grids of a new panel of outputs, one number for each place. */
  outputs(name, title, planes, captions, largest) {
    const { rows, columns } = this.geometry;
    const grids = this.grids(title, captions, planes.length, rows, columns);
    grids.forEach((grid, n) => grid.fill(planes[n].flat(), largest));
    this.placed.push(...grids);
    this.ways.push(...grids.map((grid, n) => ({ grid, target: (place) => [place, Math.min(n, this.filters - 1)] })));
    this.panels.push(new Panel(name, [title, times(rows, columns, planes.length)], grids, { captions }));
    return grids;
  }

  show(place) {
    const { geometry } = this, [top, left] = geometry.corner(place), { kernel } = geometry;
    for (const grid of this.inputs) grid.surround(top, left, kernel, kernel);
    for (const grid of this.placed) grid.mark("here", (i, j, n) => n === place);
  }
}

/** Return the names of things that there are several of, none for one. */
const numbered = (template, count) => (count > 1 ? range(count, (n) => fill(template, { n: n + 1 })) : []);
const times = (rows, columns, count) => [rows, columns, ...(count > 1 ? [count] : [])].join(" × ");
const largestOf = (planes) => Math.max(...planes.flat(3).map(Math.abs));

/** A number of a sum with what it is called. */
class Term {
  constructor(name, className = "") {
    this.value = element("b");
    this.root = element("span", { className: `term ${className}` }, this.value, element("small", {}, name));
  }

  set(value) {
    this.value.textContent = shown(value);
  }
}

const sign = (text) => element("span", { className: "sign" }, text);

/** Patch × kernel = products, channel by channel; the sum of all, and the bias, is one cell of the output. */
class Convolution extends Scene {
  constructor(scene, labels) {
    super(scene, labels, scene.outputs[0]);
    const { kernel, channels } = this.geometry;
    this.heaviest = largestOf(scene.weights);
    this.kernelName = element("span");
    const planes = (title) => this.grids(title, this.channelNames, channels, kernel, kernel);
    [this.kernels, this.patches, this.factors, this.products] =
      [labels.kernel, labels.window, labels.kernel, labels.products].map(planes);
    const captions = this.filterNames.length ? [this.kernelName] : [];
    const title = [labels.kernel, times(kernel, kernel, channels)];
    this.panels.push(new Panel("kernel", title, this.kernels, { stacked: true, captions }));
    this.results = this.outputs("output", labels.output, scene.outputs, this.filterNames, largestOf(scene.outputs));
    const ofChannels = range(channels, (c) => new Term(this.channelNames[c] ?? labels.sum));
    this.terms = [...ofChannels, new Term(labels.bias)];
    this.sum = new Term(labels.output, "result");
    const heads = [labels.window, "", labels.kernel, "", labels.products].map((text) => element("small", {}, text));
    const rows = range(channels, (c) =>
      [this.patches[c].root, sign("×"), this.factors[c].root, sign("="), this.products[c].root]).flat();
    const sums = this.terms.flatMap(({ root }, n) => (n ? [sign("+"), root] : [root]));
    this.calculation = element("div", { className: "calculation" },
      element("div", { className: "factors" }, ...heads, ...rows),
      element("div", { className: "terms" }, ...sums, sign("="), this.sum.root));
  }

  show(place, filter) {
    super.show(place);
    const { scene, geometry, largest, heaviest } = this, weights = scene.weights[filter];
    const sums = this.patches.map((grid, c) => {
      const patch = geometry.patch(c, place), weight = weights[c].flat();
      const products = patch.map((value, n) => number(value) * weight[n]);
      grid.fill(patch, largest);
      this.kernels[c].fill(weight, heaviest);
      this.factors[c].fill(weight, heaviest);
      this.products[c].fill(products, heaviest * largest);
      return total(products);
    });
    const all = [...sums, scene.bias[filter]];
    all.forEach((value, n) => this.terms[n].set(value));
    this.sum.set(total(all));
    this.kernelName.textContent = this.filterNames[filter] ?? "";
    this.results.forEach(({ root }, f) => root.parentElement.classList.toggle("chosen", f === filter && this.filters > 1));
    return total(all);
  }

  /** Name the numbers of the scene, for the file. */
  *table() {
    const { scene } = this;
    yield ["input", scene.input];
    yield* scene.weights.map((planes, f) => [`kernel of filter ${f + 1}`, planes]);
    yield ["output", scene.outputs];
  }
}

/** Largest number and mean of the window, channel by channel; nothing is learned. */
class Pooling extends Scene {
  constructor(scene, labels) {
    super(scene, labels, scene.largest[0]);
    const { kernel, channels } = this.geometry, { channelNames: captions, largest } = this;
    this.outputs("largest", labels.largest, scene.largest, captions, largest);
    this.outputs("mean", labels.mean, scene.mean, captions, largest);
    const overall = this.grids(labels.overall, captions, channels, 1, 1);
    overall.forEach((grid, c) => grid.fill([scene.overall[c]], largest));
    this.panels.push(new Panel("overall", [labels.overall, times(1, 1, channels)], overall, { captions }));
    this.patches = this.grids(labels.window, captions, channels, kernel, kernel);
    this.terms = range(channels, () => [
      new Term(labels.is_largest, "result"), new Term(labels.sum), new Term(`${kernel} × ${kernel}`), new Term(labels.is_mean, "result"),
    ]);
    const rows = this.patches.flatMap(({ root }, c) => {
      const [largest, sum, count, mean] = this.terms[c].map((term) => term.root);
      const head = captions.length ? [element("small", {}, captions[c])] : [];
      const average = element("div", { className: "terms" }, sum, sign("÷"), count, sign("="), mean);
      return [element("div", { className: "pooled" }, element("div", { className: "terms" }, ...head, root, largest), average)];
    });
    this.calculation = element("div", { className: "calculation" }, ...rows);
  }

  show(place) {
    super.show(place);
    const { geometry } = this, { kernel, width } = geometry, [top, left] = geometry.corner(place);
    return this.patches.map((grid, c) => {
      const patch = geometry.patch(c, place), largest = Math.max(...patch), first = patch.indexOf(largest);
      grid.fill(patch, this.largest).mark("winner", (i, j, n) => n === first);
      const winner = (top + Math.floor(first / kernel)) * width + left + (first % kernel);
      this.inputs[c].mark("winner", (i, j, n) => n === winner);
      [largest, total(patch), patch.length, total(patch) / patch.length].forEach((value, n) => this.terms[c][n].set(value));
      return largest;
    })[0];
  }

  *table() {
    const { input, largest, mean, overall } = this.scene;
    yield ["input", input];
    yield ["max pooling", largest];
    yield ["average pooling", mean];
    yield ["global average", overall.map((value) => [[value]])];
  }
}

/** The same convolution as a product of matrices: a row is a window, a column a kernel. And the way back, col2im. */
class Matrix extends Convolution {
  constructor(scene, labels) {
    super(scene, labels);
    const { geometry, filters } = this, { matrix, weights, outputs, back } = scene;
    const wide = matrix[0].length, { largest, heaviest, channelNames: captions } = this;
    const turned = weights.map((planes) => range(wide, (n) => this.weightOf(planes, n)));
    this.matrix = new Grid(matrix.length, wide, labels.matrix).fill(matrix.flat(), largest);
    this.columns = new Grid(wide, filters, labels.column).fill(cells(wide, filters, (n, f) => turned[f][n]), heaviest);
    this.result = new Grid(geometry.places, filters, labels.result)
      .fill(cells(geometry.places, filters, (n, f) => outputs[f].flat()[n]));
    this.back = this.grids(labels.col2im, captions, back.length, back[0].length, back[0][0].length);
    this.back.forEach((grid, c) => grid.fill(back[c].flat(), largestOf(back)));
    const panel = (name, title, grid) => new Panel(name, [title, times(grid.rows, grid.columns)], [grid], { matrix: true });
    this.panels = [
      this.panels[0],
      panel("rows", labels.matrix, this.matrix),
      panel("columns", labels.column, this.columns),
      panel("product", labels.result, this.result),
      new Panel("back", [labels.col2im], this.back, { captions }),
    ];
    this.ways = [
      { grid: this.matrix, target: (n, filter) => [Math.floor(n / wide), filter] },
      { grid: this.result, target: (n) => [Math.floor(n / filters), n % filters] },
    ];
    this.rowLength = 1;
    this.row = element("p");
    this.copy = element("p", {}, labels.copies_hint);
    this.calculation = element("div", { className: "calculation sentences" }, this.row, this.copy);
    for (const [c, grid] of [...this.inputs, ...this.back].entries()) {
      grid.listen("pointerover", (n) => this.point(c % geometry.channels, n, grid.columns < geometry.width));
      grid.listen("click", (n) => this.point(c % geometry.channels, n, grid.columns < geometry.width));
    }
  }

  /** Return the kernel's number in row n of its column: rows go through the window, channels innermost. */
  weightOf(planes, n) {
    const { kernel, channels } = this.geometry, at = Math.floor(n / channels);
    return planes[n % channels][Math.floor(at / kernel)][at % kernel];
  }

  show(place, filter) {
    const sum = super.show(place, filter);
    this.matrix.surround(place, 0, 1, this.matrix.columns);
    this.columns.surround(0, filter, this.columns.rows, 1);
    this.result.surround(place, filter, 1, 1);
    this.row.textContent = fill(this.labels.row_is, { row: place + 1, n: filter + 1, sum: shown(sum) });
    return sum;
  }

  /** Show where the number of an input cell stands in the matrix. */
  point(channel, n, inner) {
    const { geometry } = this, { kernel, channels, padding } = geometry;
    const width = geometry.width - 2 * padding;
    const [i, j] = inner
      ? [Math.floor(n / width) + padding, (n % width) + padding]
      : [Math.floor(n / geometry.width), n % geometry.width];
    const value = geometry.at(channel, i, j);
    if (value === undefined) return;
    const over = geometry.windowsOver(i, j);
    const copies = new Set(over.map(([place, a, b]) => place * this.matrix.columns + (a * kernel + b) * channels + channel));
    this.matrix.mark("copy", (_i, _j, at) => copies.has(at));
    this.inputs.forEach((grid, c) => grid.mark("copy", (_i, _j, at) => c === channel && at === i * geometry.width + j));
    this.back.forEach((grid, c) => grid.mark("copy", (_i, _j, at) => c === channel && at === (i - padding) * width + j - padding));
    const sum = this.scene.back[channel][i - padding][j - padding];
    const said = { row: i - padding + 1, column: j - padding + 1, n: over.length, value: shown(value), sum: shown(sum) };
    this.copy.textContent = fill(this.labels.copies, said);
  }

  *table() {
    yield* super.table();
    yield ["im2col", [this.scene.matrix]];
    yield ["col2im", this.scene.back];
  }
}

const SCENES = { convolution: Convolution, pooling: Pooling, im2col: Matrix };

// -------------------------------------------------------------------------------------------------------------- pane

/** A scene with its tools. */
class Pane {
  constructor(parent, key) {
    this.state = memory.get(key) ?? { place: 0, filter: 0, speed: 0.4, playing: !STILL };
    memory.set(key, this.state);
    this.shown = 0;
    this.tools = buttons();
    this.speed = element("input", { type: "range", id: "speed", min: 0, max: 1, step: 0.01, value: this.state.speed });
    this.speedName = element("label", { htmlFor: "speed" });
    this.where = element("p", { className: "where" });
    this.stage = element("div", { className: "stage" });
    this.keys = element("p", { className: "keys", id: "keys" });
    this.status = element("p", { className: "unseen-text", role: "status" });
    const { back, play, forward, csv } = this.tools;
    this.root = element("div", { className: "kasane-window", hidden: true, "data-shown": 0 },
      element("div", { className: "tools", role: "toolbar" },
        element("div", { className: "group" }, back, play, forward),
        element("div", { className: "speed" }, this.speedName, this.speed), this.where, csv),
      this.stage, this.keys, this.status);
    dress(parent, this.root, SHEET, new URL(`window.css${search}`, import.meta.url)).then(() => this.layout());

    back.onclick = () => this.step(-1);
    forward.onclick = () => this.step(1);
    play.onclick = () => this.play(!this.state.playing);
    csv.onclick = () => this.download();
    this.speed.oninput = () => {
      this.state.speed = Number(this.speed.value);
      this.wait();
    };
    this.sized = new ResizeObserver(() => this.layout());
    this.sized.observe(this.root);
  }

  /** Take what the page says: another scene or another language. */
  update({ data: { scene, labels, language } }) {
    const text = JSON.stringify([scene, labels]);
    if (text !== this.text) {
      this.text = text;
      this.labels = labels;
      this.root.lang = language;
      this.build(scene);
    }
  }

  /** Go the way again from its beginning. */
  again() {
    this.go(0);
    this.play(!STILL);
  }

  build(scene) {
    const { labels, state } = this;
    this.held = false;
    this.scene = new SCENES[scene.mode](scene, labels);
    const { panels, calculation, ways } = this.scene;
    this.stage.className = `stage ${scene.mode}`;
    this.stage.replaceChildren(element("div", { className: "panels" }, ...panels.map(({ root }) => root)), calculation);
    for (const way of ways) this.openToHands(way);
    this.speedName.textContent = labels.speed;
    this.keys.textContent = labels.keys;
    label(this.tools, labels);
    state.place = Math.min(state.place, this.scene.geometry.places - 1);
    state.filter = Math.min(state.filter, this.scene.filters - 1);
    this.layout();
    this.play(state.playing);
    this.show();
  }

  /** Let a pointer or the arrow keys lead the window by a grid; `target` says to which place and filter a cell leads. */
  openToHands({ grid, target }) {
    grid.root.tabIndex = 0;
    grid.root.setAttribute("role", "application");
    grid.root.setAttribute("aria-describedby", "keys");
    grid.listen("pointerover", (n) => this.hold(...target(n, this.state.filter)));
    grid.listen("click", (n) => {
      this.play(false);
      this.go(...target(n, this.state.filter));
    });
    grid.root.addEventListener("pointerleave", () => this.release());
    grid.root.addEventListener("keydown", (event) => this.steer(event, target(0, this.state.filter)[1]));
  }

  /** Go where a pointer is, and stay there as long as it does. */
  hold(place, filter) {
    this.held = true;
    clearTimeout(this.timer);
    this.go(place, filter);
  }

  release() {
    this.held = false;
    this.wait();
  }

  steer(event, filter) {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const { rowLength, geometry: { places } } = this.scene, { place } = this.state;
    const start = place - (place % rowLength);
    const targets = {
      ArrowLeft: place - 1,
      ArrowRight: place + 1,
      ArrowUp: place - rowLength,
      ArrowDown: place + rowLength,
      Home: start,
      End: start + rowLength - 1,
    };
    if (event.key === " ") this.play(!this.state.playing);
    else if (event.key in targets) {
      this.play(false);
      if (targets[event.key] >= 0 && targets[event.key] < places) this.go(targets[event.key], filter);
    } else return;
    event.preventDefault();
  }

  // ---- the way from place to place

  go(place, filter = this.state.filter) {
    Object.assign(this.state, { place, filter });
    this.show();
  }

  /** Go on or back by hand: one place, from the last to the first. */
  step(by) {
    this.play(false);
    this.advance(by);
  }

  advance(by) {
    const { places } = this.scene.geometry;
    this.go((this.state.place + by + places) % places);
  }

  play(playing) {
    this.state.playing = playing;
    this.root.dataset.playing = playing;
    turn(this.tools, playing, this.labels);
    this.wait();
  }

  /** Set the time of the next step. */
  wait() {
    clearTimeout(this.timer);
    const pace = 1000 / (SLOWEST * 2 ** (DOUBLINGS * this.state.speed));
    this.root.style.setProperty("--travel", `${Math.round(Math.min(220, pace / 2))}ms`);
    if (!this.state.playing || this.held) return;
    this.timer = setTimeout(() => {
      this.advance(1);
      this.wait();
    }, pace);
  }

  show() {
    const { place, filter, playing } = this.state, { geometry } = this.scene;
    const value = this.scene.show(place, filter);
    const [row, column] = geometry.position(place).map((n) => n + 1);
    this.where.textContent = fill(this.labels.place, { row, column });
    clearTimeout(this.saying);
    const sentence = fill(this.labels.said, { row, column, value: shown(value) });
    if (!playing) this.saying = setTimeout(() => (this.status.textContent = sentence), SPOKEN_AFTER);
    Object.assign(this.root.dataset, { place, filter, shown: ++this.shown });
  }

  // ---- the rest

  /** Make the cells as large as there is room. */
  layout() {
    const room = this.root.clientWidth;
    if (!room || !this.scene) return;
    const narrow = room < 620;
    const { panels, geometry } = this.scene;
    const visible = panels.filter(({ root }) => !(narrow && root.classList.contains("kernel")));
    const limit = this.scene instanceof Matrix ? 700 : narrow ? 520 : 440;
    const cell = cellSize(visible, room - 4, limit, narrow ? LEGIBLE : SMALLEST);
    this.root.classList.toggle("narrow", narrow);
    this.root.dataset.cell = cell;
    this.root.style.setProperty("--cell", `${cell}px`);
    const [wide, high] = matrixCell(cell);
    this.root.style.setProperty("--matrix-width", `${wide}px`);
    this.root.style.setProperty("--matrix-height", `${high}px`);
    const patch = Math.floor((Math.min(room, 700) - 60) / (3 * geometry.kernel));
    this.root.style.setProperty("--patch", `${Math.min(patch, geometry.channels > 1 ? 26 : 34)}px`);
  }

  download() {
    const lines = [["array", "channel", "row", "column", "value"]];
    for (const [name, planes] of this.scene.table()) {
      planes.forEach((plane, c) => plane.forEach((row, i) => row.forEach((value, j) => {
        lines.push([name, c + 1, i + 1, j + 1, value]);
      })));
    }
    save(lines, `kasane-${this.stage.className.split(" ")[1]}.csv`);
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.saying);
    this.sized.disconnect();
    this.root.remove();
  }
}
