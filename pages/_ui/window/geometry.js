/** Which cells of an input lie under a window at a place. Nothing here knows of a screen. */

const { search } = new URL(import.meta.url);
const { range } = await import(new URL(`../served/dom.js${search}`, import.meta.url));

export const cells = (rows, columns, make) => range(rows * columns, (n) => make(Math.floor(n / columns), n % columns));

/** The places of a window over an input (C, H, W). Coordinates count from the corner of the padding. */
export class Geometry {
  constructor({ input, kernel, stride, padding, dilation }, output) {
    Object.assign(this, { input, kernel, stride, padding, dilation });
    this.reach = dilation * (kernel - 1) + 1; // cells on a side of the window
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
    return cells(this.kernel, this.kernel, (i, j) => this.at(channel, top + i * this.dilation, left + j * this.dilation));
  }

  /** Tell whether a cell at these distances from the window's corner lies under a number of the kernel. */
  isUnder(...distances) {
    return distances.every((at) => at >= 0 && at < this.reach && at % this.dilation === 0);
  }

  /** Tell whether a cell ever lies under the kernel. */
  isSeen(i, j) {
    const seen = (at, count) => range(count, (step) => at - step * this.stride).some((at) => this.isUnder(at));
    return seen(i, this.rows) && seen(j, this.columns);
  }

  /** Tell whether a cell lies under the kernel at a place. */
  takes(place, i, j) {
    const [top, left] = this.corner(place);
    return this.isUnder(i - top, j - left);
  }

  /** Return [place, i, j] for every window over a cell: the place, and where in the window the cell lies. */
  windowsOver(i, j) {
    const found = [];
    for (let place = 0; place < this.places; place++) {
      const [top, left] = this.corner(place);
      const [down, right] = [i - top, j - left];
      if (this.isUnder(down, right)) found.push([place, down / this.dilation, right / this.dilation]);
    }
    return found;
  }
}
