/* The view of a search: what comes over /searching/{search} is drawn as it comes.

   searching.js   what is mounted: the channel, the trials, the strip that says how far the search is
   panel.js       the learning curves of the best twenty, and their table
   plots.js       all trials: points, lines, importance
   axes.js        places on axes, numbers and colours

   A trial that is pointed at is marked everywhere; a click keeps it. For tests the root carries data-search, data-state,
   data-finished, data-shown (a count, changed last). */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url)); // the same version as this file
const [{ EARLY, shown, word }, { BEST, Panel, Table }, { Importance, Parallel, Scatter, key }] =
  await Promise.all(["axes", "panel", "plots"].map(load));
const [{ Channel }, { change, clamp, dress, element, fill, say }, { mounted, save }, { percent }] =
  await Promise.all(["channel", "dom", "mount", "numbers"].map((name) => load(`../served/${name}`)));

const DRAW_EVERY = 200; // ms between two drawings
const SPEAK_EVERY = 5000; // ms between two announcements
const RUNNING = new Set(["starting", "running", "stopping"]);

export default mounted(({ parentElement }) => new View(parentElement));

class View {
  constructor(parent) {
    this.shown = 0;
    this.channel = new Channel({
      received: (data) => this.receive(JSON.parse(data)),
      opened: () => (this.lost.hidden = true),
      lost: () => (this.lost.hidden = false),
      gone: () => {
        this.channel.open(null);
        this.report("gone");
      },
    });
    this.trials = new Map();
    this.ranking = [];
    this.picked = this.hovered = this.current = null;
    this.panel = new Panel(this);
    this.table = new Table(this);
    this.scatter = new Scatter(this);
    this.parallel = new Parallel(this);
    this.importance = new Importance(this);
    this.key = key(this);
    this.build(parent);
  }

  build(parent) {
    this.words = [];
    const worded = (tag, name, attributes = {}) => {
      const made = element(tag, attributes);
      this.words.push([made, name]);
      return made;
    };
    const tool = (name, rows) => {
      const button = element("button", { type: "button", class: "tool" }, "CSV");
      button.addEventListener("click", () => save(rows(), `kasane-search-${name}.csv`));
      return button;
    };
    const section = (name, title, body, ...tools) => element("section", { class: name },
      element("header", {}, worded("h2", title), ...tools), ...body);
    this.chip = element("b", { class: "chip" });
    this.bar = element("i");
    this.facts = {};
    const fact = (name) => element("div", {}, worded("dt", name), (this.facts[name] = element("dd")));
    const facts = element("dl", {}, ...["trials", "best", "stopped_early", "workers", "time"].map(fact));
    const legend = element("span", { class: "legend" },
      element("span", { class: "train" }, worded("span", "training")),
      element("span", { class: "validation" }, worded("span", "validation")));
    const shapes = element("p", { class: "shapes hint" }, ...["complete", "pruned", "diverged", "running"].map((state) =>
      element("span", { class: state }, worded("span", `state_${state}`))));
    this.detail = element("p", { class: "detail" });
    this.take = element("button", { type: "button", class: "take" });
    this.take.addEventListener("click", () => this.current !== null && this.open(this.current));
    this.live = element("p", { class: "unseen-text", role: "status" });
    this.lost = worded("p", "reconnecting", { class: "lost", hidden: true });
    this.empty = worded("p", "empty", { class: "empty" });
    this.root = element("div", { class: "kasane-search", hidden: true, "data-shown": 0, "data-search": "", "data-finished": 0 },
      element("div", { class: "status" }, this.chip, facts, element("div", { class: "progress", role: "progressbar" }, this.bar), this.lost),
      section("panel", "panel", [this.panel.root, this.empty], legend, tool("curves", () => this.curveRows())),
      element("div", { class: "picked" }, this.detail, this.take),
      element("div", { class: "pair" },
        section("points", "scatter", [this.scatter.root, shapes], this.scatter.tools),
        section("lines", "parallel", [this.parallel.root], this.key.root)),
      element("div", { class: "pair low" },
        section("list", "table", [this.table.root], tool("trials", () => this.trialRows())),
        section("matter", "importance", [this.importance.root])),
      this.live);
    dress(parent, this.root, new URL(`searching.css${search}`, import.meta.url));
    this.sizes = new ResizeObserver((entries) => {
      for (const { target, contentRect } of entries) {
        this.root.classList.toggle("narrow", this.root.clientWidth < 640);
        (target.classList.contains("points") ? this.scatter : this.parallel).resize(Math.floor(contentRect.width));
      }
    });
    for (const name of ["points", "lines"]) this.sizes.observe(this.root.querySelector(`section.${name}`));
  }

  /** Take over what the page says; called at each of its reruns that changes anything. */
  update({ data, setTriggerValue: trigger }) {
    const before = this.data;
    Object.assign(this, { data, trigger, labels: data.labels, known: data.known });
    if (JSON.stringify([data.language, data.fields]) !== JSON.stringify([before?.language, before?.fields])) this.relabel();
    if (data.search !== before?.search) this.watch(data.search);
    else if (data.known !== before?.known) this.reported = null;
    if (!data.search) this.header.asked = data.asked;
    this.draw();
  }

  watch(name) {
    this.trials.clear();
    this.picked = this.hovered = this.said = null;
    this.header = { state: "ready", asked: this.data.asked, workers: 0, seconds: 0, importance: {} };
    this.reported = null;
    change(this.root, { "data-search": name });
    this.lost.hidden = true;
    this.channel.open(name ? `searching/${encodeURIComponent(name)}` : null);
  }

  close() {
    this.channel.close();
    this.sizes.disconnect();
    for (const timer of [this.timer, this.speaker, this.reminder]) clearTimeout(timer);
  }

  receive(message) {
    if (message.whole) this.trials.clear();
    for (const trial of message.trials) {
      if (trial.state === "dropped") this.trials.delete(trial.number);
      else this.trials.set(trial.number, trial);
    }
    this.header = message;
    this.timer ??= setTimeout(() => this.draw(), Math.max(0, (this.next ?? 0) - performance.now()));
    const state = RUNNING.has(message.state) ? "running" : message.state;
    if (state !== this.known) this.report(state);
  }

  /** Have the page rerun, once, if it shows another state than the search is in. */
  report(state) {
    if (state === this.reported) return;
    this.reported = state;
    clearTimeout(this.reminder);
    this.trigger("changed", state);
    this.reminder = setTimeout(() => { // the page may have been offline
      if (this.reported === state && state !== this.known) {
        this.reported = null;
        this.report(state);
      }
    }, 8000);
  }

  // What the parts ask for

  /** Return the value of a trial on an axis. */
  value(trial, field) {
    return field === this.score ? trial.accuracy : trial.values[field.name];
  }

  /** Return where between the worst and the best accuracy a trial is, 0 … 1: what ended early may lie outside of them. */
  share(trial) {
    const [low, high] = this.limits;
    return high > low ? clamp((trial.accuracy - low) / (high - low), 0, 1) : 0.5;
  }

  best() {
    return this.ranking.length ? percent(this.ranking[0].accuracy) : "–";
  }

  /** Return the words as a list, with the comma of the page's language between them. */
  joined(words) {
    return words.join(this.labels.comma);
  }

  /** Say all of a trial in one sentence. */
  sentence(trial) {
    const values = this.joined(this.fields.map((field) => `${field.label} ${word(field, trial.values[field.name])}`));
    const training = trial.train.length ? percent(trial.train.at(-1)) : "–";
    const said = fill(this.labels.sentence, { n: trial.number, validation: percent(trial.accuracy), training, values });
    return trial.state === "complete" ? said : `${said} (${this.labels.states[trial.state === "running" ? "running_trial" : trial.state]})`;
  }

  hover(number) {
    if (number === this.hovered) return;
    this.hovered = number;
    this.mark();
  }

  /** Pick a trial, or let go of it if it is picked. */
  pick(number) {
    this.choose(number === this.picked ? null : number);
  }

  choose(number) {
    const trial = this.trials.get(number);
    this.picked = number;
    this.mark();
    if (trial) say(this.live, this.sentence(trial));
  }

  open(number) {
    this.trigger("open", number);
  }

  // Drawing

  relabel() {
    const { data, labels } = this;
    this.fields = data.fields;
    this.score = { name: "accuracy", label: labels.score, low: 0, high: 1, log: false };
    change(this.root, { lang: data.language });
    for (const [target, name] of this.words) say(target, labels[name]);
    say(this.take, labels.take);
    for (const tool of this.root.querySelectorAll("button.tool")) {
      const title = tool.parentElement.querySelector("h2").textContent;
      change(tool, { "aria-label": fill(labels.tool_of, { tool: labels.csv, title }), title: labels.csv });
    }
    for (const part of [this.table, this.scatter, this.parallel, this.importance]) part.relabel();
  }

  draw() {
    this.timer = null;
    this.next = performance.now() + DRAW_EVERY;
    const { header, labels } = this;
    const known = [...this.trials.values()].filter(({ steps, state }) => steps.length || EARLY.has(state));
    const loss = ({ loss }) => loss ?? Infinity;
    this.ranking = known.sort((a, b) => EARLY.has(a.state) - EARLY.has(b.state) || b.accuracy - a.accuracy
      || (loss(a) > loss(b)) - (loss(a) < loss(b)) || a.number - b.number);
    const scores = this.ranking.filter(({ state }) => !EARLY.has(state)).map(({ accuracy }) => accuracy);
    this.limits = scores.length ? [Math.min(...scores), Math.max(...scores)] : [0, 1];
    const finished = [...this.trials.values()].filter(({ state }) => state !== "running");
    const early = finished.filter(({ state }) => EARLY.has(state)).length;
    const share = Math.min(finished.length / header.asked, 1);
    say(this.chip, labels.states[header.state]);
    this.bar.style.transform = `scaleX(${share})`;
    change(this.root.querySelector(".progress"), { "aria-label": labels.trials, "aria-valuenow": Math.round(100 * share), "aria-valuetext": `${finished.length} / ${header.asked}` });
    const facts = { trials: `${finished.length} / ${header.asked}`, best: this.best(), stopped_early: String(early),
      workers: RUNNING.has(header.state) ? String(header.workers) : "–", time: header.seconds ? `${shown(header.seconds)} s` : "–" };
    for (const [name, text] of Object.entries(facts)) say(this.facts[name], text);
    this.panel.draw(this.ranking);
    this.table.draw(this.ranking);
    this.scatter.draw(this.ranking);
    this.parallel.draw(this.ranking);
    this.importance.draw(header.importance);
    this.key.show(this.limits);
    change(this.empty, { hidden: this.data.search ? "" : null });
    this.mark();
    change(this.root, { "data-state": header.state, "data-finished": finished.length });
    this.root.dataset.shown = ++this.shown;
    this.speaker ??= setTimeout(() => this.speak(), RUNNING.has(header.state) ? SPEAK_EVERY : 300);
  }

  /** Say how far the search is, if that is news: else it would speak over a trial that was picked meanwhile. */
  speak() {
    this.speaker = null;
    const { header, labels } = this, n = this.root.dataset.finished;
    const said = fill(labels.said, { state: labels.states[header.state], n, asked: header.asked, best: this.best() });
    if (header.state !== "ready" && said !== this.said) say(this.live, said);
    this.said = said;
  }

  /** Show in all parts which trial is pointed at, else picked, else the best. */
  mark() {
    const chosen = this.hovered ?? this.picked, trial = this.trials.get(chosen ?? this.ranking[0]?.number);
    this.current = trial?.number ?? null;
    say(this.detail, trial ? (chosen === null ? fill(this.labels.best_is, { trial: this.sentence(trial) }) : this.sentence(trial)) : "");
    change(this.take, { disabled: trial && trial.state !== "running" ? null : "" });
    for (const part of [this.panel, this.table, this.scatter, this.parallel]) part.mark(chosen === null ? null : this.current);
  }

  // Taking home

  trialRows() {
    const names = this.fields.map(({ name }) => name);
    const rows = [...this.trials.values()].sort((a, b) => a.number - b.number).map((trial) =>
      [trial.number, trial.state, ...names.map((name) => trial.values[name]), trial.accuracy, trial.train.at(-1), trial.loss, trial.seconds]);
    return [["trial", "state", ...names, "validation_accuracy", "train_accuracy", "validation_loss", "seconds"], ...rows];
  }

  curveRows() {
    const rows = this.ranking.slice(0, BEST).flatMap((trial, rank) =>
      trial.steps.map((step, i) => [rank + 1, trial.number, step, trial.train[i], trial.validation[i]]));
    return [["rank", "trial", "step", "train_accuracy", "validation_accuracy"], ...rows];
  }
}
