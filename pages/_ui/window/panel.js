/** Grids under a title, and how large their cells can be so that all of them have room. */

const { search } = new URL(import.meta.url);
const { element, range } = await import(new URL(`../served/dom.js${search}`, import.meta.url));

const LARGEST = 40; // pixels of a cell
export const SMALLEST = 16;
const GAP = 10, COLUMN_GAP = 28, TITLE = 30, CAPTION = 18; // pixels between planes and panels, and of words above them

/** Grids of the same size under one title, side by side or (stacked) one under the other. */
export class Panel {
  constructor(name, title, grids, { stacked = false, matrix = false, captions = [] } = {}) {
    Object.assign(this, { grids, stacked, matrix, captioned: captions.length > 0 });
    const planes = grids.map(({ root }, n) => (captions[n] ? element("div", {}, element("small", {}, captions[n]), root) : root));
    const [first, ...more] = title;
    this.title = element("h2", {}, first, ...more.flatMap((words) => [" ", element("small", {}, words)]));
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
export const matrixCell = (size) => [0.75, 0.6].map((share) => Math.max(Math.round(share * size), 17));

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
export function cellSize(panels, room, limit, smallest) {
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
