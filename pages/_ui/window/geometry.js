/** Which cells of an input lie under a window at a place. Nothing here knows of a screen. */

const { search } = new URL(import.meta.url);
const { range } = await import(new URL(`../served/dom.js${search}`, import.meta.url));

export const cells = (rows, columns, make) => range(rows * columns, (n) => make(Math.floor(n / columns), n % columns));

/** The places of a window over an input (C, H, W). Coordinates count from the corner of the padding. */
export class Geometry {
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
