/** im2col: a convolution as a product of matrices, and col2im, the way back. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Convolution }, { largestOf, times }, { cells }, { Grid, shown }, { Panel }, { element, fill, range }] =
  await Promise.all(["convolution", "scene", "geometry", "grid", "panel", "../served/dom"].map(load));

/** The same convolution as a product of matrices: a row is a window, a column a kernel. And the way back, col2im. */
export class Matrix extends Convolution {
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
      { grid: this.matrix, target: (n, filter) => ({ place: Math.floor(n / wide), filter }) },
      { grid: this.result, target: (n) => ({ place: Math.floor(n / filters), filter: n % filters }) },
    ];
    this.rowLength = 1;
    this.limits = [700, 700];
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
