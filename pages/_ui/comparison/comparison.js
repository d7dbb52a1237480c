/**
 * Several runs in one figure: a row for each, their curves over each other, and what their layers are like, side by
 * side. The frames of all come over one channel; what is shared with the live view of a single run is imported from it.
 */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`../liveview/${name}.js${search}`, import.meta.url));
const [{ View, shown }, { sum, thin }, { Block, LineChart, OFTEN, surface, toggle }, look, plane, { element, say, style }, { plain, tenTo, ticks }] =
  await Promise.all(["view", "frame", "charts", "look", "plane", "../served/dom", "../served/numbers"].map(load));
const { DASHES, card, chart, choice, icon, layerColor } = look;
const { shade } = plane;

// Okabe and Ito's colours, for light and dark pages, and a mark for each, so that colour is never alone.
const COLORS = {
  light: ["#0072b2", "#d55e00", "#00845f", "#b0538e", "#9a6b00", "#3787b3"],
  dark: ["#5cb3ff", "#ff9d57", "#3fd3a5", "#e8a1cd", "#f0c04f", "#9bd6f5"],
};
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "x", "cross"];
const SHAPES = ["M10 4a3 3 0 1 0 6 0a3 3 0 1 0-6 0", "M10 1h6v6h-6z", "M13 .2l3.8 3.8-3.8 3.8-3.8-3.8z", "M13 .5l3.6 6.5H9.4z",
  "M10 1l6 6M16 1l-6 6", "M13 .5v7M9.5 4h7"];
const EVALUATED = { loss: [1, 3], accuracy: [2, 4] }; // columns of the training and the test set
const MANY = 12; // runs: the table of more is folded up
const SAID = 8; // layers whose latest numbers stand below a picture, half of them the first ones
const PROBED = { mean: 1, std: 2, grad_norm: 4, update_ratio: 5 };

let styles;

function stylesheet() {
  const own = () => style(document.head, new URL(`comparison.css${search}`, import.meta.url));
  return (styles ??= Promise.all([look.stylesheet(), own()]));
}

/** The newest frame of each run; an array of run i is named "i/name". */
class Frames {
  clocks = {}; // an epoch or a second of one run is none of another

  constructor(frames, token, state) {
    Object.assign(this, { frames, token });
    const there = frames.filter(Boolean);
    const going = there.filter(({ header }) => !["completed", "diverged"].includes(header.state)); // they hold no clock
    const steps = (going.length ? going : there).map(({ header }) => header.step);
    const step = going.length ? Math.min(...steps) : Math.max(...steps);
    const measuring = there.some(({ header }) => header.measuring);
    this.header = { state, step, measuring, steps: Math.max(...there.map(({ header }) => header.steps)) };
  }

  find(path) {
    const [index, name] = path.split("/");
    return [this.frames[index], name];
  }

  rows(path) {
    const [frame, name] = this.find(path);
    return frame?.rows(name) ?? 0;
  }

  column(path, j) {
    const [frame, name] = this.find(path);
    return frame ? frame.column(name, j) : new Float32Array();
  }

  last(path, j) {
    const [frame, name] = this.find(path);
    return frame ? frame.last(name, j) : NaN;
  }

  axis(unit, path) {
    const [frame] = this.find(path);
    return frame ? frame.axis(unit) : (step) => step;
  }
}

class Comparison extends View {
  // LineChart asks a legend whether a line, "train RUN", is hidden; here the rows of the table hide and show runs.
  legend = { hidden: { has: (line) => this.hidden.has(line.slice(line.indexOf(" ") + 1)) }, show() {} };

  constructor(root, data) {
    const { quantity, over } = data;
    super(root, data, (id) => skeleton(id, data), { set: "both", quantity, over });
    this.hidden = this.hiddenIn("runs"); // their labels
    const kinds = {
      loss: () => new LineChart(this, BATCHES, this.legend),
      accuracy: () => new LineChart(this, ACCURACY, this.legend),
      panel: () => new Panel(this),
      filters: () => new Filters(this),
      depth: () => new Depth(this),
      layers: () => new Layers(this),
      history: () => new History(this),
      units: () => new Units(this),
    };
    this.place([new Runs(this), ...data.show.map((name) => kinds[name]())]);
  }

  /** A run that was changed has another name, and no published figure any more. */
  update(component) {
    const named = JSON.stringify(component.data.runs.map(({ name, published }) => [name, published]));
    const renamed = named !== this.named;
    this.named = named;
    if (renamed) this.look++;
    super.update(component);
    if (renamed) this.refresh();
  }

  receive(frame) {
    const index = this.data.runs.findIndex(({ id }) => id === frame.header.run);
    if (index < 0) return;
    if (this.framesOf !== this.data.token) Object.assign(this, { framesOf: this.data.token, each: [] });
    if (!this.each[index]) this.look++; // one run more: every block may become higher
    this.each[index] = frame.header.kind === "error" ? null : frame;
    const states = this.data.runs.map((_, i) =>
      this.each[i] === null ? "error" : this.each[i]?.header.state ?? "starting");
    this.states = states;
    const state = together(states);
    if (this.each.some(Boolean)) {
      this.frame = new Frames(this.data.runs.map((_, i) => this.each[i] ?? undefined), this.data.token, state);
    }
    this.received++;
    this.enter(state);
    this.schedule();
  }

  /** Hide or show a run's lines; with the shift key, show it alone, or all again. */
  toggle(label, alone) {
    toggle(this.hidden, label, this.data.runs.map((run) => run.label), alone);
    this.look++;
    this.refresh();
  }

  color(i) {
    const colors = COLORS[this.theme.dark ? "dark" : "light"];
    return colors[i % colors.length];
  }

  /** Return [run, index] of the runs that are drawn. */
  get shown() {
    return this.data.runs.map((run, i) => [run, i]).filter(([run]) => !this.hidden.has(run.label));
  }
}

export default shown(Comparison, stylesheet);

/** Return the state of runs together. */
function together(states) {
  if (states.includes("running")) return "running";
  if (states.includes("starting")) return "starting";
  if (states.every((state) => state === "error")) return "error";
  if (states.includes("paused")) return "paused";
  return states.every((state) => state === "diverged") ? "diverged" : "completed";
}

function skeleton(id, data) {
  const empty = `<div class="klv-legend" hidden></div>`;
  const parts = {
    loss: () => chart("loss", "loss_batch", { legend: empty }),
    accuracy: () => chart("accuracy", "accuracy", { legend: empty, hint: "solid_dashed" }),
    panel: () => {
      const alone = data.panels.every(({ runs }) => runs.length === 1);
      return card("panel", alone ? "panel_both" : "panel", `<p class="kcp-key"></p><div class="kcp-panel" role="group"></div>
        ${alone ? `<p class="klv-hint" data-t="solid_dashed"></p>` : ""}`);
    },
    filters: () => card("filters", "filters", `<div class="klv-filters" role="group"></div>
      <p class="klv-hint" data-t="filters_hint"></p>`),
    depth: () => card("depth", "depth", `<div class="kcp-depth" role="img"><canvas></canvas></div>
      <p class="klv-hint" data-t="depth_hint"></p>`),
    layers: () => card("layers", "layers", `<div class="kcp-layers" tabindex="0" role="group" data-name="layers"></div>`,
      choice(id, "quantity", "quantity", ["activations", "gradients", "weights"])),
    history: () => card("history", "history", `<p class="kcp-key"></p><div class="kcp-history" role="group"></div>`,
      choice(id, "over", "quantity", ["mean", "std", "grad_norm", "update_ratio"])),
    units: () => card("units", "units_apart", `<div class="kcp-units" role="group"></div>
      <p class="klv-hint" data-t="units_apart_hint"></p>`),
  };
  const pair = ["loss", "accuracy"].every((name) => data.show.includes(name));
  const body = data.show.map((name) => parts[name]());
  const table = `<div class="kcp-scroll"><table class="kcp-runs"><thead><tr></tr></thead><tbody></tbody></table></div>`;
  return `
  <div class="klv-lost" hidden><span data-t="reconnecting"></span></div>
  <div class="klv-speech" aria-live="polite" data-live></div>
  <section class="klv-card klv-status" data-block="runs" data-name="summary">
    <div class="klv-head kcp-head">
      <span class="klv-state"></span>
      <p class="kcp-step"><span data-t="step"></span> <b data-fact="step">0</b> <small data-fact="of_steps"></small></p>
    </div>
    <div class="klv-progress" role="progressbar" data-name="progress" aria-valuemax="100"><i></i></div>
    ${data.runs.length > MANY ? `<details class="kcp-all"><summary data-t="all_runs"></summary>${table}</details>` : table}
  </section>
  <div class="klv-controls" ${data.show.includes("loss") ? "" : "hidden"}>
    ${choice(id, "x", "horizontal", ["steps", "epochs", "seconds"])}${choice(id, "loss", "loss_axis", ["linear", "log"])}
    ${choice(id, "set", "sets", ["both", "train", "test"])}
  </div>
  ${pair ? `<div class="klv-pair">${body.slice(0, 2).join("")}</div>${body.slice(2).join("")}` : body.join("")}`;
}

// --------------------------------------------------------------------------------------------------------------- runs

/** The table of the runs: it names them, hides and shows them, and says how far and how good they are. */
class Runs extends Block {
  constructor(view) {
    super(view, "runs");
    this.badge = this.element.querySelector(".klv-state");
    this.bar = this.element.querySelector("[role=progressbar]");
    this.body = this.element.querySelector("tbody");
    this.body.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) view.toggle(button.dataset.label, event.shiftKey);
    });
  }

  stamp() {
    return this.view.received;
  }

  showState() {
    const state = this.view.state ?? "starting";
    this.badge.innerHTML = icon(state);
    this.badge.append(this.view.t(state));
  }

  /** Return what is said of a run: [name, text] of each column. */
  columns(frame, run, i) {
    const { format } = this.view;
    const train = frame.last(`${i}/evaluated`, 2);
    const one = frame.frames[i];
    const test = one ? one.testAccuracy() : NaN;
    const gap = 100 * (train - test);
    const points = Number.isFinite(gap) ? format.one(gap).replace("-", "−") : "–";
    const published = [run.published?.train, run.published?.test].map((value) => (value ? format.percent(value) : ""));
    return [
      ["step", one ? format.whole(one.header.step) : "–"],
      ["accuracy_train", format.percent(train)],
      ["accuracy_test", format.percent(test)],
      ["gap", points],
      ...(this.published ? [["published", published.filter(Boolean).join(" / ") || "–"]] : []),
    ];
  }

  draw(frame) {
    const { view } = this;
    const { runs } = view.data;
    this.published = runs.some((run) => run.published);
    const words = [view.words, view.look, ...runs.map(({ label }) => label), this.published].join();
    if (words !== this.built) this.build(frame, runs);
    this.built = words;
    const { step, steps } = frame.header;
    this.element.querySelector("[data-fact=step]").textContent = view.format.whole(step);
    this.element.querySelector("[data-fact=of_steps]").textContent = view.t("of_steps", { steps: view.format.whole(steps) });
    this.bar.firstElementChild.style.transform = `scaleX(${Math.min(step / steps, 1)})`;
    runs.forEach((run, i) => {
      const row = this.body.rows[i];
      row.dataset.state = view.states[i];
      this.columns(frame, run, i).forEach(([, text], j) => {
        say(row.cells[1 + j], text);
      });
      const note = ["diverged", "error"].includes(view.states[i]) ? view.t(view.states[i]) : "";
      const small = row.cells[0].querySelector("small");
      say(small, note);
    });
  }

  build(frame, runs) {
    const { view } = this;
    const head = this.element.querySelector("thead tr");
    const names = this.columns(frame, runs[0], 0).map(([name]) => name);
    head.closest("table").style.setProperty("--columns", names.length); // beside the run's name
    head.replaceChildren(...["run", ...names].map((name) => element("th", { scope: "col", textContent: view.t(name) })));
    this.body.replaceChildren(...runs.map((run, i) => {
      const row = element("tr");
      const button = element("button", { type: "button", title: view.t("run_hint"), innerHTML: swatch(view.color(i), i) });
      button.dataset.label = run.label;
      button.setAttribute("aria-pressed", !view.hidden.has(run.label));
      button.append(element("span", { textContent: run.name }), element("small"));
      const cell = element("th", { scope: "row" });
      cell.append(button);
      row.append(cell, ...names.map(() => element("td")));
      return row;
    }));
  }

  speak(frame) {
    this.bar.setAttribute("aria-valuenow", Math.round((100 * frame.header.step) / frame.header.steps));
  }
}

const swatch = (color, i) => `<svg viewBox="0 0 26 8" aria-hidden="true" style="color: ${color}">
  <path d="M1 4h24" stroke="currentColor" fill="none" stroke-dasharray="${DASHES[DASH[i % DASH.length]]}"/>
  <path d="${SHAPES[i % SHAPES.length]}" fill="currentColor" stroke="currentColor" stroke-width="1.2"/></svg>`;

// ------------------------------------------------------------------------------------------------------------- curves

const BATCHES = {
  name: "loss",
  thrift: OFTEN,
  curves: (frame, view) => view.data.runs.map((run, i) => ({
    id: `batch ${run.label}`, name: run.name, color: view.color(i), dash: DASH[i % DASH.length], width: 1.6,
    array: `${i}/loss`, column: 1, csv: `${run.csv} batch_loss`,
  })),
  axis: (view) => (view.options.loss === "log" ? { type: "log" } : { rangemode: "tozero" }),
};
const DASH = ["solid", "dash", "dot", "dashdot", "longdash"];
const ACCURACY = {
  name: "accuracy",
  thrift: OFTEN,
  curves: (frame, view) => view.data.runs.flatMap((run, i) => ["train", "test"].flatMap((set, j) =>
    (["both", set].includes(view.options.set) ? [{
      id: `${set} ${run.label}`, name: `${run.name}, ${view.t(set)}`, color: view.color(i), dash: j ? "dash" : "solid",
      width: 1.8, symbol: SYMBOLS[i % SYMBOLS.length], array: `${i}/evaluated`, column: EVALUATED.accuracy[j],
      csv: `${run.csv} ${set}_accuracy`,
    }] : []))),
  axis: () => ({ range: [0, 1.02], tickformat: ".0%", hoverformat: ".2%" }),
};

// ------------------------------------------------------------------------------------------------------ small pictures

/** Draw lines [{xs, ys, color, dash}] into a canvas, x from 0 to `right`, y over `range`; log: of y's logarithm.
    marks: what stands beside y, as [value, text]; steps: what stands below x at its ends and between them. */
function plot(canvas, width, height, lines, { right, range: [low, high], log, theme, marks, steps }) {
  const context = surface(canvas, width, height);
  context.font = `10px ${theme.font}`;
  const left = Math.ceil(Math.max(...marks.map(([, text]) => context.measureText(text).width))) + 6, foot = height - 16, head = 6;
  const level = log ? Math.log10 : (y) => y;
  const [floor, top] = [level(low), level(high)];
  const x = (value) => left + (value / (right || 1)) * (width - left - 2) + 1;
  const y = (value) => foot - ((level(value) - floor) / (top - floor || 1)) * (foot - head);
  context.fillStyle = context.strokeStyle = theme.text;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const [value, text] of marks) {
    context.globalAlpha = 0.14;
    context.fillRect(left, y(value) - 0.5, width - left, 1);
    context.globalAlpha = 0.75;
    context.fillText(text, left - 4, y(value));
  }
  steps.forEach((text, i) => {
    const place = i / (steps.length - 1);
    context.textAlign = ["left", "center", "right"][2 * place];
    context.fillText(text, left + place * (width - left), height - 6);
  });
  context.globalAlpha = 1;
  context.lineJoin = "round";
  for (const { xs, ys, color, dash, wide } of lines) {
    context.strokeStyle = color;
    context.lineWidth = wide ?? 1.8;
    context.setLineDash(dash ?? []);
    context.beginPath();
    let pen = false;
    xs.forEach((value, i) => {
      const there = Number.isFinite(ys[i]) && (!log || ys[i] > 0);
      if (there) context[pen ? "lineTo" : "moveTo"](x(value), Math.min(Math.max(y(ys[i]), head), foot));
      pen = there;
    });
    context.stroke();
  }
  context.setLineDash([]);
}

/** Say what lines [{name, color, dash}] are, above the charts that they are in. */
function nameLines(box, lines) {
  const key = JSON.stringify(lines);
  if (key === box.dataset.key) return;
  box.dataset.key = key;
  box.hidden = !lines.length;
  box.replaceChildren(...lines.map(({ name, color, dash }) => {
    const one = element("span");
    one.innerHTML = `<svg viewBox="0 0 26 8" aria-hidden="true" style="color: ${color}">
      <path d="M1 4h24" stroke="currentColor" stroke-width="2.2" stroke-dasharray="${dash.join(" ")}"/></svg>`;
    one.append(name);
    return one;
  }));
}

/** Cells of a grid, each a title, a canvas and a note; a subclass says what is in them. */
class Cells extends Block {
  thrift = OFTEN;

  constructor(view, name, selector) {
    super(view, name);
    this.box = this.element.querySelector(selector);
  }

  stamp(frame) {
    return [this.view.received, this.view.options.over, this.view.options.quantity].join();
  }

  /** Have as many cells as there are titles. */
  build(titles, columns) {
    const key = [columns, ...titles].join("\n");
    if (key !== this.key) {
      this.box.style.setProperty("--columns", columns);
      this.box.dataset.columns = columns;
      this.box.replaceChildren(...titles.map((title) => {
        const cell = element("div", { className: "kcp-cell", innerHTML: `<b></b><canvas role="img"></canvas><small></small>` });
        cell.firstElementChild.textContent = cell.firstElementChild.title = title;
        return cell;
      }));
    }
    const size = [this.view.look, this.width, key].join();
    if (size !== this.size && this.box.children.length) {
      const { clientWidth, clientHeight } = this.box.querySelector("canvas");
      [this.cellWidth, this.cellHeight] = [clientWidth, clientHeight];
    }
    [this.key, this.size] = [key, size];
    return [...this.box.children].map((cell) => ({ canvas: cell.children[1], note: cell.children[2] }));
  }

  say(cell, note, label) {
    say(cell.note, note);
    cell.label = label;
    cell.canvas.dataset.label = label;
  }

  speak() {
    for (const canvas of this.box.querySelectorAll("canvas")) canvas.setAttribute("aria-label", canvas.dataset.label ?? "");
  }
}

/** Many small charts of the accuracy, some runs in each: data.panels = [{title, runs: [labels]}]. */
class Panel extends Cells {
  constructor(view) {
    super(view, "panel", ".kcp-panel");
    this.lineNames = this.element.querySelector(".kcp-key");
  }

  draw(frame) {
    const { view } = this;
    const { panels, runs, columns } = view.data;
    nameLines(this.lineNames, (view.data.lines ?? []).map((name, i) => ({ name, color: view.color(i), dash: i ? [5, 3] : [] })));
    const cells = this.build(panels.map(({ title }) => title), columns);
    panels.forEach((panel, k) => {
      const indices = panel.runs.map((label) => runs.findIndex((run) => run.label === label));
      const alone = indices.length === 1; // then in its own colour, and with the test set
      const lines = indices.flatMap((i, place) => EVALUATED.accuracy.slice(0, alone ? 2 : 1).map((column, test) => {
        const [xs, ys] = [frame.column(`${i}/evaluated`, 0), frame.column(`${i}/evaluated`, column)];
        return { xs, ys, color: view.color(alone ? i : place), dash: place || test ? [5, 3] : [], wide: test ? 1.8 : 2.2 };
      }));
      plot(cells[k].canvas, this.cellWidth, this.cellHeight, lines, {
        right: frame.header.steps, range: [0, 1], theme: view.theme,
        marks: [0, 0.5, 1].map((part) => [part, view.format.round(part)]), steps: [0, frame.header.steps].map(view.format.whole),
      });
      const columns = EVALUATED.accuracy.slice(0, alone ? 2 : 1);
      const values = indices.flatMap((i) => columns.map((j) => view.format.percent(frame.last(`${i}/evaluated`, j))));
      const names = indices.flatMap((i) => (alone ? ["train_accuracy", "test_accuracy"].map((t) => view.t(t)) : [runs[i].name]));
      const said = names.map((name, n) => `${name} ${values[n]}`);
      this.say(cells[k], values.join(alone ? " / " : " · "), `${panel.title}: ${said.join(", ")}`);
    });
  }

  table(frame) {
    const { runs } = this.view.data;
    const rows = runs.flatMap((run, i) => [...frame.column(`${i}/evaluated`, 0)].map((step, k) =>
      [run.csv, step, ...[2, 4].map((j) => frame.column(`${i}/evaluated`, j)[k])]));
    return [["run", "step", "train_accuracy", "test_accuracy"], ...rows];
  }
}

/** The filters of the first run that has any. */
class Filters extends plane.Filters {
  find(frame) {
    return frame.frames.find((one) => one?.rows("filters"));
  }

  applies(frame) {
    return Boolean(this.find(frame));
  }

  draw(frame) {
    super.draw(this.find(frame));
  }

  speak(frame) {
    super.speak(this.find(frame));
  }

  table(frame) {
    return super.table(this.find(frame));
  }
}

/** The gradient's norm from the first layer to the last, a line for each run: does it vanish on its way back? */
class Depth extends Block {
  thrift = OFTEN;

  constructor(view) {
    super(view, "depth");
    this.canvas = this.element.querySelector("canvas");
  }

  stamp() {
    return this.view.received;
  }

  lines(frame) {
    return this.view.shown.filter(([, i]) => frame.frames[i]).map(([run, i]) => {
      const layers = frame.frames[i].header.layers;
      return { run, i, layers, norms: layers.map((_, k) => frame.last(`${i}/layer${k}`, PROBED.grad_norm)) };
    });
  }

  draw(frame) {
    const { view } = this;
    const lines = this.lines(frame);
    const norms = lines.flatMap((line) => line.norms).filter((norm) => norm > 0 && Number.isFinite(norm));
    const [low, high] = norms.length
      ? [10 ** Math.floor(Math.log10(Math.min(...norms))), 10 ** Math.ceil(Math.log10(Math.max(...norms)) + 1e-9)]
      : [1e-3, 1];
    const [width, height, left, foot] = [this.width, 220, 52, 34];
    const context = surface(this.canvas, width, height);
    const depth = Math.max(...lines.map(({ layers }) => layers.length), 2);
    const x = (k) => left + ((width - left - 24) * k) / (depth - 1);
    const y = (norm) => height - foot - ((Math.log10(norm) - Math.log10(low)) / Math.log10(high / low)) * (height - foot - 12);
    context.font = `11px ${view.theme.font}`;
    context.fillStyle = view.theme.text;
    const decades = Math.round(Math.log10(high / low));
    const every = Math.ceil(decades / 6);
    for (let d = 0; d <= decades; d += every) {
      const value = low * 10 ** d;
      context.globalAlpha = 0.14;
      context.fillRect(left, y(value), width - left, 1);
      context.globalAlpha = 0.75;
      context.textAlign = "right";
      context.fillText(tenTo(Math.round(Math.log10(value))), left - 6, y(value) + 4);
    }
    const longest = lines.reduce((a, b) => (b.layers.length > a.length ? b.layers : a), []);
    context.textAlign = "center";
    const skip = Math.ceil(longest.length / Math.max(1, Math.floor((width - left) / 64)));
    longest.forEach((layer, k) => k % skip === 0 && context.fillText(layer, x(k), height - foot + 20));
    context.globalAlpha = 1;
    for (const { i, norms: each } of lines) {
      context.strokeStyle = context.fillStyle = view.color(i);
      context.lineWidth = 2;
      context.beginPath();
      let pen = false;
      each.forEach((norm, k) => {
        if (norm > 0) context[pen ? "lineTo" : "moveTo"](x(k), y(norm));
        pen = norm > 0;
      });
      context.stroke();
      const shape = new Path2D(SHAPES[i % SHAPES.length]);
      each.forEach((norm, k) => {
        if (!(norm > 0)) return;
        context.save();
        context.translate(x(k) - 13, y(norm) - 4);
        context.fill(shape);
        context.stroke(shape);
        context.restore();
      });
    }
  }

  text(frame) {
    const { format } = this.view;
    return this.lines(frame).map(({ run, layers, norms }) =>
      `${run.name}: ${layers.map((layer, k) => `${layer} ${format.short(norms[k])}`).join(", ")}`).join("; ");
  }

  table(frame) {
    return [["run", "layer", "gradient_norm"],
      ...this.lines(frame).flatMap(({ run, layers, norms }) => layers.map((layer, k) => [run.csv, layer, norms[k]]))];
  }
}

/** A row of histograms for each run, a column for each layer: activations, gradients or weights, now. */
class Layers extends Cells {
  constructor(view) {
    super(view, "layers", ".kcp-layers");
  }

  draw(frame) {
    const { view } = this;
    const kind = view.options.quantity;
    const drawn = view.shown.filter(([, i]) => frame.rows(`${i}/${kind}`));
    const columns = Math.max(1, ...drawn.map(([, i]) => frame.frames[i].header.layers.length));
    const titles = drawn.flatMap(([run, i]) => Array.from({ length: columns }, (_, k) =>
      `${k ? "" : `${run.name} · `}${frame.frames[i].header.layers[k] ?? ""}`));
    const cells = this.build(titles, columns);
    drawn.forEach(([run, i], r) => {
      const one = frame.frames[i];
      one.header.layers.forEach((layer, k) => {
        const counts = one.row(kind, k), limits = one.row(`${kind}_limits`, k);
        const cell = cells[r * columns + k];
        this.bars(cell.canvas, counts, limits, view.color(i));
        const note = this.note(one, k, kind, counts, limits);
        const [low, high] = [...limits].map(view.format.short);
        this.say(cell, `${low} … ${high} · ${note}`, `${run.name}, ${layer}, ${view.t(kind)}: ${low} … ${high}. ${note}`);
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
    const [first, second] = [...counts].sort((a, b) => b - a);
    const top = second > 0 && first > 3 * second ? 1.6 * second : first || 1;
    const step = width / counts.length;
    context.fillStyle = color;
    counts.forEach((count, i) => {
      const bar = Math.max(Math.min(count / top, 1) * (height - 6), count ? 1 : 0);
      context.fillRect(i * step + 0.5, height - 1 - bar, Math.max(step - 1, 1), bar);
      if (count > top) context.clearRect(i * step, height - 1 - bar + 5, step, 2.5);
    });
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
        const [low, high] = frame.frames[i].row(`${kind}_limits`, k), counts = [...frame.frames[i].row(kind, k)];
        const edge = (n) => low + ((high - low) * n) / counts.length;
        return counts.map((count, n) => [run.csv, layer, edge(n), edge(n + 1), count]);
      }));
    return [["run", "layer", "from", "to", kind], ...rows];
  }
}

/** Return the share of a histogram that lies in the bar that holds zero. */
function nearZero(counts, [low, high]) {
  const bar = Math.floor((-low / (high - low)) * counts.length);
  return (counts[bar] ?? 0) / (sum(counts) || 1);
}

/** For each run, one quantity of every layer over the whole of training. */
class History extends Cells {
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
      color: layerColor(view.theme, k, deepest), dash: strokes(k),
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

/** Return the dash of layer k. */
const strokes = (k) => DASHES[DASH[k % DASH.length]].split(" ").filter(Boolean).map(Number);

/** On toy2d: what each run makes of the plane, and beside it every hidden unit's output over the same plane. */
class Units extends Block {
  constructor(view) {
    super(view, "units");
    this.box = this.element.querySelector(".kcp-units");
  }

  applies(frame) {
    return frame.frames.some((one) => one?.rows("responses"));
  }

  stamp() {
    return this.view.received;
  }

  build(drawn) {
    const { view } = this;
    this.rows = drawn.map(([run]) => {
      const row = element("div", { className: "kcp-unit-row" });
      const large = element("canvas", { className: "kcp-plane" });
      const layers = run.units.map((size, k) => {
        const box = element("div", { className: "kcp-unit-layer" });
        const tiles = element("div");
        const canvases = Array.from({ length: size }, () => element("canvas"));
        tiles.append(...canvases);
        box.append(element("small", { textContent: view.t("layer", { n: k + 1 }) }), tiles, element("small"));
        row.append(box);
        return { canvases, note: box.lastElementChild };
      });
      const name = element("b", { textContent: run.name });
      row.prepend(name, large);
      row.setAttribute("role", "img");
      return { row, large, layers };
    });
    this.box.replaceChildren(...this.rows.map(({ row }) => row));
  }

  draw(frame) {
    const { view } = this;
    const drawn = view.shown.filter(([, i]) => frame.rows(`${i}/responses`));
    const key = JSON.stringify([view.words, drawn.map(([run]) => [run.name, run.units])]);
    if (key !== this.key) this.build(drawn);
    this.key = key;
    drawn.forEach(([run, i], r) => {
      const one = frame.frames[i], { row, large, layers } = this.rows[r];
      shade(large, one.arrays.plane.values, 2);
      let first = 0;
      const said = layers.map(({ canvases, note }) => {
        const there = Math.max(Math.min(canvases.length, one.rows("responses") - first), 0);
        const pictures = Array.from({ length: there }, (_, n) => one.row("responses", first + n));
        first += canvases.length;
        pictures.forEach((picture, n) => shade(canvases[n], picture, 2));
        const text = view.t("units_differ", { share: view.format.round(apart(pictures)) });
        say(note, text);
        return text;
      });
      row.dataset.label = `${run.name}: ${said.map((text, k) => `${view.t("layer", { n: k + 1 })}: ${text}`).join(", ")}`;
    });
  }

  speak() {
    for (const { row } of this.rows ?? []) row.setAttribute("aria-label", row.dataset.label ?? "");
  }

  table(frame) {
    const rows = this.view.shown.filter(([, i]) => frame.rows(`${i}/responses`)).flatMap(([run, i]) =>
      run.units.flatMap((size, k) => Array.from({ length: size }, (_, n) => {
        const before = sum(run.units.slice(0, k));
        return before + n < frame.rows(`${i}/responses`)
          ? [run.csv, k + 1, n + 1, ...frame.frames[i].row("responses", before + n)] : null;
      }))).filter(Boolean);
    return [["run", "layer", "unit", "response_over_the_plane_0_to_255"], ...rows];
  }
}

/** Return how far apart the two most different of some pictures are: their mean difference, 1 for black against white. */
function apart(pictures) {
  let most = 0;
  for (const [n, a] of pictures.entries()) {
    for (const b of pictures.slice(0, n)) {
      most = Math.max(most, a.reduce((total, byte, i) => total + Math.abs(byte - b[i]), 0) / (255 * a.length));
    }
  }
  return most;
}
