/** Pooling, by the largest number and by the mean. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Scene, Term, sign, times, total }, { Panel }, { element, range }] =
  await Promise.all(["scene", "panel", "../served/dom"].map(load));

/** Largest number and mean of the window, channel by channel; nothing is learned. */
export class Pooling extends Scene {
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
