/* The window: it travels over the cells of an input, and what it computes there stands below.

   geometry.js   which cells lie under the window at a place
   grid.js       numbers in cells, in blue and red, with a frame around some of them
   panel.js      grids under a title, and how large a cell can be
   scene.js      what the scenes share
   convolution.js, pooling.js, im2col.js   the three scenes: their grids, and the sum at one place

   A place is a number, counted row by row over the output. What lies under the window, the products and the sums are
   worked out here from the input; the numbers of the output come from the engine.
   For tests the root carries data-filter and data-cell too. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url)); // the same version as this file
const [{ Convolution }, { Pooling }, { Matrix }, { shown }, { SMALLEST, cellSize, matrixCell }] =
  await Promise.all(["convolution", "pooling", "im2col", "grid", "panel"].map(load));
const [{ element, fill }, { mounted }, { Walk }] =
  await Promise.all(["dom", "mount", "walk"].map((name) => load(`../served/${name}`)));

const SCENES = { convolution: Convolution, pooling: Pooling, im2col: Matrix };
const LEGIBLE = 19; // pixels of a cell: on a phone, rather long than smaller
const SLOWEST = 0.5, DOUBLINGS = 5; // places a second at the left end of the speed, and how often that doubles

export default mounted(({ parentElement, data }) => new Pane(parentElement, data.key));

/** A scene with its tools. */
class Pane extends Walk {
  constructor(parent, key) {
    super(key, { filter: 0, speed: 0.4 });
    this.speed = element("input", { type: "range", id: "speed", min: 0, max: 1, step: 0.01, value: this.state.speed });
    this.speedName = element("label", { htmlFor: "speed" });
    this.where = element("p", { className: "where" });
    this.stage = element("div", { className: "stage" });
    this.keys = element("p", { className: "keys", id: "keys" });
    this.compose(parent, new URL(`window.css${search}`, import.meta.url), {
      className: "kasane-window",
      tools: [element("div", { className: "speed" }, this.speedName, this.speed), this.where],
      below: [this.stage, this.keys],
    });
    this.travel();
    this.speed.oninput = () => {
      this.state.speed = Number(this.speed.value);
      this.travel();
      this.wait();
    };
  }

  get places() {
    return this.picture.geometry.places;
  }

  get rowLength() {
    return this.picture.rowLength;
  }

  get pace() {
    return SLOWEST * 2 ** (DOUBLINGS * this.state.speed);
  }

  get file() {
    return this.scene.mode;
  }

  /** Let the frame arrive before it goes on. */
  travel() {
    this.root.style.setProperty("--travel", `${Math.round(Math.min(220, 500 / this.pace))}ms`);
  }

  build() {
    const { labels, scene, state } = this;
    this.held = false;
    this.picture = new SCENES[scene.mode](scene, labels);
    const { panels, calculation, ways } = this.picture;
    this.stage.className = `stage ${scene.mode}`;
    this.stage.replaceChildren(element("div", { className: "panels" }, ...panels.map(({ root }) => root)), calculation);
    for (const way of ways) this.openToHands(way);
    this.speedName.textContent = labels.speed;
    this.keys.textContent = labels.keys;
    state.filter = Math.min(state.filter, this.picture.filters - 1);
    this.layout();
  }

  /** Let a pointer or the arrow keys lead the window by a grid; target: to which place and filter a cell leads. */
  openToHands({ grid, target }) {
    const state = (n) => target(n, this.state.filter);
    this.openTo(grid, state);
    this.openStage(grid.root, () => ({ filter: state(0).filter }));
    grid.root.tabIndex = 0;
    grid.root.setAttribute("role", "application");
    grid.root.setAttribute("aria-describedby", "keys");
  }

  draw() {
    const { labels, picture, state: { place, filter } } = this;
    const value = picture.show(place, filter);
    const [row, column] = picture.geometry.position(place).map((n) => n + 1);
    this.where.textContent = fill(labels.place, { row, column });
    this.root.dataset.filter = filter;
    return fill(labels.said, { row, column, value: shown(value) });
  }

  /** Make the cells as large as there is room. */
  layout() {
    const room = this.width;
    if (!room || !this.scene) return;
    const narrow = room < 620;
    const { panels, geometry, limits } = this.picture;
    const visible = panels.filter(({ root }) => !(narrow && root.classList.contains("kernel")));
    const cell = cellSize(visible, room - 4, limits[Number(narrow)], narrow ? LEGIBLE : SMALLEST);
    this.root.classList.toggle("narrow", narrow);
    this.root.dataset.cell = cell;
    this.root.style.setProperty("--cell", `${cell}px`);
    const [wide, high] = matrixCell(cell);
    this.root.style.setProperty("--matrix-width", `${wide}px`);
    this.root.style.setProperty("--matrix-height", `${high}px`);
    const patch = Math.floor((Math.min(room, 700) - 60) / (3 * geometry.kernel));
    this.root.style.setProperty("--patch", `${Math.min(patch, geometry.channels > 1 ? 26 : 34)}px`);
  }

  *rows() {
    yield ["array", "channel", "row", "column", "value"];
    for (const [name, planes] of this.picture.table()) {
      for (const [c, plane] of planes.entries()) {
        for (const [i, row] of plane.entries()) yield* row.map((value, j) => [name, c + 1, i + 1, j + 1, value]);
      }
    }
  }
}
