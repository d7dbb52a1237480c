/** Histograms of every layer, now. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Block, OFTEN, edges }, { sum }, { layerColor }, { drawBars, surface }] =
  await Promise.all(["charts", "frame", "look", "../served/canvas"].map(load));

/** What each layer's activations, gradients or weights are like at this moment. */
export class Histograms extends Block {
  thrift = OFTEN;

  constructor(view) {
    super(view, "histograms");
    this.box = this.element.querySelector(".klv-cells");
    this.cells = [];
  }

  stamp(frame) {
    return [frame.header.layers, frame.last("layer0", 0), this.view.options.histogram].join();
  }

  /** Make one cell for each layer. */
  build(layers) {
    this.names = layers.join();
    this.box.innerHTML = `<div class="klv-cell"><b></b><i></i><canvas role="img"></canvas>
      <div class="klv-limits" aria-hidden="true"><span></span><span></span></div>
      <small></small><small></small></div>`.repeat(layers.length);
    this.cells = layers.map((layer, i) => {
      const cell = this.box.children[i];
      cell.firstElementChild.textContent = layer;
      const [low, high] = cell.querySelectorAll("span");
      const [canvas, cut] = [cell.querySelector("canvas"), cell.querySelector("i")];
      return { canvas, cut, low, high, notes: cell.querySelectorAll("small") };
    });
  }

  draw(frame) {
    const { layers } = frame.header;
    if (layers.join() !== this.names) this.build(layers);
    const size = [this.view.look, this.width, this.names].join();
    if (size !== this.size) this.cellWidth = this.cells[0]?.canvas.clientWidth;
    this.size = size;
    const kind = this.view.options.histogram;
    this.cells.forEach(({ canvas, cut, low, high, notes }, i) => {
      const limits = frame.row(`${kind}_limits`, i);
      low.textContent = this.view.format.short(limits[0]);
      high.textContent = this.view.format.short(limits[1]);
      const lines = this.notes(frame, i);
      notes.forEach((note, k) => (note.textContent = lines[k] ?? "\u00a0"));
      const moments = kind === "activations" ? [frame.last(`layer${i}`, 1), frame.last(`layer${i}`, 2)] : [NaN, NaN];
      const counts = frame.row(kind, i);
      const top = this.bars(canvas, counts, limits, layerColor(this.view.theme, i, layers.length), moments);
      const highest = counts.indexOf(Math.max(...counts));
      cut.textContent = counts[highest] > top ? this.view.format.round(counts[highest] / sum(counts)) : "";
      cut.style.left = `${(100 * highest) / counts.length}%`;
      cut.style.translate = highest > counts.length / 2 ? "-100%" : "";
    });
  }

  /** Return what stands under the histogram of layer `i`. */
  notes(frame, i) {
    const { format } = this.view;
    const value = (j) => frame.last(`layer${i}`, j);
    if (this.view.options.histogram === "gradients") return [this.view.t("norm", { norm: format.short(value(4)) })];
    if (this.view.options.histogram === "weights") return [];
    const mean = this.view.t("mean_std", { mean: format.short(value(1)), std: format.short(value(2)) });
    return [mean, this.view.t("dead", { share: format.round(value(3)) })];
  }

  /** Draw bars, the zero, and mean ± standard deviation below. Return the count that is as high as the canvas. */
  bars(canvas, counts, [low, high], color, [mean, std]) {
    const [width, height] = [this.cellWidth, 84]; // as in the stylesheet
    const context = surface(canvas, width, height);
    const floor = height - 7;
    const at = (value) => ((value - low) / (high - low)) * width;
    const top = drawBars(context, counts, { width, floor, height: floor - 12, color });
    context.fillStyle = this.view.theme.text;
    context.globalAlpha = 0.35;
    context.fillRect(0, floor, width, 1);
    if (low < 0 && high > 0) context.fillRect(at(0), 12, 1, floor - 12);
    if (Number.isFinite(mean + std)) {
      const inside = (value) => Math.min(Math.max(at(value), 0), width);
      const [left, middle, right] = [mean - std, mean, mean + std].map(inside);
      context.globalAlpha = 0.75;
      context.fillRect(left, floor + 3, right - left, 2);
      context.fillRect(middle - 1.5, floor + 1, 3, 6);
    }
    context.globalAlpha = 1;
    return top;
  }

  speak(frame) {
    const kind = this.view.options.histogram;
    if (this.cells.length !== frame.header.layers.length) return;
    this.cells.forEach(({ canvas }, i) => {
      const counts = frame.row(kind, i);
      const [from, to] = frame.row(`${kind}_limits`, i);
      const highest = from + ((to - from) * (counts.indexOf(Math.max(...counts)) + 0.5)) / counts.length;
      const [low, high, mode] = [from, to, highest].map(this.view.format.short);
      const values = { layer: frame.header.layers[i], quantity: this.view.t(kind), low, high, mode };
      const text = [this.view.t("histogram_text", values), ...this.notes(frame, i)].join(", ");
      canvas.setAttribute("aria-label", text);
    });
  }

  table(frame) {
    const kind = this.view.options.histogram;
    const rows = frame.header.layers.flatMap((layer, i) => {
      const counts = [...frame.row(kind, i)], edge = edges(frame.row(`${kind}_limits`, i), counts.length);
      return counts.map((count, k) => [layer, edge[k], edge[k + 1], count]);
    });
    return [["layer", "from", "to", kind], ...rows];
  }
}
