/* What flows through an untrained network, and sliders that it keeps up with.

   spread.js   the component: sliders, what they tell the page, and one of two scenes
   before.js   histograms of every layer, and both ways through the network
   slope.js    an activation's derivative, and what many layers leave of a gradient
   lines.js    lines over the layers, on a logarithmic axis

   While a slider moves, one message at a time is on its way (`chosen`, settled: false); the newest follows as soon as it
   was answered. For tests the root carries data-kind, data-values and, changed last, data-frames (a count). */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url)); // the same version as this file
const [{ formats, readTheme, icon }, { Before }, { Slope }, { dress, element, fill, say }, { mounted, save }] = await Promise.all(
  ["../liveview/look", "before", "slope", "../served/dom", "../served/mount"].map(load));

const SCENES = { before: Before, slope: Slope };
const PATIENCE = 700; // milliseconds after which an answer is no longer waited for

export default mounted(({ parentElement }) => new Stage(parentElement));

class Stage {
  frames = 0;
  sent = 0; // when the message was sent that is not answered yet

  constructor(parent) {
    this.root = element("div", { className: "kasane-spread", hidden: true });
    this.tools = element("div", { className: "ksp-tools" });
    this.room = element("div", { className: "ksp-scene" });
    this.root.append(this.tools, this.room);
    this.csv = element("button", { type: "button", className: "ksp-csv", innerHTML: icon("csv") });
    this.csv.addEventListener("click", () => this.download());
    dress(parent, this.root, new URL(`spread.css${search}`, import.meta.url)).then(() => {
      this.styled = true;
      this.draw();
    });
    this.sized = new ResizeObserver(() => this.root.clientWidth !== this.width && this.draw());
    this.sized.observe(this.root);
  }

  update({ data, setTriggerValue }) {
    const { scene, labels, language } = data;
    this.tell = (values, settled) => setTriggerValue("chosen", { values, settled });
    this.sent = 0;
    const text = JSON.stringify([scene, labels]);
    const theme = readTheme(this.root);
    if (text !== this.text || JSON.stringify(theme) !== JSON.stringify(this.theme)) {
      const words = JSON.stringify([scene.kind, labels]) !== this.words;
      this.words = JSON.stringify([scene.kind, labels]);
      Object.assign(this, { text, theme, data: scene, labels, format: formats(language) });
      this.root.lang = language;
      this.root.classList.toggle("ksp-dark", theme.dark);
      if (words) this.begin();
      this.follow();
      this.draw();
    }
    this.flush();
  }

  /** Return a label, its {fields} filled. */
  t(name, values = {}) {
    return fill(this.labels[name], values);
  }

  /** Make sliders and scene anew: another kind of scene, or another language. */
  begin() {
    this.scene = new SCENES[this.data.kind](this);
    this.sliders = this.scene.sliders().map((spec) => new Slider(this, spec));
    this.csv.title = this.t("csv");
    this.csv.setAttribute("aria-label", this.t("csv"));
    this.tools.replaceChildren(...this.sliders.map((slider) => slider.box), this.csv);
    this.room.replaceChildren(...this.scene.parts);
  }

  /** Let the sliders stand where the page says, unless a hand is on them. */
  follow() {
    for (const slider of this.sliders) slider.follow(this.data.values[slider.name]);
  }

  get values() {
    return Object.fromEntries(this.sliders.map((slider) => [slider.name, slider.value]));
  }

  /** Where a hand has put sliders since the page answered last: of the others the page may know better by now. */
  get news() {
    return Object.fromEntries(this.sliders.filter(({ moved }) => moved).map(({ name, value }) => [name, value]));
  }

  /** A slider moved; `settled`: and is let go. */
  moved(settled) {
    if (!this.scene.alone) this.queue = { values: this.news, settled };
    else {
      this.draw();
      if (settled) this.queue = { values: this.news, settled };
    }
    this.flush();
  }

  flush() {
    if (!this.queue || (this.sent && performance.now() - this.sent < PATIENCE && !this.queue.settled)) return;
    const { values, settled } = this.queue;
    this.queue = null;
    this.sent = performance.now();
    this.tell(values, settled);
  }

  draw() {
    this.width = this.root.clientWidth;
    if (!this.styled || !this.scene || !this.width) return;
    this.root.classList.toggle("ksp-narrow", this.width < 640);
    this.scene.draw(this.data, this.width);
    this.root.dataset.kind = this.data.kind;
    this.root.dataset.values = JSON.stringify(this.data.values);
    this.root.dataset.frames = ++this.frames;
  }

  download() {
    save(this.scene.table(this.data), `kasane-${this.data.kind}.csv`);
  }

  close() {
    this.sized.disconnect();
    this.root.remove();
  }
}

/** A slider with a name and its value in words. log: its place is the logarithm of its value. */
class Slider {
  constructor(stage, { name, low, high, step, log, say, marks }) {
    Object.assign(this, { stage, name, log, say });
    this.box = element("div", { className: "ksp-slider" });
    const id = `ksp-${Math.random().toString(36).slice(2)}`;
    this.label = element("label", { htmlFor: id, textContent: stage.t(name) });
    this.output = element("output", { htmlFor: id, "aria-live": "off" }); // the slider itself says it
    this.input = element("input", { id, type: "range", min: this.place(low), max: this.place(high), step });
    this.marks = element("div", { className: "ksp-marks" });
    this.wanted = marks;
    this.box.append(this.label, this.output, this.input, ...(marks ? [this.marks] : []));
    this.input.dataset.name = name;
    this.input.addEventListener("input", () => this.take(false));
    this.input.addEventListener("change", () => this.take(true));
    this.marks.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.set(Number(button.dataset.value));
    });
  }

  place(value) {
    return this.log ? Math.log10(value) : value;
  }

  get value() {
    const raw = Number(this.input.value);
    return this.exact ?? (this.log ? Number((10 ** raw).toPrecision(3)) : raw);
  }

  take(settled) {
    this.exact = null;
    this.held = !settled;
    this.moved = true;
    this.show();
    this.stage.moved(settled);
  }

  /** Stand where the page says again: what a hand did here was not meant. */
  letGo() {
    this.held = false;
    this.stage.follow();
    this.stage.draw();
  }

  /** Stand at a value that may lie between two places of the slider. */
  set(value) {
    this.input.value = this.place(value);
    this.exact = value;
    this.moved = true;
    this.show();
    this.stage.moved(true);
  }

  follow(value) {
    this.moved = this.held;
    if (!this.held && value !== this.value) {
      this.input.value = this.place(value);
      this.exact = value;
    }
    this.show();
    if (this.wanted) this.showMarks(this.wanted(this.stage.data));
  }

  show() {
    const text = this.say(this.value);
    say(this.output, text);
    this.input.setAttribute("aria-valuetext", text);
  }

  showMarks(marks) {
    const key = JSON.stringify(marks);
    if (key === this.key) return;
    this.key = key;
    this.marks.replaceChildren(...marks.map(([text, value]) => {
      const button = element("button", { type: "button", textContent: text });
      button.dataset.value = value;
      return button;
    }));
  }
}
