/* Time in hand: play, pause, one step on or back, a slider for every moment, and a speed.

   A position is a number from `first` to `last`; between whole numbers something is on its way. Playing ends at `rest`.
   `show(position)` is called whenever the position changes. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`../served/${name}.js${search}`, import.meta.url));
const [{ clamp, element, say }, { STILL }, { buttons, label, turn }] = await Promise.all(["dom", "mount", "tools"].map(load));

const SLOWEST = 0.4, DOUBLINGS = 4; // of the scene's own pace at the left end of the speed, and how often that doubles

export class Player {
  constructor(root, { show, settled, csv }) {
    Object.assign(this, { root, show, settled, position: 0, target: 0, playing: false, speed: 0.5 });
    this.buttons = buttons();
    this.slider = element("input", { type: "range", class: "scrub" });
    this.pace = element("input", { type: "range", class: "pace", id: "pace", min: 0, max: 1, step: 0.01, value: this.speed });
    this.paceName = element("label", { for: "pace" });
    this.where = element("p", { class: "where" });
    const { back, play, forward, csv: file } = this.buttons;
    this.tools = element("div", { class: "tools", role: "toolbar" },
      element("div", { class: "group" }, back, play, forward), this.slider, this.where,
      element("div", { class: "speed" }, this.paceName, this.pace), file);
    play.onclick = () => (this.playing ? this.pause() : this.play());
    back.onclick = () => this.step(-1);
    forward.onclick = () => this.step(1);
    file.onclick = csv;
    this.pace.oninput = () => (this.speed = Number(this.pace.value));
    this.slider.oninput = () => {
      this.pause();
      this.go(Number(this.slider.value));
    };
    this.slider.onchange = () => this.settled?.();
  }

  /** Take the words of a language. */
  name(labels) {
    this.labels = labels;
    label(this.buttons, labels);
    this.slider.setAttribute("aria-label", labels.moment);
    say(this.paceName, labels.speed);
    this.mark();
  }

  /** Take the length of a scene, in steps, and how many of them a second takes. */
  measure({ first = 0, last, rest = last, rate, grain = 1 }) {
    Object.assign(this, { first, last, rest, rate });
    Object.assign(this.slider, { min: first, max: last, step: grain });
    this.position = clamp(this.position, first, last);
    this.slider.disabled = first === last;
  }

  /** Begin again where there is motion to see, else show the end. */
  start() {
    if (STILL) {
      this.pause();
      this.go(this.rest);
    } else {
      this.go(this.first);
      this.play();
    }
  }

  play() {
    if (this.position >= this.rest) this.go(this.first);
    this.run(this.rest, true);
  }

  pause() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.playing = false;
    this.mark();
  }

  step(by) {
    const from = this.frame && !this.playing ? this.target : this.position; // a step under way is taken as done
    const target = clamp(by > 0 ? Math.floor(from + 1e-6) + 1 : Math.ceil(from - 1e-6) - 1, this.first, this.last);
    this.pause();
    if (by < 0 || STILL) this.go(target);
    else {
      this.go(Math.max(this.position, target - 1));
      this.run(target, false);
    }
  }

  run(target, playing) {
    Object.assign(this, { target, playing, before: performance.now() });
    this.mark();
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  tick(now) {
    const seconds = clamp(now - this.before, 0, 100) / 1000; // a tab that was asleep goes on where it was
    this.before = now;
    this.go(Math.min(this.position + seconds * this.rate * SLOWEST * 2 ** (DOUBLINGS * this.speed), this.target));
    if (this.position < this.target) this.frame = requestAnimationFrame((next) => this.tick(next));
    else this.pause();
  }

  go(position) {
    this.position = position;
    this.slider.value = position;
    this.show(position);
    this.root.dataset.position = Number(position.toFixed(3));
  }

  mark() {
    this.root.dataset.playing = this.playing;
    if (this.labels) turn(this.buttons, this.playing, this.labels);
  }
}
