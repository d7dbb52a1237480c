/**
 * Several runs in one figure: a row for each, their curves over each other, and what their layers are like, side by
 * side. The frames of all come over one channel; what is shared with the live view of a single run is imported from it.
 *
 *   frames.js    what their newest frames have together
 *   runs.js      the table that names them, hides and shows them
 *   curves.js    what the two large charts draw
 *   cells.js     small pictures in a grid: panel.js, layers.js, history.js
 *   depth.js, filters.js, units.js    pictures of their own
 */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ View, shown }, { LineChart, toggle }, look] =
  await Promise.all(["view", "charts", "look"].map((name) => load(`../liveview/${name}`)));
const [{ Frames }, { Runs }, { ACCURACY, BATCHES }, { Panel }, { Filters }, { Depth }, { Layers }, { History }, { Units }] =
  await Promise.all(["frames", "runs", "curves", "panel", "filters", "depth", "layers", "history", "units"].map(load));
const [{ style }, { series }] = await Promise.all(["../served/dom", "../served/series"].map(load));
const { card, chart, choice } = look;

const MANY = 12; // runs: the table of more is folded up

let styles;

function stylesheet() {
  const own = () => style(document.head, new URL(`comparison.css${search}`, import.meta.url));
  return (styles ??= Promise.all([look.stylesheet(), own()]));
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

  /** Return the look of a run's line. */
  line(i) {
    return series(i, this.theme.dark);
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
