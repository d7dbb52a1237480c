/**
 * The live view of a run: it draws the frames that come over the run's channel, /live/{token}.
 *
 * A LiveView owns one Channel, the newest Frame, and Blocks, one for each thing that is drawn. A block is drawn again
 * when what it shows has changed (its `stamp`), it is on the screen, and it has rested long enough for what its last
 * drawing cost: looking must not take the machine away from learning. Frames are never queued, the newest wins.
 *
 * Streamlit calls the default export at every change of `data` or theme, and what it returned when the component goes.
 */

export default async function ({ data, parentElement, setTriggerValue }) {
  await stylesheet();
  let view = views.get(parentElement);
  if (!view) views.set(parentElement, (view = new LiveView(parentElement.querySelector(".kasane-liveview"), data)));
  const call = view.update(data, setTriggerValue);
  const end = () => {
    view.destroy();
    views.delete(parentElement);
  };
  return () => {
    if (!parentElement.isConnected) end();
    else setTimeout(() => view.calls === call && end(), 100); // Streamlit also drops calls that a newer one overtook
  };
}

const views = new WeakMap(); // the element that Streamlit gives → its LiveView
const mounts = new Map(); // key → how often the component was mounted

const SPEAK_EVERY = 2000; // milliseconds between two updates of the text alternatives
const LONG = 40; // milliseconds of drawing at once
const MAX_POINTS = 400; // of a line drawn
const MAX_BANDS = 8; // layers whose ± bands can still be told apart
const ENDED = new Set(["completed", "diverged", "error", "gone"]);

// ------------------------------------------------------------------------------------------------------------ decode

const VIEWS = { f4: Float32Array, i4: Int32Array, u1: Uint8Array };

/** A message of engine/runs/protocol.py: a header, and arrays as {values, shape} that look into the message's bytes. */
class Frame {
  constructor(buffer, token) {
    const length = new DataView(buffer).getUint32(0, true);
    this.header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    this.token = token;
    this.arrays = {};
    let position = 4 + length;
    for (const [name, kind, shape] of this.header.arrays) {
      const count = shape.reduce((product, size) => product * size, 1);
      this.arrays[name] = { values: new VIEWS[kind](buffer, position, count), shape };
      position += Math.ceil((count * VIEWS[kind].BYTES_PER_ELEMENT) / 4) * 4;
    }
  }

  /** Return how many rows an array has, 0 where there is none. */
  rows(name) {
    return this.arrays[name]?.shape[0] ?? 0;
  }

  row(name, i) {
    const { values, shape } = this.arrays[name];
    const width = values.length / shape[0];
    return values.subarray(i * width, (i + 1) * width);
  }

  column(name, j) {
    const { values, shape } = this.arrays[name] ?? { values: [], shape: [0, 1] };
    return Float32Array.from({ length: shape[0] }, (_, i) => values[i * shape[1] + j]);
  }

  /** Return a number of an array's newest row, NaN where there is none. */
  last(name, j) {
    return this.rows(name) ? this.row(name, this.rows(name) - 1)[j] : NaN;
  }

  /** Return the place on the horizontal axis, in steps, epochs or seconds of training, as a function of the step. */
  axis(unit) {
    const { step, seconds, batch, train_size } = this.header;
    if (unit === "epochs") return (s) => (s * batch) / train_size;
    if (unit !== "seconds") return (s) => s;
    this.clock ??= [[0, ...this.column("loss", 0), step], [0, ...this.column("loss", 2), seconds]];
    return (s) => interpolate(...this.clock, s);
  }
}

/** Return y at x on the line through the points (xs, ys), xs ascending. */
function interpolate(xs, ys, x) {
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  const span = xs[high] - xs[low];
  return span > 0 ? ys[low] + ((ys[high] - ys[low]) * Math.min(x - xs[low], span)) / span : ys[high];
}

/** Return (xs, ys) with runs of points averaged, so that at most MAX_POINTS are left. */
function thin(xs, ys) {
  const stride = Math.ceil(xs.length / MAX_POINTS);
  if (stride < 2) return [xs, ys];
  const mean = (from, i) => {
    const part = from.subarray(i * stride, (i + 1) * stride);
    return sum(part) / part.length;
  };
  const length = Math.ceil(xs.length / stride);
  return [xs, ys].map((from) => Float32Array.from({ length }, (_, i) => mean(from, i)));
}

// ------------------------------------------------------------------------------------------------------------ socket

/** The run's channel. It comes back by itself when the connection is lost, and is closed for good by `close`. */
class Channel {
  constructor(token, { message, lost, gone }) {
    Object.assign(this, { token, message, lost, gone, delay: 300, closed: false });
    this.retry = () => this.socket.readyState > WebSocket.OPEN && this.connect();
    addEventListener("online", this.retry);
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    const url = new URL(`live/${encodeURIComponent(this.token)}`, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(url));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => (this.closed ? socket.close() : this.lost(false));
    socket.onmessage = (event) => {
      this.delay = 300;
      if (!this.closed) this.message(event.data);
    };
    socket.onclose = (event) => {
      if (this.closed) return;
      if (event.code === 4404) {
        this.close();
        this.gone();
        return;
      }
      this.lost(true);
      this.timer = setTimeout(this.retry, this.delay);
      this.delay = Math.min(this.delay * 1.8, 5000);
    };
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    removeEventListener("online", this.retry);
    if (this.socket.readyState === WebSocket.OPEN) this.socket.close(); // one that is still connecting closes on open
  }
}

// -------------------------------------------------------------------------------------------------------------- view

/** One mounted component: what it is told by the page, what comes over the channel, and when to draw what. */
class LiveView {
  constructor(root, data) {
    this.root = root;
    this.calls = this.received = 0;
    this.look = 0; // changes with theme, language and width: everything is to be drawn again
    this.options = { x: "steps", loss: "linear", histogram: "activations" };
    mounts.set(data.key, (mounts.get(data.key) ?? 0) + 1);
    Object.assign(root.dataset, { frames: 0, step: 0, state: "starting", mounts: mounts.get(data.key) });
    root.style.minHeight = "";
    // Streamlit fades what a slow rerun has not come to yet; this is never out of date.
    root.closest("[data-testid=stElementContainer]")?.style.setProperty("opacity", "1", "important");
    root.innerHTML = skeleton(`klv-${data.key}-${mounts.get(data.key)}`);
    const layers = new Legend(root.querySelector(".klv-history .klv-legend"), () => this.refresh());
    this.blocks = [
      (this.status = new Status(this)),
      new LineChart(this, LOSS),
      new LineChart(this, ACCURACY),
      (this.plane = new Plane(this)),
      new Units(this),
      new Filters(this),
      new Histograms(this),
      ...OF_LAYERS.map((spec) => new LineChart(this, spec, layers)),
      new Mistakes(this),
    ];
    this.observe();
    root.addEventListener("change", (event) => this.choose(event.target));
    root.addEventListener("click", (event) => this.use(event.target.closest("[data-tool]")));
  }

  /** Keep track of what is on the screen and how wide it is, without ever asking the page for its layout. */
  observe() {
    const blockOf = (element) => this.blocks.find((block) => block.element === element || block.figure === element);
    this.seen = new IntersectionObserver((entries) => {
      for (const entry of entries) blockOf(entry.target).visible = entry.isIntersecting;
      this.schedule();
    }, { rootMargin: "80px" });
    this.sized = new ResizeObserver((entries) => {
      for (const { target, contentRect: { width, height } } of entries) {
        Object.assign(blockOf(target), { width: Math.floor(width), height: Math.floor(height) });
      }
      this.schedule();
    });
    for (const block of this.blocks) {
      this.seen.observe(block.element);
      this.sized.observe(block.figure);
    }
  }

  /** Take over what the page says; called at each of its reruns that changes anything, and when the theme changes. */
  update(data, trigger) {
    const before = this.data ?? {};
    // What the page shows: what it says, unless the run went on while it was saying so.
    if (data !== before) this.known = this.state === "running" ? null : data.known;
    Object.assign(this, { data, trigger });
    const theme = readTheme(this.root);
    const words = JSON.stringify([data.language, data.labels]);
    if (words !== this.words || JSON.stringify(theme) !== JSON.stringify(this.theme)) {
      Object.assign(this, { words, theme, format: formats(data.language) });
      this.relabel();
    }
    if (data.token !== before.token) this.watch(data.token);
    if (!this.frame) this.root.querySelector(".klv-toy").hidden = !data.units.length;
    this.schedule();
    return ++this.calls;
  }

  watch(token) {
    this.channel?.close();
    clearTimeout(this.reminder);
    this.state = this.reported = null;
    this.lost(false);
    this.channel = new Channel(token, {
      message: (buffer) => this.receive(new Frame(buffer, token)),
      lost: (lost) => this.lost(lost),
      gone: () => this.enter("gone"),
    });
  }

  destroy() {
    this.channel.close();
    for (const timer of [this.speaker, this.reminder]) clearTimeout(timer);
    cancelAnimationFrame(this.raf);
    this.seen.disconnect();
    this.sized.disconnect();
    for (const block of this.blocks) block.destroy();
  }

  receive(frame) {
    if (frame.header.kind === "error") {
      this.enter("error");
      return;
    }
    this.frame = frame;
    this.received++;
    this.enter(frame.header.state);
    this.schedule();
  }

  /** The run is in this state now. */
  enter(state) {
    if (state === "running") this.known = this.reported = null;
    if (state === this.state) return;
    this.state = this.root.dataset.state = state;
    this.status.showState();
    const step = this.format.whole(this.frame?.header.step ?? 0);
    this.root.querySelector("[data-live]").textContent = this.t("announcement", { state: this.t(state), step });
    if (ENDED.has(state)) this.report(state);
  }

  /** Have the page rerun, once, if it does not show yet that the run has ended. */
  report(state) {
    if (state === this.known || state === this.reported) return;
    this.reported = state;
    this.trigger("ended", state);
    this.reminder = setTimeout(() => { // the page may have been offline, or its server starting again
      this.reported = null;
      if (this.state === state) this.report(state);
    }, 8000);
  }

  lost(lost) {
    this.root.querySelector(".klv-lost").hidden = !lost;
  }

  // Words and choices

  /** Return a label, its {fields} filled. */
  t(name, values = {}) {
    return this.data.labels[name].replace(/\{(\w+)\}/g, (field, key) => values[key] ?? field);
  }

  /** Return the names of a frame's classes in the page's language. */
  classes(frame) {
    return frame.header.classes.map((name) => this.data.classes[name] ?? name);
  }

  relabel() {
    for (const element of this.root.querySelectorAll("[data-t], [data-name]")) {
      const text = this.t(element.dataset.t ?? element.dataset.name, { n: MAX_BANDS });
      if (element.dataset.t) element.textContent = text;
      else element.setAttribute("aria-label", text);
      if (element.matches("button")) element.title = text;
    }
    for (const element of this.root.querySelectorAll(".klv-x")) element.textContent = this.t(this.options.x);
    this.root.classList.toggle("klv-dark", this.theme.dark);
    this.look++;
    this.status.showState();
    this.refresh();
  }

  choose(input) {
    const group = input.closest("[data-option]");
    if (!group) return;
    this.options[group.dataset.option] = input.value;
    this.relabel();
  }

  use(button) {
    const block = button && this.blocks.find((one) => one.name === button.closest("[data-block]").dataset.block);
    if (!block || !this.frame) return;
    if (button.dataset.tool === "csv") block.download();
    else block.resetZoom();
  }

  // Drawing

  /** Draw what has changed without making it wait. */
  refresh(blocks = this.blocks) {
    for (const block of blocks) block.due = 0;
    this.schedule();
  }

  schedule() {
    this.raf ||= requestAnimationFrame(() => {
      this.raf = 0;
      this.paint();
    });
  }

  /** Draw what is due. While the run goes on, what is not, or would make this take long, waits for a later frame. */
  paint() {
    const { frame } = this;
    if (!frame || !this.data) return;
    const began = performance.now();
    for (const block of this.blocks) {
      block.element.hidden = !block.applies(frame);
      const stamp = [frame.token, this.look, block.width, block.height, block.stamp(frame)].join();
      if (!block.visible || block.element.hidden || stamp === block.drawn || !block.ready()) continue;
      const start = performance.now();
      const later = start < block.due || (block.due && start > began + LONG);
      if (later && frame.header.state === "running") continue;
      block.draw(frame);
      block.drawn = stamp;
      const end = performance.now();
      block.due = end + Math.max(block.pause, (end - start) * block.thrift);
    }
    this.root.dataset.step = frame.header.step;
    if (this.painted !== this.received) this.root.dataset.frames++;
    this.painted = this.received;
    this.speaker ??= setTimeout(() => this.speak(), (this.spoken ?? 0) + SPEAK_EVERY - performance.now());
  }

  /** Bring the text alternatives up to date. */
  speak() {
    this.speaker = null;
    this.spoken = performance.now();
    for (const block of this.blocks) if (block.visible && !block.element.hidden) block.speak(this.frame);
  }
}

/** Return a run's numbers as text in the page's language. */
function formats(language) {
  const kinds = {
    whole: { maximumFractionDigits: 0 },
    one: { minimumFractionDigits: 1, maximumFractionDigits: 1 },
    percent: { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 },
    round: { style: "percent", maximumFractionDigits: 0 },
    seconds: { style: "unit", unit: "second", minimumFractionDigits: 1, maximumFractionDigits: 1 },
    middle: { maximumSignificantDigits: 3 },
    extreme: { maximumSignificantDigits: 3, notation: "scientific" },
  };
  const format = {};
  for (const [name, options] of Object.entries(kinds)) {
    const number = new Intl.NumberFormat(language, options);
    format[name] = (value) => (Number.isFinite(value) ? number.format(value || 0) : "–"); // never "-0"
  }
  const extreme = (value) => value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5);
  format.short = (value) => (extreme(value) ? format.extreme : format.middle)(value);
  return format;
}

// ------------------------------------------------------------------------------------------------------------- theme

/** Return Streamlit's colours and font as they are now, and whether they are dark. */
function readTheme(root) {
  const style = getComputedStyle(root);
  const get = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const background = get("background-color");
  const [red, green, blue] = rgb(background);
  const dark = red * 0.3 + green * 0.6 + blue * 0.1 < 128;
  const colors = dark
    ? { batch: "#6b7f95", train: "#5cb3ff", test: "#ffa657" }
    : { batch: "#a9bccf", train: "#0f6fc6", test: "#c2500a" };
  return { dark, ...colors, background, text: get("text-color"), font: get("font") };
}

const pen = document.createElement("canvas").getContext("2d");

/** Return an opaque CSS colour as three numbers. */
function rgb(color) {
  pen.fillStyle = color; // reads back as "#rrggbb"
  return [1, 3, 5].map((i) => parseInt(pen.fillStyle.slice(i, i + 2), 16));
}

/** Return the color `part` of the way through a list of colors, as [red, green, blue]. */
function between(colors, part) {
  const place = Math.min(Math.max(part, 0), 1) * (colors.length - 1);
  const i = Math.min(Math.floor(place), colors.length - 2);
  const [from, to] = [rgb(colors[i]), rgb(colors[i + 1])];
  return from.map((value, k) => Math.round(value + (to[k] - value) * (place - i)));
}

// From the first layer to the last: blue by way of purple to orange, which every kind of colour vision tells apart.
const DEPTH = {
  light: ["#1b5fd0", "#8a35b5", "#d03a6a", "#c96a00"],
  dark: ["#6cabff", "#c08cf5", "#ff86a8", "#ffb454"],
};
const DASHES = { solid: "", dash: "5 3", dot: "1.5 2.5", dashdot: "6 2.5 1.5 2.5", longdash: "9 3" };

const palettes = {};

function layerColor({ dark }, i, n) {
  const colors = (palettes[`${dark} ${n}`] ??= Array.from({ length: n }, (_, k) =>
    `rgb(${between(dark ? DEPTH.dark : DEPTH.light, n > 1 ? k / (n - 1) : 0)})`));
  return colors[i];
}

let styles;

/** Load the stylesheet, once; nothing is drawn before it is there. */
function stylesheet() {
  styles ??= new Promise((done) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = new URL(`liveview.css${new URL(import.meta.url).search}`, import.meta.url).href;
    link.onload = link.onerror = done;
    document.head.append(link);
  });
  return styles;
}

// ---------------------------------------------------------------------------------------------------------- skeleton

const ICONS = {
  csv: "M8 1.5v8m0 0L4.8 6.3M8 9.5l3.2-3.2M2 11.5v3h12v-3",
  reset_zoom: "M2.2 6.5V2.2h4.3M9.5 2.2h4.3v4.3M13.8 9.5v4.3H9.5M6.5 13.8H2.2V9.5",
  starting: "M8 2.5a5.5 5.5 0 1 1-5.5 5.5",
  running: "M4.5 2.5l8.5 5.5-8.5 5.5z",
  paused: "M5 3v10M11 3v10",
  completed: "M2.5 8.5l3.8 3.8 7.2-8",
  diverged: "M2 13.5c5 0 7-3 8-11M6.8 5.2L10 2.2l3 3.2",
  error: "M8 2.2v7.3M8 12.6v.8",
  gone: "M13.5 8A5.5 5.5 0 1 1 11 3.4M11 1v2.8H8.2",
};

const icon = (name) => `
  <svg class="klv-icon" viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
const tool = (name) => `
  <button type="button" class="klv-tool" data-tool="${name}" data-name="${name}">${icon(name)}</button>`;
const fact = (name) => `<div class="klv-fact"><dt data-t="${name}"></dt><dd data-fact="${name}">–</dd></div>`;
const choice = (id, option, label, values) => `
  <fieldset class="klv-choice" data-option="${option}"><legend data-t="${label}"></legend>${values.map((value, i) => `
    <label><input type="radio" name="${id}-${option}" value="${value}"${i ? "" : " checked"}>
    <span data-t="${value}"></span></label>`).join("")}
  </fieldset>`;
const card = (name, title, body, tools = "") => `
  <section class="klv-card" data-block="${name}">
    <div class="klv-title"><div role="heading" aria-level="3" data-t="${title}"></div>${tools}${tool("csv")}</div>
    ${body}
  </section>`;
const chart = (name, title, { legend = "", hint }) => card(name, title, `${legend}
  <div class="klv-figure" role="img"></div><div class="klv-x" aria-hidden="true"></div>
  ${hint ? `<p class="klv-hint" data-t="${hint}"></p>` : ""}`, tool("reset_zoom"));

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
  <div class="klv-controls">
    ${choice(id, "x", "horizontal", ["steps", "epochs", "seconds"])}
    ${choice(id, "loss", "loss_axis", ["linear", "log"])}
  </div>
  <div class="klv-pair">
    ${chart("loss", "loss", { legend })}
    ${chart("accuracy", "accuracy", { legend })}
  </div>
  <div class="klv-toy">
    ${card("plane", "plane", `<div class="klv-square">
        <div class="klv-ticks klv-up" aria-hidden="true">${ticks([6, 3, 0, -3, -6])}</div>
        <div class="klv-plane" role="img"><canvas></canvas><canvas></canvas></div>
        <div class="klv-ticks" aria-hidden="true">${ticks([-6, -3, 0, 3, 6])}</div>
      </div><p class="klv-hint" data-note></p>`)}
    ${card("units", "units", `<div class="klv-units" role="group"></div>
      <p class="klv-hint" data-t="units_hint"></p>`)}
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
  ${card("mistakes", "mistakes", `<p class="klv-hint" data-note></p>
    <div class="klv-mistakes"><div class="klv-confusion" role="group"></div>
    <div class="klv-gallery"><p class="klv-hint" role="status"></p><ul></ul></div></div>`)}`;
}

// ------------------------------------------------------------------------------------------------------------ blocks

/** Something drawn. Subclasses say what of a frame they show, and draw it. */
class Block {
  thrift = 25; // after a drawing it rests so many times as long as that took
  pause = 0; // and so many milliseconds at least
  due = 0; // when it may be drawn again; 0: at once
  width = 0;
  visible = false;

  constructor(view, name) {
    Object.assign(this, { view, name });
    this.element = view.root.querySelector(`[data-block=${name}]`);
    this.figure = this.element.querySelector("[role=img]") ?? this.element;
  }

  /** Tell whether the frame has something for this block. */
  applies(frame) {
    return true;
  }

  /** Tell whether it can draw yet. */
  ready() {
    return this.width > 0;
  }

  /** Return a text that changes when the picture does. */
  stamp(frame) {
    return frame.header.step;
  }

  speak(frame) {
    const text = this.text(frame);
    if (text) this.figure.setAttribute("aria-label", text);
  }

  /** Return the text alternative. */
  text(frame) {
    return "";
  }

  destroy() {}

  /** Save what the newest frame has for this block, `table(frame)`, as a CSV file. */
  download() {
    const { frame } = this.view;
    const cell = (value) => {
      if (typeof value === "number") return Number.isFinite(value) ? String(Number(value.toPrecision(9))) : "";
      return /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
    };
    const text = this.table(frame).map((row) => row.map(cell).join(",")).join("\r\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text, "\r\n"], { type: "text/csv" }));
    link.download = `kasane-${this.name}-step-${frame.header.step}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }
}

/** The strip of figures at the top. */
class Status extends Block {
  constructor(view) {
    super(view, "status");
    this.facts = {};
    for (const element of this.element.querySelectorAll("[data-fact]")) this.facts[element.dataset.fact] = element;
    this.badge = this.element.querySelector(".klv-state");
    this.bar = this.element.querySelector("[role=progressbar]");
  }

  stamp() {
    return this.view.received;
  }

  showState() {
    const state = this.view.state ?? "starting";
    this.badge.innerHTML = icon(state);
    this.badge.append(this.view.t(state));
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
      test_accuracy: format.percent(testAccuracy(frame)),
    };
    for (const [name, text] of Object.entries(figures)) {
      if (this.facts[name].textContent !== text) this.facts[name].textContent = text;
    }
    const part = Math.min(header.step / header.steps, 1);
    this.bar.firstElementChild.style.transform = `scaleX(${part})`;
  }

  speak(frame) {
    this.bar.setAttribute("aria-valuenow", Math.round((100 * frame.header.step) / frame.header.steps));
  }
}

/** Return the accuracy on the whole test set at rest, else the one last measured. */
function testAccuracy(frame) {
  return frame.header.test_accuracy ?? frame.last("evaluated", 4);
}

// ------------------------------------------------------------------------------------------------------------ charts

let plotly;

/** Load Plotly, once for the page. */
function loadPlotly() {
  plotly ??= window.Plotly ? Promise.resolve() : new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = new URL("plotly/plotly.min.js", document.baseURI).href;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  return plotly;
}

/** The names of lines, as buttons that hide and show them. (Plotly's own legend is out of the keyboard's reach.) */
class Legend {
  hidden = new Set();

  constructor(box, changed) {
    Object.assign(this, { box, changed });
    box.addEventListener("click", (event) => this.click(event));
  }

  show(curves) {
    const content = JSON.stringify(curves.map(({ id, name, color, dash }) => [id, name, color, dash]));
    if (content === this.content) return;
    Object.assign(this, { content, curves });
    const swatch = ({ color, dash }) => `<button type="button"><svg viewBox="0 0 26 8" aria-hidden="true">
      <path d="M1 4h24" stroke="${color}" stroke-dasharray="${DASHES[dash]}"/></svg></button>`;
    this.box.innerHTML = curves.map(swatch).join("");
    curves.forEach(({ name }, i) => this.box.children[i].append(name));
    this.press();
  }

  press() {
    this.curves.forEach(({ id }, i) => this.box.children[i].setAttribute("aria-pressed", !this.hidden.has(id)));
  }

  /** Hide or show a line; with the shift key, show it alone, or all again. */
  click(event) {
    const index = [...this.box.children].indexOf(event.target.closest("button"));
    if (index < 0) return;
    const { id } = this.curves[index];
    const others = this.curves.map((curve) => curve.id).filter((other) => other !== id);
    if (event.shiftKey) {
      const alone = others.every((other) => this.hidden.has(other)) && !this.hidden.has(id);
      this.hidden.clear();
      if (!alone) others.forEach((other) => this.hidden.add(other));
    } else if (!this.hidden.delete(id)) this.hidden.add(id);
    this.press();
    this.changed();
  }
}

// What is drawn against time. curves(frame, view): [{id, name, color, dash, width, array, column}]: the line follows a
// column of one of the frame's arrays; spread: a column to draw a band of ± around it; csv: its name in the file.
const OFTEN = 5; // the thrift of what people look at most: drawn with every frame unless the machine is slow
const LOSS = {
  name: "loss",
  thrift: OFTEN,
  curves: (frame, view) => {
    const batch = { id: "batch", dash: "solid", width: 1, array: "loss", column: 1, csv: "batch_loss" };
    return [{ ...batch, name: view.t("batch"), color: view.theme.batch }, ...evaluated(view, [1, 3], "loss")];
  },
  axis: (view) => (view.options.loss === "log" ? { type: "log" } : { rangemode: "tozero" }),
};
const ACCURACY = {
  name: "accuracy",
  thrift: OFTEN,
  curves: (frame, view) => evaluated(view, [2, 4], "accuracy"),
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
    id: layer, name: layer, color: layerColor(view.theme, i, length), dash: Object.keys(DASHES)[i % 5], width: 1.8,
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

/** Lines over training, drawn by Plotly. Zoom and the choice of lines outlive every frame. */
class LineChart extends Block {
  zoom = 0; // counts resets of the zoom

  constructor(view, spec, legend) {
    super(view, spec.name);
    Object.assign(this, { thrift: 25, pause: 0, ...spec });
    this.legend = legend ?? new Legend(this.element.querySelector(".klv-legend"), () => view.refresh());
    loadPlotly().then(() => view.schedule());
  }

  ready() {
    return this.width > 0 && window.Plotly;
  }

  stamp(frame) {
    const ends = this.curves(frame, this.view).map(({ array }) => frame.last(array, 0));
    return [ends, this.view.options.x, this.view.options.loss, this.zoom, ...this.legend.hidden].join();
  }

  resetZoom() {
    this.zoom++;
    this.view.refresh([this]);
  }

  draw(frame) {
    const curves = this.curves(frame, this.view);
    const place = frame.axis(this.view.options.x);
    const { hidden } = this.legend;
    const bands = curves.filter(({ id }) => !hidden.has(id)).length <= MAX_BANDS;
    this.legend.show(curves);
    const traces = curves.flatMap(({ id, name, color, dash, width, array, column, spread }) => {
      const [steps, y] = thin(frame.column(array, 0), frame.column(array, column));
      const x = steps.map(place);
      const visible = !hidden.has(id);
      const single = x.length < 2; // a lone point, which lies on the axis
      const look = { mode: single ? "markers" : "lines", cliponaxis: !single, line: { color, dash, width },
        marker: { color }, hovertemplate: "%{y}" };
      const line = { x, y, name, visible, ...look };
      if (!spread || !bands) return line;
      const outline = around(x, y, frame.column(array, spread));
      const fill = { mode: "none", fill: "toself", fillcolor: color, opacity: 0.14, hoverinfo: "skip" };
      return [{ ...outline, ...fill, visible }, line];
    });
    window.Plotly.react(this.figure, traces, this.layout(frame, traces.length > 0), {
      displaylogo: false, showSendToCloud: false, displayModeBar: false, responsive: false,
    });
  }

  layout(frame, visible) {
    const { theme, options } = this.view;
    const { mark, ...vertical } = this.axis(this.view);
    const axis = {
      visible, gridcolor: "rgba(128,128,128,.2)", zeroline: false, automargin: false, exponentformat: "e",
      hoverformat: ".4~g", tickfont: { size: 11 }, ticks: "outside", ticklen: 4, tickcolor: "rgba(0,0,0,0)",
    };
    const line = { color: theme.text, width: 1.2, dash: "dot" };
    const marked = { type: "line", xref: "paper", x0: 0, x1: 1, y0: mark, y1: mark, opacity: 0.7, visible, line };
    const shown = [frame.token, this.zoom]; // another run, or a wish to see all of it, ends a zoom
    return {
      width: this.width,
      height: this.height,
      margin: { l: 46, r: 10, t: 8, b: 24, autoexpand: false },
      uirevision: "keep",
      xaxis: { ...axis, rangemode: "tozero", nticks: 6, uirevision: [shown, options.x].join() },
      yaxis: { ...axis, nticks: vertical.type ? 4 : 7, ...vertical, uirevision: [shown, vertical.type].join() },
      shapes: mark ? [marked] : [],
      showlegend: false,
      hovermode: "x unified",
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger scrolls the page
      font: { family: theme.font, color: theme.text, size: 12 },
      hoverlabel: { bgcolor: theme.background, font: { color: theme.text } },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
    };
  }

  text(frame) {
    const { format } = this.view;
    const kind = this.axis(this.view).tickformat ? format.percent : format.short;
    const value = ({ name, array, column }) => `${name} ${kind(frame.last(array, column))}`;
    const values = this.curves(frame, this.view).map(value).join(", ");
    const title = this.element.querySelector("[role=heading]").textContent;
    return this.view.t("chart_text", { title, step: format.whole(frame.header.step), values });
  }

  /** Return one row for each step at which anything is known. */
  table(frame) {
    const [epoch, seconds] = [frame.axis("epochs"), frame.axis("seconds")];
    const columns = this.curves(frame, this.view).flatMap(({ array, column, spread, csv }) =>
      [[array, column, csv], ...(spread ? [[array, spread, `${csv}_std`]] : [])]);
    const rows = new Map();
    columns.forEach(([array, column], place) => {
      const values = frame.column(array, column);
      frame.column(array, 0).forEach((step, i) => {
        if (!rows.has(step)) rows.set(step, [step, epoch(step), seconds(step), ...columns.map(() => NaN)]);
        rows.get(step)[3 + place] = values[i];
      });
    });
    const names = columns.map(([, , name]) => name);
    return [["step", "epoch", "seconds", ...names], ...[...rows.values()].sort((a, b) => a[0] - b[0])];
  }

  destroy() {
    window.Plotly?.purge(this.figure);
  }
}

/** Return the outline of y ± spread over x. */
function around(x, y, spread) {
  const there = Array.from(x.keys()).filter((i) => Number.isFinite(y[i] + spread[i]));
  const back = [...there].reverse();
  return {
    x: [...there, ...back].map((i) => x[i]),
    y: [...there.map((i) => y[i] + spread[i]), ...back.map((i) => y[i] - spread[i])],
  };
}

// -------------------------------------------------------------------------------------------------------- histograms

/** Return a canvas's context, cleared and scaled to CSS pixels, its bitmap as fine as the screen. */
function surface(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const size = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** What each layer's activations, gradients or weights are like at this moment. */
class Histograms extends Block {
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

  /**
   * Draw bars, the zero, and mean ± standard deviation below. A bar that dwarfs the others (the zeros of a ReLU) is cut
   * off, with a gap to say so. Returns the count that is as high as the canvas.
   */
  bars(canvas, counts, [low, high], color, [mean, std]) {
    const [width, height] = [this.cellWidth, 84]; // as in the stylesheet
    const context = surface(canvas, width, height);
    const [first, second] = [...counts].sort((a, b) => b - a);
    const top = second > 0 && first > 3 * second ? 1.6 * second : first || 1;
    const floor = height - 7;
    const at = (value) => ((value - low) / (high - low)) * width;
    const step = width / counts.length;
    context.fillStyle = color;
    counts.forEach((count, i) => {
      const bar = Math.max(Math.min(count / top, 1) * (floor - 12), count ? 1 : 0);
      context.fillRect(i * step + 0.5, floor - bar, Math.max(step - 1, 1), bar);
      if (count > top) context.clearRect(i * step, floor - bar + 6, step, 2.5);
    });
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
      const [low, high] = frame.row(`${kind}_limits`, i);
      const counts = [...frame.row(kind, i)];
      const edge = (k) => low + ((high - low) * k) / counts.length;
      return counts.map((count, k) => [layer, edge(k), edge(k + 1), count]);
    });
    return [["layer", "from", "to", kind], ...rows];
  }
}

// ------------------------------------------------------------------------------------------------------------- plane

const ORANGE = "#f2a043"; // class 0; points are darker, so as to stand out on their own side
const BLUE = "#2f8ccb";
const POINTS = ["#d26a00", "#00518f"];
const SHADES = Uint32Array.from({ length: 256 }, (_, byte) => {
  const [red, green, blue] = between([ORANGE, "#f7f8f8", BLUE], byte / 255);
  return (255 << 24) | (blue << 16) | (green << 8) | red; // as little-endian RGBA
});

/**
 * Paint a square of bytes, 0 orange … 128 white … 255 blue, each as `times` × `times` pixels. Between the centres the
 * bytes are interpolated and not the colours: from orange to blue the way leads over white.
 */
function shade(canvas, bytes, times) {
  const n = Math.sqrt(bytes.length);
  const size = n * times;
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const image = new ImageData(size, size);
  const pixels = new Uint32Array(image.data.buffer);
  const places = Array.from({ length: size }, (_, i) => Math.min(Math.max((i + 0.5) / times - 0.5, 0), n - 1.001));
  for (let y = 0; y < size; y++) {
    const top = Math.floor(places[y]) * n;
    const down = places[y] % 1;
    for (let x = 0; x < size; x++) {
      const left = Math.floor(places[x]);
      const right = places[x] % 1;
      const above = bytes[top + left] * (1 - right) + bytes[top + left + 1] * right;
      const below = bytes[top + n + left] * (1 - right) + bytes[top + n + left + 1] * right;
      pixels[y * size + x] = SHADES[Math.round(above * (1 - down) + below * down)];
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Move the focus among the focusable elements of a group with the arrow keys; only one of them is a tab stop. */
function rove(group, selector) {
  group.addEventListener("keydown", (event) => {
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const [dx, dy] = ways[event.key] ?? [];
    const from = event.target.closest(selector);
    if (!from || dx === undefined) return;
    event.preventDefault();
    const here = from.getBoundingClientRect();
    let best = [Infinity];
    for (const element of group.querySelectorAll(selector)) {
      const there = element.getBoundingClientRect();
      const [right, down] = [there.x - here.x, there.y - here.y];
      const ahead = right * dx + down * dy;
      const aside = Math.abs(right * dy) + Math.abs(down * dx);
      if (ahead > 1 && ahead + 3 * aside < best[0]) best = [ahead + 3 * aside, element];
    }
    if (!best[1]) return;
    from.tabIndex = -1;
    best[1].tabIndex = 0;
    best[1].focus();
  });
}

/** What the network makes of the plane, the training points on it; or, large, what one hidden unit makes of it. */
class Plane extends Block {
  thrift = 15;

  constructor(view) {
    super(view, "plane");
    [this.base, this.dots] = this.element.querySelectorAll("canvas");
    this.note = this.element.querySelector("[data-note]");
  }

  applies(frame) {
    this.element.parentElement.hidden = frame.rows("plane") === 0;
    return frame.rows("plane") > 0;
  }

  stamp(frame) {
    return [frame.header.step, this.view.unit].join();
  }

  draw(frame) {
    const { unit } = this.view;
    const pointed = unit !== undefined && unit < frame.rows("responses");
    if (pointed) shade(this.base, frame.row("responses", unit), 12);
    else shade(this.base, frame.arrays.plane.values, 4);
    const [first, second] = this.view.classes(frame);
    const note = pointed ? unitName(this.view, unit) : this.view.t("plane_key", { first, second });
    if (this.note.textContent !== note) this.note.textContent = note;
    const points = [frame.token, this.view.look, this.width, frame.rows("points")].join();
    if (points !== this.points) this.drawPoints(frame);
    this.points = points;
  }

  drawPoints(frame) {
    const context = surface(this.dots, this.width, this.width);
    context.lineWidth = 1;
    context.strokeStyle = "#ffffff";
    for (let i = 0; i < frame.rows("points"); i++) {
      const [x1, x2, label] = frame.row("points", i);
      context.beginPath();
      context.arc(((x1 + 6) / 12) * this.width, ((6 - x2) / 12) * this.width, 3.2, 0, 2 * Math.PI);
      context.fillStyle = POINTS[label];
      context.fill();
      context.stroke();
    }
  }

  text(frame) {
    const { format } = this.view;
    const bytes = frame.arrays.plane.values;
    const share = format.round(bytes.filter((byte) => byte > 127).length / bytes.length);
    const values = { step: format.whole(frame.header.step), share, name: this.view.classes(frame)[1] };
    return this.view.t("plane_text", { ...values, test: format.percent(testAccuracy(frame)) });
  }

  table(frame) {
    const rows = squares(frame.arrays.plane.values).map(([x1, x2, byte]) => [x1, x2, byte / 255]);
    return [["x1", "x2", "probability"], ...rows];
  }
}

/** Return [x1, x2, byte] of every cell of a picture of the plane. */
function squares(bytes) {
  const size = Math.sqrt(bytes.length);
  const centre = (i) => ((i + 0.5) / size) * 12 - 6;
  return Array.from(bytes, (byte, i) => [centre(i % size), -centre(Math.floor(i / size)), byte]);
}

/** Return [layer, unit], both counted from 0, of the `index`-th hidden unit. */
function place(view, index) {
  let layer = 0;
  for (const size of view.data.units) {
    if (index < size) break;
    index -= size;
    layer++;
  }
  return [layer, index];
}

function unitName(view, index) {
  const [layer, unit] = place(view, index);
  return view.t("unit", { layer: view.t("layer", { n: layer + 1 }), n: unit + 1 });
}

/** Every hidden unit's own output over the plane, layer by layer. */
class Units extends Block {
  constructor(view) {
    super(view, "units");
    this.box = this.element.querySelector(".klv-units");
    const point = (event) => this.point(event.target.closest("button"));
    for (const kind of ["pointerover", "focusin"]) this.box.addEventListener(kind, point);
    for (const kind of ["pointerleave", "focusout"]) this.box.addEventListener(kind, () => this.point());
    rove(this.box, "button");
  }

  point(button) {
    this.view.unit = button ? Number(button.dataset.unit) : undefined;
    this.view.refresh([this.view.plane]);
  }

  applies(frame) {
    return frame.rows("responses") > 0;
  }

  build(frame) {
    this.box.replaceChildren();
    this.tiles = Array.from({ length: frame.rows("responses") }, (_, i) => {
      const [layer] = place(this.view, i);
      if (!this.box.children[layer]) {
        this.box.append(make("div", { className: "klv-layer", innerHTML: "<small></small><div></div>" }));
      }
      const [title, tiles] = this.box.children[layer].children;
      title.textContent = this.view.t("layer", { n: layer + 1 });
      const tile = make("button", { type: "button", tabIndex: i ? -1 : 0, title: unitName(this.view, i) });
      tile.dataset.unit = i;
      tile.append(make("canvas"));
      tiles.append(tile);
      return tile.firstElementChild;
    });
  }

  draw(frame) {
    const content = [frame.token, this.view.words, this.view.data.units, frame.rows("responses")].join();
    if (content !== this.content) this.build(frame);
    this.content = content;
    this.tiles.forEach((tile, i) => shade(tile, frame.row("responses", i), 2));
  }

  speak(frame) {
    this.box.setAttribute("aria-label", this.view.t("units_text", { n: frame.rows("responses") }));
  }

  table(frame) {
    const rows = Array.from({ length: frame.rows("responses") }, (_, i) => {
      const [layer, unit] = place(this.view, i);
      return squares(frame.row("responses", i)).map((square) => [layer + 1, unit + 1, ...square]);
    });
    return [["layer", "unit", "x1", "x2", "response"], ...rows.flat()];
  }
}

// ----------------------------------------------------------------------------------------------------------- filters

/** The kernels of a first convolution, as they were drawn and as they are now. */
class Filters extends Block {
  constructor(view) {
    super(view, "filters");
    this.box = this.element.querySelector(".klv-filters");
  }

  applies(frame) {
    return frame.rows("filters") > 0;
  }

  draw(frame) {
    const n = frame.rows("filters");
    while (this.box.children.length > n) this.box.lastChild.remove();
    while (this.box.children.length < n) {
      const pair = make("div");
      pair.append(make("canvas"), make("canvas"));
      this.box.append(pair);
    }
    const size = frame.arrays.filters.shape[1];
    [...this.box.children].forEach((pair, i) => {
      pair.title = this.view.t("filter", { n: i + 1 });
      ["filters_before", "filters"].forEach((name, j) => paintSigned(pair.children[j], frame.row(name, i), size));
    });
  }

  speak(frame) {
    const values = { n: frame.rows("filters"), step: this.view.format.whole(frame.header.step) };
    this.box.setAttribute("aria-label", this.view.t("filters_text", values));
  }

  table(frame) {
    const size = frame.arrays.filters.shape[1];
    const rows = Array.from({ length: frame.rows("filters") }, (_, i) =>
      Array.from(frame.row("filters", i), (byte, j) => [
        i + 1, Math.floor(j / size), j % size, (frame.row("filters_before", i)[j] - 128) / 127, (byte - 128) / 127,
      ]));
    return [["filter", "row", "column", "before", "now"], ...rows.flat()];
  }
}

/** Paint bytes, 0 orange … 128 white … 255 blue, a pixel each. */
function paintSigned(canvas, bytes, size) {
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const image = new ImageData(size, size);
  new Uint32Array(image.data.buffer).set(Array.from(bytes, (byte) => SHADES[byte]));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function make(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

// ---------------------------------------------------------------------------------------------------------- mistakes

/** The confusion matrix of the whole test set and the most confident mistakes; known when the run stands still. */
class Mistakes extends Block {
  constructor(view) {
    super(view, "mistakes");
    this.note = this.element.querySelector("[data-note]");
    this.body = this.element.querySelector(".klv-mistakes");
    this.matrix = this.element.querySelector(".klv-confusion");
    this.caption = this.element.querySelector(".klv-gallery p");
    this.list = this.element.querySelector(".klv-gallery ul");
    for (const [kind, end] of [["pointerover", "pointerleave"], ["focusin", "focusout"]]) {
      this.matrix.addEventListener(kind, (event) => this.pick(event.target.closest("td"), false));
      this.matrix.addEventListener(end, () => this.pick(null, false));
    }
    this.matrix.addEventListener("click", (event) => this.pick(event.target.closest("td"), true));
    this.matrix.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.pick(event.target.closest("td"), true);
    });
    rove(this.matrix, "td");
  }

  stamp(frame) {
    const measured = frame.rows("confusion") > 0;
    return [measured, measured ? frame.header.step : frame.header.state].join();
  }

  draw(frame) {
    const fresh = frame.rows("confusion") > 0;
    if (this.shown?.token !== frame.token) this.shown = this.kept = null;
    if (fresh) this.shown = frame;
    this.body.hidden = !this.shown;
    this.body.classList.toggle("klv-stale", !fresh);
    const diverged = frame.header.state === "diverged";
    const missing = diverged ? "mistakes_none" : this.shown ? "mistakes_stale" : "mistakes_later";
    const note = fresh ? "confusion_axes" : missing;
    this.note.textContent = this.view.t(note, { step: this.view.format.whole(this.shown?.header.step) });
    if (!this.shown) return;
    const content = [this.shown.token, this.shown.header.step, this.view.look, this.width].join();
    if (content !== this.content) {
      this.drawMatrix(this.shown);
      this.drawGallery(this.shown);
    }
    this.content = content;
    this.filter();
  }

  drawMatrix(frame) {
    const classes = this.view.classes(frame);
    const { values } = frame.arrays.confusion;
    const k = classes.length;
    const off = Math.max(1, ...values.filter((_, i) => i % (k + 1)));
    const long = classes.some((name) => name.length > 3);
    const table = make("table", { className: long ? "klv-long" : "", role: "grid" });
    const head = table.insertRow();
    head.append(make("th"), ...classes.map(() => make("th", { scope: "col", innerHTML: "<span></span>" })));
    classes.forEach((name, j) => (head.cells[j + 1].firstElementChild.textContent = name));
    classes.forEach((right, i) => {
      const row = table.insertRow();
      row.append(make("th", { scope: "row", textContent: right }));
      const total = sum(frame.row("confusion", i)) || 1;
      classes.forEach((wrong, j) => {
        const count = values[i * k + j];
        const cell = Object.assign(row.insertCell(), { tabIndex: i || j ? -1 : 0, className: count ? "" : "klv-none" });
        const n = (cell.textContent = this.view.format.whole(count));
        Object.assign(cell.dataset, { right: i, wrong: j });
        cell.setAttribute("aria-label", this.view.t(i === j ? "cell_right" : "cell", { right, wrong, n }));
        cell.style.setProperty("--share", i === j ? count / total : count / off);
        cell.style.setProperty("--hue", i === j ? "var(--klv-train)" : "var(--klv-test)");
      });
    });
    this.matrix.replaceChildren(table);
  }

  drawGallery(frame) {
    const [height, width] = frame.header.image ?? [0, 0];
    const ink = this.view.theme.dark ? 255 : 0;
    const classes = this.view.classes(frame);
    this.list.replaceChildren(...Array.from({ length: frame.rows("wrong") }, (_, n) => {
      const [right, wrong] = frame.row("wrong_labels", n);
      const item = make("li", { innerHTML: "<canvas aria-hidden='true'></canvas><b></b><small></small>" });
      Object.assign(item.dataset, { right, wrong });
      const [canvas, name, share] = item.children;
      Object.assign(canvas, { width, height });
      const image = new ImageData(width, height);
      frame.row("wrong", n).forEach((byte, i) => image.data.set([ink, ink, ink, byte], 4 * i));
      canvas.getContext("2d").putImageData(image, 0, 0);
      name.textContent = this.view.t("right_wrong", { right: classes[right], wrong: classes[wrong] });
      share.textContent = this.view.format.round(frame.arrays.wrong_confidence.values[n]);
      return item;
    }));
    this.list.parentElement.hidden = !frame.rows("wrong");
    this.list.style.minHeight = "";
    this.list.style.minHeight = `${this.list.offsetHeight}px`; // picking out a pair must not move the page
  }

  /** Show only the pair of a cell: while it is pointed at, or until it is clicked again. */
  pick(cell, stay) {
    const pair = cell && cell.dataset.right !== cell.dataset.wrong ? cell.dataset : null;
    if (stay) {
      const same = pair && this.kept?.right === pair.right && this.kept?.wrong === pair.wrong;
      this.kept = same || !pair ? null : { ...pair };
    }
    this.pointed = pair;
    this.filter();
  }

  filter() {
    if (!this.shown) return;
    const pair = this.pointed ?? this.kept;
    const { header, arrays } = this.shown;
    const same = (one, { dataset }) => one?.right === dataset.right && one?.wrong === dataset.wrong;
    let shown = 0;
    for (const item of this.list.children) {
      item.hidden = Boolean(pair) && !same(pair, item);
      shown += !item.hidden;
    }
    for (const cell of this.matrix.querySelectorAll("td")) cell.setAttribute("aria-selected", same(this.kept, cell));
    const k = header.classes.length;
    const counts = arrays.confusion.values;
    const all = pair ? counts[pair.right * k + Number(pair.wrong)] : sum(counts.filter((_, i) => i % (k + 1)));
    const values = { n: this.view.format.whole(shown), total: this.view.format.whole(all) };
    const classes = this.view.classes(this.shown);
    if (pair) Object.assign(values, { right: classes[pair.right], wrong: classes[pair.wrong] });
    this.caption.textContent = this.view.t(pair ? "gallery_pair" : "gallery_all", values);
  }

  speak() {
    if (!this.shown) return;
    const { step } = this.shown.header;
    const classes = this.view.classes(this.shown);
    const counts = [...this.shown.arrays.confusion.values];
    const k = classes.length;
    const [whole, t] = [this.view.format.whole, this.view.t.bind(this.view)];
    const mistakes = counts.map((n, i) => (i % (k + 1) ? n : 0));
    const most = mistakes.indexOf(Math.max(...mistakes));
    const [right, wrong] = [classes[Math.floor(most / k)], classes[most % k]];
    const worst = mistakes[most] ? t("cell", { right, wrong, n: whole(mistakes[most]) }) : t("no_mistake");
    const [total, correct] = [sum(counts), sum(counts) - sum(mistakes)].map(whole);
    this.matrix.setAttribute("aria-label", t("confusion_text", { step: whole(step), right: correct, total, worst }));
  }

  table(frame) {
    const { classes } = this.shown?.header ?? { classes: [] };
    const cell = (right, i) => classes.map((wrong, j) => [right, wrong, this.shown.row("confusion", i)[j]]);
    return [["right", "predicted", "count"], ...classes.flatMap(cell)];
  }
}
