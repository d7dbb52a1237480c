/* Untrained networks, one below the other: a histogram for every layer, and beside them both ways through the layers. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Lines }, { ceiling }, { element, range, say, svg }, { series, swatch }] =
  await Promise.all(["lines", "../served/canvas", "../served/dom", "../served/series"].map(load));

export class Before {
  constructor(stage) {
    this.stage = stage;
    this.rows = element("div", { className: "ksp-rows" });
    this.charts = element("div", { className: "ksp-charts" });
    this.examples = element("p", { className: "ksp-note" });
    this.empty = element("p", { className: "ksp-empty", textContent: stage.t("nothing") });
    this.lines = ["forward", "backward"].map((name) => {
      const lines = new Lines();
      const box = element("section");
      box.append(element("h2", { textContent: stage.t(name) }), lines.root);
      this.charts.append(box);
      return lines;
    });
    const main = element("div", { className: "ksp-main" });
    main.append(this.rows, this.charts);
    this.parts = [main, this.examples];
  }

  sliders() {
    const { stage } = this;
    const sigma = (value) => `${stage.format.short(value)}`;
    const marks = ({ marks }) => [["0.01", marks["0.01"]], [stage.t("xavier"), marks.xavier], [stage.t("he"), marks.he],
      ["1", marks["1"]]];
    return [
      { name: "sigma", low: 0.001, high: 10, step: 0.01, log: true, say: sigma, marks },
      { name: "layers", low: 2, high: 30, step: 1, say: String },
      { name: "width", low: 10, high: 200, step: 10, say: String },
    ];
  }

  draw(scene, width) {
    const { stage } = this;
    const { rows, values } = scene;
    const wide = width >= 900;
    const room = wide ? Math.round(width * 0.62) - 12 : width;
    const most = Math.max(3, Math.floor(room / 68));
    this.columns = pick(scene.columns, Math.min(most, scene.columns.length));
    const key = JSON.stringify([rows.map(({ id }) => id), this.columns, stage.words]);
    if (key !== this.key) this.build(rows);
    this.key = key;
    this.rows.classList.toggle("ksp-quiet", !scene.notes);
    this.std = this.built.length && this.overflows(stage.t("std", { value: "0.00e−00" })) ? "std_short" : "std";
    rows.forEach((row, r) => this.drawRow(row, this.built[r], scene));
    const half = wide ? width * 0.38 - 24 : width >= 640 ? (width - 24) / 2 : width;
    this.drawLines(scene, Math.floor(half));
    const note = stage.t("examples", { n: stage.format.whole(scene.examples), width: values.width });
    say(this.examples, this.std === "std_short" ? `${note} · ${stage.t("std_meaning")}` : note);
  }

  /** Return whether a text is wider than the room below a histogram. */
  overflows(text) {
    const { std } = this.built[0].cells[0];
    say(std, text);
    return std.scrollWidth > std.clientWidth;
  }

  build(rows) {
    const { stage } = this;
    const heads = element("div", { className: "ksp-cells ksp-heads" });
    heads.append(...this.columns.map((n) => element("span", { textContent: stage.t("layer", { n }) })));
    this.built = rows.map((row) => {
      const box = element("section", { className: "ksp-row" });
      box.dataset.start = row.id;
      const [sign, name, times, arrives] = ["span", "b", "span", "span"].map((tag) => element(tag));
      const head = element("div", { className: "ksp-name" });
      head.append(sign, name, times, arrives);
      const line = element("div", { className: "ksp-cells" });
      const cells = this.columns.map(() => {
        const bars = svg("path"), zero = svg("path", { class: "zero" });
        const picture = svg("svg", { viewBox: "0 0 30 100", preserveAspectRatio: "none", "aria-hidden": true }, bars, zero);
        const cell = element("div", { className: "ksp-cell" });
        cell.setAttribute("role", "img");
        const [std, note] = [element("small"), element("small")];
        cell.append(picture, std, note);
        line.append(cell);
        return { cell, bars, zero, std, note };
      });
      box.append(head, line);
      return { box, sign, name, times, arrives, cells };
    });
    this.rows.style.setProperty("--columns", this.columns.length);
    this.rows.replaceChildren(...(rows.length ? [heads, ...this.built.map(({ box }) => box)] : [this.empty]));
  }

  drawRow(row, { sign, name, times, arrives, cells }, scene) {
    const { stage } = this, { format } = stage;
    const style = series(row.index, stage.theme.dark);
    const signed = JSON.stringify(style);
    if (sign.dataset.look !== signed) sign.replaceChildren(swatch(style));
    sign.dataset.look = signed;
    say(name, row.name);
    say(times, row.sigma ? stage.t("times", { value: format.short(row.sigma * Math.sqrt(scene.values.width)) }) : "");
    const left = row.norms[0] === null ? "–" : stage.t("times_as_large", { value: format.short(row.norms[0]) });
    say(arrives, stage.t(scene.of === "weights" ? "arrives_weights" : "arrives", { value: left }));
    const what = stage.t(scene.quantity);
    cells.forEach(({ cell, bars, zero, std, note }, c) => {
      const layer = this.columns[c], found = row.cells[scene.columns.indexOf(layer)];
      const { counts, low, high, outside } = found;
      bars.setAttribute("d", outline(counts));
      bars.setAttribute("fill", style.color);
      const inside = low < 0 && high > 0;
      zero.setAttribute("d", inside ? `M${(-low / (high - low)) * 30} 0V100` : "");
      say(std, stage.t(this.std, { value: number(format, found.std) }));
      const range = { low: format.short(low), high: format.short(high) };
      const share = outside > 0.0005 ? stage.t("outside", { share: format.round(outside) }) : "";
      const limits = stage.t("from_to", range).replace(" ", "\u00a0"); // where it does not fit, its end is on a line by itself
      say(note, low === 0 && high === 1 ? share : limits);
      const said = { name: row.name, layer, what, ...range, std: number(format, found.std), outside: format.round(outside) };
      cell.setAttribute("aria-label", stage.t("cell", said));
      cell.title = stage.t("cell", said);
    });
  }

  drawLines(scene, width) {
    const { stage } = this, { format } = stage;
    const weights = scene.of === "weights";
    const last = scene.values.layers;
    const dark = stage.theme.dark;
    [["forward", "std", 0], ["backward", "norms", weights ? 1 : 0]].forEach(([name, field, first], i) => {
      const lines = scene.rows.map((row) => ({ ys: row[field], index: row.index }));
      const values = scene.rows.map((row) => stage.t("first_last", {
        name: row.name, first: number(format, row[field][0]), last: number(format, row[field].at(-1)),
      })).join(", ");
      const title = stage.t("lines", { title: stage.t(name), values });
      const label = stage.t(first ? "depth_weights" : "depth");
      this.lines[i].draw(lines, { width, first, last, dark, title, label });
    });
  }

  table({ rows, columns, quantity }) {
    const bins = range(30, (i) => `bin${i + 1}`);
    const lines = rows.flatMap((row) => row.std.map((std, layer) => {
      const found = row.cells[columns.indexOf(layer)];
      const norm = row.norms.at(layer - row.std.length); // of the weights there is none of the input
      const gradient = row.norms.length === row.std.length ? row.norms[layer] : layer ? norm : "";
      return [row.id, row.sigma, layer, std, gradient, found?.low, found?.high, ...(found?.counts ?? bins.map(() => ""))];
    }));
    return [["initialization", "sigma", "layer", "std", "gradient_norm", `${quantity}_from`, "to", ...bins], ...lines];
  }
}

const number = (format, value) => (value === null || value === undefined ? "–" : format.short(value));

/** Return `n` of the items, evenly spaced, the first and the last among them. */
function pick(items, n) {
  return range(n, (i) => items[Math.round((i * (items.length - 1)) / Math.max(n - 1, 1))]);
}

/** Return bars as a path in a field of 30 × 100. One that is far higher than all others is broken, with a gap near its top. */
function outline(counts) {
  const top = ceiling(counts);
  return counts.map((count, i) => {
    const height = Math.max(Math.min(count / top, 1) * 96, count ? 1 : 0);
    if (!height) return "";
    const [left, y] = [i + 0.06, 100 - height];
    if (count <= top) return `M${left} 100V${y}h.88V100z`;
    return `M${left} 100V${y + 9}h.88V100zM${left} ${y + 5}V${y}h.88V${y + 5}z`;
  }).join("");
}
