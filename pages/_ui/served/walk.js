/** The walk through a moving picture: from place to place, by its buttons, by a hand and in time. */

const { search } = new URL(import.meta.url); // the version, the same for all files that a component imports
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ dress, element, say }, { STILL, save }, { SHEET, buttons, label, turn }] =
  await Promise.all(["dom", "mount", "tools"].map(load));

const SPOKEN_AFTER = 500; // ms of rest after which a place is announced

const memory = new Map(); // key → where a walk was left

/**
 * What a component is that shows one place after another, from 0. Its own part is told by these names:
 *
 * places, pace   how many there are, and how many it passes in a second
 * rowLength      from a place to the one below it, for the arrow keys
 * moves, first   whether it goes by itself, and from where
 * build()        takes another `scene` or other `labels`
 * draw()         shows the place of `state`, and returns the sentence that announces it
 * layout()       takes another width
 * file, rows()   the CSV file
 *
 * `state` is all that outlives the page's being left. For tests the root carries data-playing, data-place and, changed
 * last, data-shown (a count).
 */
export class Walk {
  shown = 0;

  constructor(key, state = {}) {
    this.state = memory.get(key) ?? { place: 0, ...state };
    memory.set(key, this.state);
    this.tools = buttons();
    this.status = element("p", { className: "unseen-text", role: "status" });
    const { back, play, forward, csv } = this.tools;
    back.onclick = () => this.step(-1);
    forward.onclick = () => this.step(1);
    play.onclick = () => this.play(!this.state.playing);
    csv.onclick = () => save(this.rows(), `kasane-${this.file}.csv`);
  }

  get moves() {
    return true;
  }

  get first() {
    return 0;
  }

  layout() {}

  /** Put everything into its place in the page: the tools, with more of them in the row, and what stands below. */
  compose(parent, sheet, { className, tools = [], below }) {
    const { back, play, forward, csv } = this.tools;
    const row = [element("div", { className: "group" }, back, play, forward), ...tools, csv];
    this.root = element("div", { className, hidden: true, "data-shown": 0 },
      element("div", { className: "tools", role: "toolbar" }, ...row), ...below, this.status);
    dress(parent, this.root, SHEET, sheet).then(() => this.layout());
    let before;
    this.sized = new ResizeObserver(() => {
      if (before !== this.width) this.layout();
      before = this.width;
    });
    this.sized.observe(this.root);
  }

  get width() {
    return this.root.clientWidth;
  }

  /** Take what the page says: another scene or another language. */
  update({ data: { scene, labels, language }, setTriggerValue }) {
    const text = JSON.stringify([scene, labels, language]), { state } = this;
    this.tell = setTriggerValue;
    if (text === this.text) return;
    Object.assign(this, { text, scene, labels });
    this.root.lang = language;
    label(this.tools, labels);
    this.build();
    state.place = Math.min(state.place, this.places - 1);
    this.play(state.playing ?? (this.moves && !STILL));
    this.show();
  }

  // ---- by hand

  /** Let a pointer lead along a grid; `target` says what state a cell leads to. */
  openTo(grid, target) {
    grid.listen("pointerover", (n) => this.hold(target(n)));
    grid.listen("click", (n) => this.lead(target(n)));
  }

  /** Let arrow keys lead where `stage` has the focus, to more() besides a place; go on when a pointer leaves it. */
  openStage(stage, more = () => ({})) {
    stage.addEventListener("pointerleave", () => this.release());
    stage.addEventListener("keydown", (event) => this.steer(event, more()));
  }

  /** Go where a pointer is, and stay there as long as it does. */
  hold(to) {
    this.held = true;
    clearTimeout(this.timer);
    this.go(to);
  }

  release() {
    this.held = false;
    this.wait();
  }

  steer(event, more) {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const { rowLength, state: { place } } = this, start = place - (place % rowLength);
    const to = {
      ArrowLeft: place - 1, ArrowRight: place + 1, ArrowUp: place - rowLength, ArrowDown: place + rowLength,
      Home: start, End: start + rowLength - 1,
    }[event.key];
    if (event.key === " ") this.play(!this.state.playing);
    else if (to !== undefined) this.lead(to >= 0 && to < this.places ? { ...more, place: to } : {});
    else return;
    event.preventDefault();
  }

  /** Go on or back by hand. */
  step(by) {
    this.lead({ place: this.ahead(by) });
  }

  /** Go where a hand says, and stay there. */
  lead(to) {
    this.play(false);
    this.go(to);
  }

  // ---- in time

  /** Go the way again from its beginning. */
  again() {
    this.go({ place: this.first });
    this.play(this.moves && !STILL);
  }

  play(playing) {
    this.state.playing = playing;
    this.root.dataset.playing = playing;
    turn(this.tools, playing, this.labels);
    this.speak();
    this.wait();
  }

  /** Set the time of the next step. */
  wait() {
    clearTimeout(this.timer);
    if (!this.state.playing || this.held) return;
    this.timer = setTimeout(() => {
      this.go({ place: this.ahead(1) });
      this.wait();
    }, 1000 / this.pace);
  }

  /** Return the place that lies so many ahead: after the last comes the first. */
  ahead(by) {
    return (this.state.place + by + this.places) % this.places;
  }

  // ---- at a place

  go(to) {
    Object.assign(this.state, to);
    this.show();
  }

  show() {
    this.said = this.draw();
    this.speak();
    Object.assign(this.root.dataset, { place: this.state.place, shown: ++this.shown });
  }

  /** Announce the place, when it has rested for a while. */
  speak() {
    clearTimeout(this.saying);
    if (!this.state.playing) this.saying = setTimeout(() => say(this.status, this.said ?? ""), SPOKEN_AFTER);
  }

  close() {
    clearTimeout(this.timer);
    clearTimeout(this.saying);
    this.sized.disconnect();
    this.root.remove();
  }
}
