/** What the three scenes share: an input with a frame on it, panels beside it, and the numbers of a sum. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Geometry }, { Grid, shown }, { Panel }, { element, fill, range }] =
  await Promise.all(["geometry", "grid", "panel", "../served/dom"].map(load));

/** What scenes share: the input with a frame on every channel. `show` is told the place and the filter. */
export class Scene {
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
    this.ways = []; // grids whose cells lead the window, and their target(cell, filter): the place and filter to go to
    this.rowLength = geometry.columns; // places from one row to the next, for the arrow keys
    this.limits = [440, 520]; // pixels of the panels' height, within which cells are large; in a narrow place
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
    const filter = (n) => Math.min(n, this.filters - 1);
    this.ways.push(...grids.map((grid, n) => ({ grid, target: (place) => ({ place, filter: filter(n) }) })));
    this.panels.push(new Panel(name, [title, times(rows, columns, planes.length)], grids, { captions }));
    return grids;
  }

  show(place) {
    const { geometry } = this, [top, left] = geometry.corner(place), { reach } = geometry;
    for (const grid of this.inputs) {
      grid.surround(top, left, reach, reach);
      if (geometry.dilation > 1) grid.mark("taken", (i, j) => geometry.takes(place, i, j));
    }
    for (const grid of this.placed) grid.mark("here", (i, j, n) => n === place);
  }
}

/** Return the names of things that there are several of, none for one. */
const numbered = (template, count) => (count > 1 ? range(count, (n) => fill(template, { n: n + 1 })) : []);
export const times = (rows, columns, count) => [rows, columns, ...(count > 1 ? [count] : [])].join(" × ");
export const total = (values) => values.reduce((sum, value) => sum + value, 0);
export const largestOf = (planes) => Math.max(...planes.flat(3).map(Math.abs));

/** A number of a sum with what it is called. */
export class Term {
  constructor(name, className = "") {
    this.value = element("b");
    this.root = element("span", { className: `term ${className}` }, this.value, element("small", {}, name));
  }

  set(value) {
    this.value.textContent = shown(value);
  }
}

export const sign = (text) => element("span", { className: "sign" }, text);
