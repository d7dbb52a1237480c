/** Numbers in cells, in blue and red, with a frame around some of them. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`../served/${name}.js${search}`, import.meta.url));
const [{ element, range, say }, { decimals }] = await Promise.all(["dom", "numbers"].map(load));

export const number = (value) => value ?? 0; // a cell of the padding holds 0

/** Return a number as it is shown. */
export const shown = (value) => decimals(value, 2);

/** Numbers in rows and columns. The more of the largest one a number is, the deeper its blue or, below zero, red. */
export class Grid {
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
