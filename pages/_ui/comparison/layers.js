/** Layer by layer, now. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Cells }, { PROBED }, { edges }, { sum }, { drawBars, surface }] =
  await Promise.all(["cells", "frames", "../liveview/charts", "../liveview/frame", "../served/canvas"].map(load));

/** A row of histograms for each run, a column for each layer: activations, gradients or weights, now. */
export class Layers extends Cells {
  constructor(view) {
    super(view, "layers", ".kcp-layers");
  }

  draw(frame) {
    const { view } = this;
    const kind = view.options.quantity;
    const drawn = view.shown.filter(([, i]) => frame.rows(`${i}/${kind}`));
    const columns = Math.max(1, ...drawn.map(([, i]) => frame.frames[i].header.layers.length));
    const titles = drawn.flatMap(([, i]) => Array.from({ length: columns }, (_, k) => frame.frames[i].header.layers[k] ?? ""));
    const cells = this.build(titles, columns, drawn.map(([run]) => run.name));
    drawn.forEach(([run, i], r) => {
      const one = frame.frames[i];
      one.header.layers.forEach((layer, k) => {
        const counts = one.row(kind, k), limits = one.row(`${kind}_limits`, k);
        const cell = cells[r * columns + k];
        this.bars(cell.canvas, counts, limits, view.line(i).color);
        const note = this.note(one, k, kind, counts, limits);
        const [low, high] = [...limits].map(view.format.short);
        const unbroken = (text) => text.replaceAll(" ", "\u00a0");
        const said = `${unbroken(`${low} … ${high} ·`)} ${unbroken(note)}`; // on two lines where there is no room
        this.say(cell, said, `${run.name}, ${layer}, ${view.t(kind)}: ${low} … ${high}. ${note}`);
      });
    });
  }

  note(frame, k, kind, counts, limits) {
    const { view } = this, value = (j) => frame.last(`layer${k}`, j);
    if (kind === "gradients") return view.t("norm", { norm: view.format.short(value(PROBED.grad_norm)) });
    if (kind === "activations") return view.t("std_of", { std: view.format.short(value(PROBED.std)) });
    const share = frame.rows("zeros") ? frame.row("zeros", k)[0] : nearZero(counts, limits); // runs of old have none
    return view.t("near_zero", { share: view.format.round(share) });
  }

  bars(canvas, counts, [low, high], color) {
    const [width, height] = [this.cellWidth, this.cellHeight];
    const context = surface(canvas, width, height);
    drawBars(context, counts, { width, floor: height - 1, height: height - 6, color });
    context.fillStyle = this.view.theme.text;
    context.globalAlpha = 0.4;
    context.fillRect(0, height - 1, width, 1);
    if (low < 0 && high > 0) context.fillRect((-low / (high - low)) * width, 0, 1, height);
    context.globalAlpha = 1;
  }

  table(frame) {
    const kind = this.view.options.quantity;
    const rows = this.view.shown.filter(([, i]) => frame.rows(`${i}/${kind}`)).flatMap(([run, i]) =>
      frame.frames[i].header.layers.flatMap((layer, k) => {
        const one = frame.frames[i], counts = [...one.row(kind, k)];
        const edge = edges(one.row(`${kind}_limits`, k), counts.length);
        return counts.map((count, n) => [run.csv, layer, edge[n], edge[n + 1], count]);
      }));
    return [["run", "layer", "from", "to", kind], ...rows];
  }
}

/** Return the share of a histogram that lies in the bar that holds zero. */
function nearZero(counts, [low, high]) {
  const bar = Math.floor((-low / (high - low)) * counts.length);
  return (counts[bar] ?? 0) / (sum(counts) || 1);
}
