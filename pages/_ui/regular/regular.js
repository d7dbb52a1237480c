/* The moving pictures of the regularization page: a series of places, gone through by hand and in time.

   norms.js     the ball grows with its budget, and the lowest point of the error goes with it
   dropout.js   another mask at every step of training
   sheet.js     another look of the same digits

   A picture has update(scene), show(place) → a sentence, rows() for the CSV, close(); moves: whether it goes by itself.
   For tests the root carries data-kind, data-place, data-playing and, changed last, data-shown (a count). */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url)); // the same version as this file
const [{ Norms }, { Dropout }, { Sheet }, { dress, element, say }, { STILL, mounted, save }, { SHEET, buttons, label, turn }] =
  await Promise.all(["norms", "dropout", "sheet", "../served/dom", "../served/mount", "../served/tools"].map(load));

const KINDS = { norms: Norms, dropout: Dropout, sheet: Sheet };
const SPOKEN_AFTER = 500; // ms of rest after which a place is announced

const memory = new Map(); // key → where a pane was left

export default mounted(({ parentElement, data }) => new Pane(parentElement, data));

/** A picture with its tools. */
class Pane {
  still = STILL;
  shown = 0;

  constructor(parent, { key, scene, labels }) {
    this.labels = labels;
    this.picture = new KINDS[scene.kind](this);
    this.state = memory.get(key) ?? { playing: Boolean(this.picture.moves) && !STILL };
    memory.set(key, this.state);
    this.tools = buttons();
    const { back, play, forward, csv } = this.tools;
    this.status = element("p", { className: "unseen-text", role: "status" });
    this.root = element("div", { className: `kasane-regular ${scene.kind}-pane`, hidden: true, "data-kind": scene.kind, "data-shown": 0 },
      element("div", { className: "tools", role: "toolbar" }, element("div", { className: "group" }, back, play, forward), csv),
      this.picture.root, this.status);
    dress(parent, this.root, SHEET, new URL(`regular.css${search}`, import.meta.url));
    back.onclick = () => this.step(-1);
    forward.onclick = () => this.step(1);
    play.onclick = () => this.play(!this.state.playing);
    csv.onclick = () => this.download();
    this.sized = new ResizeObserver(() => {
      this.picture.layout?.();
      if (this.scene && this.picture.layout) this.show();
    });
    this.sized.observe(this.root);
  }

  get place() {
    return this.state.place;
  }

  get width() {
    return this.root.clientWidth;
  }

  /** Take what the page says: another scene or another language. */
  update({ data: { scene, labels, language }, setTriggerValue }) {
    const { state } = this, text = JSON.stringify([scene, labels]);
    this.tell = setTriggerValue;
    if (text !== this.text) {
      this.text = text;
      Object.assign(this, { labels, scene });
      this.root.lang = language;
      label(this.tools, labels);
      this.picture.update(scene);
      if (state.asked !== scene.place || state.place === undefined) state.place = scene.place;
      Object.assign(state, { asked: scene.place, place: Math.min(state.place, scene.places - 1) });
      this.play(state.playing);
      this.show();
    }
  }

  /** Go again from the place that the page asks for. */
  again() {
    this.state.place = this.scene.place;
    this.show();
    this.play(Boolean(this.picture.moves) && !STILL);
  }

  /** Go on or back by hand. */
  step(by) {
    this.play(false);
    this.state.test = false;
    this.advance(by);
  }

  /** Go on, from the last place to the first. */
  advance(by) {
    const { places } = this.scene;
    this.state.place = (this.state.place + by + places) % places;
    this.show();
  }

  play(playing) {
    this.state.playing = playing;
    if (playing) this.state.test = false;
    this.root.dataset.playing = playing;
    turn(this.tools, playing, this.labels);
    this.speak();
    clearTimeout(this.timer);
    if (playing) this.timer = setTimeout(() => this.next(), 1000 / this.picture.pace);
  }

  next() {
    this.advance(1);
    this.timer = setTimeout(() => this.next(), 1000 / this.picture.pace);
  }

  show() {
    this.said = this.picture.show(this.state.place);
    this.speak();
    Object.assign(this.root.dataset, { place: this.state.place, shown: ++this.shown });
  }

  /** Announce the place, when it has rested for a while. */
  speak() {
    clearTimeout(this.saying);
    if (!this.state.playing) this.saying = setTimeout(() => say(this.status, this.said ?? ""), SPOKEN_AFTER);
  }

  download() {
    save(this.picture.rows(), `kasane-${this.scene.kind}.csv`);
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.saying);
    this.sized.disconnect();
    this.picture.close();
    this.root.remove();
  }
}
