/**
 * The live view of a run: it draws the frames that come over the run's channel, /live/{token}. See view.js.
 */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ View, shown }, { Legend, LineChart, OFTEN, Progress }, { Histograms }, { Plane }, { Units }, { Filters }, { Cloud }, { Mistakes }, { Frame }, look] =
  await Promise.all(["view", "charts", "histograms", "plane", "units", "filters", "cloud", "mistakes", "frame", "look"].map(load));
const [{ say }, { dashOf }] = await Promise.all(["../served/dom", "../served/series"].map(load));
const { card, chart, choice, fact, layerColor } = look;

/** One run: loss and accuracy, what its layers are like and were, and what it gets wrong. */
class LiveView extends View {
  constructor(root, data) {
    super(root, data, skeleton, { histogram: "activations", points: "points_train" });
    const box = root.querySelector(".klv-history .klv-legend");
    const layers = new Legend(box, this.hiddenIn("layers"), () => this.refresh());
    this.before = new Before(this);
    this.place([
      new Status(this),
      new LineChart(this, LOSS),
      new LineChart(this, ACCURACY),
      (this.plane = new Plane(this)),
      new Units(this),
      new Filters(this),
      new Histograms(this),
      ...OF_LAYERS.map((spec) => new LineChart(this, spec, layers)),
      new Cloud(this),
      new Mistakes(this),
    ]);
  }

  update(component) {
    if (!this.frame) this.root.querySelector(".klv-toy").hidden = !component.data.plane;
    super.update(component);
    this.before.show(component.data.before);
  }
}

/** The run before this one: its curves, pale and thin, its name, which hides and shows them, and the way back to it. */
class Before {
  constructor(view) {
    this.view = view;
    this.box = view.root.querySelector(".klv-before");
    this.legend = new Legend(this.box.querySelector(".klv-legend"), view.hiddenIn("before"), () => view.refresh());
    this.box.querySelector(".klv-back").addEventListener("click", () => this.goBack());
  }

  /** Ask for the way back to it. */
  goBack() {
    this.asked = this.id;
    this.view.trigger("back", this.id);
  }

  /** Show what the page says of it, if there is one. */
  show(run) {
    this.box.hidden = !run;
    if (run && run.id !== this.id) this.frame = new Frame(bytes(run.curves).buffer, run.id);
    [this.id, this.name] = [run?.id, run?.name];
    if (!run) this.frame = null;
    else {
      this.legend.show([{ id: "before", name: run.name, color: this.view.theme.before, dash: "solid" }]);
      this.legend.box.firstElementChild.title = run.name; // a long one is cut off
    }
    this.view.refresh();
    const unheard = run && run.id === this.asked; // of two triggers before one rerun a busy server hears the last
    this.asked = null;
    if (unheard) this.view.trigger("back", run.id);
  }

  /** Return its curves in these columns, of the training and the test set. */
  curves(columns, quantity) {
    if (!this.frame) return [];
    return evaluated(this.view, columns, quantity).map((curve) => ({
      ...curve, id: "before", name: `${curve.name} (${this.name})`, color: this.view.theme.before, width: 1.2,
      legend: this.legend, frame: this.frame,
    }));
  }
}

/** Return the bytes of a text in base64. */
const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

export default shown(LiveView);

/** Return everything that is there before the first frame. `id` is the mount's own. */
function skeleton(id) {
  const legend = `<div class="klv-legend"></div>`;
  const ticks = (values) => values.map((value) => `<span>${value}</span>`).join("");
  return `
  <div class="klv-lost" hidden><span data-t="reconnecting"></span></div>
  <div class="klv-speech" aria-live="polite" data-live></div>
  <section class="klv-card klv-status" data-block="status" data-name="summary">
    <div class="klv-head">
      <span class="klv-state"></span>
      <dl><div class="klv-fact"><dt data-t="step"></dt>
        <dd><span data-fact="step">0</span> <small data-fact="of_steps"></small></dd></div></dl>
      <dl>${fact("train_accuracy")}${fact("test_accuracy")}</dl>
    </div>
    <div class="klv-progress" role="progressbar" data-name="progress" aria-valuemax="100"><i></i></div>
    <dl class="klv-facts">${["epoch", "time", "rate", "lr", "parameters"].map(fact).join("")}</dl>
  </section>
  <div class="klv-toy">
    ${card("plane", "plane", `<div class="klv-square">
        <div class="klv-ticks klv-up" aria-hidden="true">${ticks([6, 3, 0, -3, -6])}</div>
        <div class="klv-plane" role="img"><canvas></canvas><canvas></canvas></div>
        <div class="klv-ticks" aria-hidden="true">${ticks([-6, -3, 0, 3, 6])}</div>
      </div><p class="klv-hint" data-note></p>${choice(id, "points", "points", ["points_train", "points_test"])}`)}
    ${card("units", "units", `<div class="klv-network"><canvas aria-hidden="true"></canvas><div class="klv-units" role="group"></div></div>
      <p class="klv-hint"><span data-t="units_hint"></span><span data-t="lines_hint"></span><span data-t="no_lines_hint"></span></p>`)}
  </div>
  <div class="klv-controls">
    ${choice(id, "x", "horizontal", ["steps", "epochs", "seconds"])}
    ${choice(id, "loss", "loss_axis", ["linear", "log"])}
    <div class="klv-before" hidden>${legend}<button type="button" class="klv-back" data-t="back"></button></div>
  </div>
  <div class="klv-pair">
    ${chart("loss", "loss", { legend })}
    ${chart("accuracy", "accuracy", { legend })}
  </div>
  ${card("filters", "filters", `<div class="klv-filters" role="group"></div>
    <p class="klv-hint" data-t="filters_hint"></p>`)}
  ${card("histograms", "layers", `<div class="klv-cells" tabindex="0" role="group" data-name="layers"></div>`,
    choice(id, "histogram", "quantity", ["activations", "gradients", "weights"]))}
  <section class="klv-card klv-history">
    <div class="klv-title">
      <div role="heading" aria-level="3" data-t="history"></div><small data-t="history_hint"></small>
    </div>
    ${legend}
    <div class="klv-four">
      ${chart("mean", "mean", { hint: "mean_hint" })}${chart("dead", "dead_units", {})}
      ${chart("grad_norm", "grad_norm", {})}${chart("update_ratio", "update_ratio", { hint: "update_ratio_hint" })}
    </div>
  </section>
  ${card("cloud", "cloud", `<div class="klv-cloud" role="img"><canvas></canvas></div><ul></ul><p class="klv-hint" data-note></p>`)}
  ${card("mistakes", "mistakes", `<p class="klv-hint" data-note></p>
    <div class="klv-mistakes"><div class="klv-confusion" role="group"></div>
    <div class="klv-gallery"><p class="klv-hint" role="status"></p><ul></ul></div></div>`)}`;
}

/** The strip of figures at the top. */
class Status extends Progress {
  constructor(view) {
    super(view, "status");
    this.facts = {};
    for (const element of this.element.querySelectorAll("[data-fact]")) this.facts[element.dataset.fact] = element;
  }

  draw(frame) {
    const { header } = frame;
    const { format } = this.view;
    const figures = {
      step: format.whole(header.step),
      of_steps: this.view.t("of_steps", { steps: format.whole(header.steps) }),
      epoch: format.one(header.epoch),
      time: format.seconds(header.seconds),
      rate: header.state === "running" && header.rate ? format.whole(header.rate) : "–",
      lr: format.short(header.lr),
      parameters: format.whole(header.parameters),
      train_accuracy: format.percent(frame.last("evaluated", 2)),
      test_accuracy: format.percent(frame.testAccuracy()),
    };
    for (const [name, text] of Object.entries(figures)) say(this.facts[name], text);
    const part = Math.min(header.step / header.steps, 1);
    this.bar.firstElementChild.style.transform = `scaleX(${part})`;
  }

  speak(frame) {
    this.bar.setAttribute("aria-valuenow", Math.round((100 * frame.header.step) / frame.header.steps));
  }
}

const LOSS = {
  name: "loss",
  thrift: OFTEN,
  curves: (frame, view) => {
    const batch = { id: "batch", dash: "solid", width: 1, array: "loss", column: 1, csv: "batch_loss" };
    const now = [{ ...batch, name: view.t("batch"), color: view.theme.batch }, ...evaluated(view, [1, 3], "loss")];
    return [...view.before.curves([1, 3], "loss"), ...now];
  },
  axis: (view) => (view.options.loss === "log" ? { type: "log" } : { rangemode: "tozero" }),
};
const ACCURACY = {
  name: "accuracy",
  thrift: OFTEN,
  curves: (frame, view) => [...view.before.curves([2, 4], "accuracy"), ...evaluated(view, [2, 4], "accuracy")],
  axis: () => ({ range: [0, 1.02], tickformat: ".0%", hoverformat: ".2%" }),
};

/** Return the curves of the training and the test set. */
function evaluated(view, columns, quantity) {
  return ["train", "test"].map((id, i) => ({
    id, name: view.t(id), color: view.theme[id], dash: i ? "dash" : "solid", width: 2.2,
    array: "evaluated", column: columns[i], csv: `${id}_${quantity}`,
  }));
}

/** Return a chart of one quantity of every layer: a column of layer0, layer1, … */
function ofLayers(name, column, axis, spread) {
  const curves = (frame, view) => frame.header.layers.map((layer, i, { length }) => ({
    id: layer, name: layer, color: layerColor(view.theme, i, length), dash: dashOf(i), width: 1.8,
    array: `layer${i}`, column, spread, csv: `${layer}_${name}`,
  }));
  return { name, curves, axis: () => axis, thrift: 40, pause: 600 };
}

const OF_LAYERS = [
  ofLayers("mean", 1, {}, 2),
  ofLayers("dead", 3, { range: [-0.02, 1.02], tickformat: ".0%", hoverformat: ".1%" }),
  ofLayers("grad_norm", 4, { type: "log" }),
  ofLayers("update_ratio", 5, { type: "log", mark: 1e-3 }),
];
