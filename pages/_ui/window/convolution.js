/** A convolution: what it computes at one place, channel by channel. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Scene, Term, largestOf, sign, times, total }, { number }, { Panel }, { element, range }] =
  await Promise.all(["scene", "grid", "panel", "../served/dom"].map(load));

/** Patch × kernel = products, channel by channel; the sum of all, and the bias, is one cell of the output. */
export class Convolution extends Scene {
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
