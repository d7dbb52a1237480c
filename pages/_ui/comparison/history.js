/** Layer by layer, over the whole of training. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Cells, nameLines, plot }, { PROBED }] = await Promise.all(["cells", "frames"].map(load));
const [{ thin }, { layerColor }] = await Promise.all(["../liveview/frame", "../liveview/look"].map(load));
const [{ plain, tenTo, ticks }, { dashOf }] = await Promise.all(["../served/numbers", "../served/series"].map(load));

const SAID = 8; // layers whose latest numbers stand below a picture, half of them the first ones

/** For each run, one quantity of every layer over the whole of training. */
export class History extends Cells {
  constructor(view) {
    super(view, "history", ".kcp-history");
    this.lineNames = this.element.querySelector(".kcp-key");
  }

  draw(frame) {
    const { view } = this, kind = view.options.over, column = PROBED[kind];
    const drawn = view.shown.filter(([, i]) => frame.frames[i]);
    const cells = this.build(drawn.map(([run]) => run.name), Math.min(drawn.length, 4));
    const series = drawn.map(([, i]) => frame.frames[i].header.layers.map((_, k) =>
      thin(frame.column(`${i}/layer${k}`, 0), frame.column(`${i}/layer${k}`, column))));
    const all = series.flat().flatMap(([, ys]) => [...ys]).filter(Number.isFinite);
    const log = kind !== "mean"; // which may be below 0
    const range = log ? decades(all) : [Math.min(0, ...all), Math.max(1e-9, ...all)];
    const options = {
      right: frame.header.steps, range, log, theme: view.theme,
      marks: log ? powers(range) : ticks(...range, 3).map((value) => [value, plain(value)]),
      steps: ["0", view.t("step"), view.format.whole(frame.header.steps)],
    };
    const names = drawn.map(([, i]) => frame.frames[i].header.layers), deepest = Math.max(0, ...names.map(({ length }) => length));
    const looks = Array.from({ length: deepest }, (_, k) => ({
      name: [...new Set(names.map((layers) => layers[k]).filter(Boolean))].join(" / "), // the same in most comparisons
      color: layerColor(view.theme, k, deepest), dash: dashOf(k),
    }));
    nameLines(this.lineNames, looks);
    drawn.forEach(([run, i], r) => {
      const { layers } = frame.frames[i].header;
      const lines = series[r].map(([xs, ys], k) => ({ xs, ys, ...looks[k] }));
      plot(cells[r].canvas, this.cellWidth, this.cellHeight, lines, options);
      const last = layers.map((layer, k) => `${layer}\u00a0${view.format.short(frame.last(`${i}/layer${k}`, column))}`);
      const seen = last.length > SAID ? [...last.slice(0, SAID / 2), "…", ...last.slice(-SAID / 2)] : last;
      this.say(cells[r], seen.join(" · "), `${run.name}, ${view.t(kind)}: ${last.join(", ")}`);
    });
  }

  table(frame) {
    const column = PROBED[this.view.options.over];
    const rows = this.view.shown.filter(([, i]) => frame.frames[i]).flatMap(([run, i]) =>
      frame.frames[i].header.layers.flatMap((layer, k) => {
        const values = frame.column(`${i}/layer${k}`, column);
        return [...frame.column(`${i}/layer${k}`, 0)].map((step, n) => [run.csv, layer, step, values[n]]);
      }));
    return [["run", "layer", "step", this.view.options.over], ...rows];
  }
}

/** Return the powers of ten around the positive ones of some values. */
function decades(values) {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  if (!logs.length) return [1e-3, 1];
  const low = Math.floor(Math.min(...logs)), high = Math.ceil(Math.max(...logs));
  return [10 ** low, 10 ** Math.max(high, low + 1)];
}

/** Return two to four powers of ten in a range of such, as [value, text]. */
function powers(range) {
  const [low, high] = range.map((value) => Math.round(Math.log10(value)));
  const every = Math.ceil((high - low) / 3);
  const there = Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, n) => low + n * every);
  return there.map((n) => [10 ** n, n ? tenTo(n) : "1"]);
}
