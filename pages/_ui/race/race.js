/* The race: several walks down one landscape, on a map or over its surface, step by step and in time.

   plane.js       the landscape's function, exact at every point, and which part of the plane is seen
   map.js         bands and contour lines, drawn when the look changes; the walks over them, drawn with every frame
   surface.js     the same in three dimensions, by Plotly
   camera.js      from where that is looked at
   standings.js   how low everyone is: now, and at every step
   Race, here     what they have in common: tools, keys, the clock

   Time is counted in steps and runs between them; the walks themselves come from the engine. For tests the root carries
   data-step, data-playing, data-view, data-zoom, data-runs, data-mounts and, changed last, data-drawn (a count). */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ readTheme }, { Field, View }, { drawGround, drawWays }, { Surface }, { Camera }, { Chart, Legend }] = await Promise.all(
  ["drawing", "plane", "map", "surface", "camera", "standings"].map(load));
const [{ css }, { clamp, element, fill, style }, { STILL, mounted, onOtherScreen, save }, { plain, steady }, { SHEET, buttons, label, turn }] =
  await Promise.all(["canvas", "dom", "mount", "numbers", "tools"].map((name) => load(`../served/${name}`)));

const RACE_SECONDS = 8; // that a whole race lasts at speed 1
const SLOWEST = 0.1, FASTEST = 10;
const TRAVEL = 300; // ms that the look takes from one step to the next
const CLOSER = 1.6; // by a button or a key
const TURN = 0.2; // radians, by a key
const SPOKEN_AFTER = 600; // ms of rest after which a step is announced

const memory = new Map(); // key → where a race was left
const mounts = new Map(); // key → how often the component was mounted

export default mounted(({ parentElement, data }) => new Race(parentElement, data.key), stylesheet);

let styles;

/** Load the style sheets, once; nothing is drawn before they are there. */
function stylesheet() {
  return (styles ??= style(document.head, SHEET, new URL(`race.css${search}`, import.meta.url)));
}

const ICONS = { // beside those that all players have; here "back" and "forward" are single steps
  first: "M18 6l-8.5 6L18 18zM6 6v12",
  back: "M15 6l-7 6 7 6z",
  forward: "M9 6l7 6-7 6z",
  closer: "M12 5v14M5 12h14",
  farther: "M5 12h14",
  fit: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
};

class Race {
  constructor(parent, key) {
    this.drawn = 0;
    this.state = memory.get(key) ?? { time: 0, playing: null, speed: 1, view: "contour", views: {}, cameras: {} };
    memory.set(key, this.state);
    mounts.set(key, (mounts.get(key) ?? 0) + 1);
    const tool = (this.tool = buttons(ICONS));
    this.scrub = element("input", { type: "range", min: 0, step: 1 });
    const silent = { "aria-live": "off" }; // else an output announces itself, here with every step
    this.where = element("output", { className: "kr-where", ...silent });
    this.speedName = element("span");
    this.speed = element("input", { type: "range", min: -1, max: 1, step: 0.05, value: Math.log10(this.state.speed) });
    this.times = element("output", { className: "kr-times", ...silent });
    this.ground = element("canvas");
    this.ways = element("canvas");
    this.map = element("div", { className: "kr-map", role: "application", tabIndex: 0 }, this.ground, this.ways);
    this.plot = element("div", { className: "kr-surface", role: "application", tabIndex: 0, hidden: true });
    this.point = element("div", { className: "kr-point", "aria-hidden": "true" });
    this.zoom = element("div", { className: "kr-zoom tools" },
      element("div", { className: "group" }, tool.closer, tool.farther, tool.fit));
    this.hint = element("p", { className: "kr-hint", id: `kr-hint-${key}` });
    for (const area of [this.map, this.plot]) area.setAttribute("aria-describedby", this.hint.id);
    this.legend = new Legend();
    this.chart = new Chart(() => this.mark(), (time) => this.lead(time));
    this.status = element("p", { className: "unseen-text", role: "status" });
    const side = element("div", { className: "kr-side" }, this.legend.root, this.chart.title, this.chart.canvas);
    const picture = element("div", { className: "kr-picture" }, this.map, this.plot, this.zoom, this.point);
    this.root = element("div", { className: "kasane-race", "data-mounts": mounts.get(key), "data-drawn": 0 },
      element("div", { className: "kr-tools tools", role: "toolbar" },
        element("div", { className: "group" }, tool.first, tool.back, tool.play, tool.forward),
        element("label", { className: "kr-scrub" }, this.scrub, this.where),
        element("label", { className: "kr-speed" }, this.speedName, this.speed, this.times), tool.csv),
      element("div", { className: "kr-stage" }, element("div", {}, picture, this.hint), side), this.status);
    this.surface = new Surface(this.plot, (x, y) => this.choose(x, y));
    parent.querySelector(".room")?.remove();
    parent.append(this.root);
    this.listen();
    this.sized = new ResizeObserver(() => this.layout());
    this.sized.observe(this.root);
    this.leaveScreen = onOtherScreen(() => {
      if (!this.scene) return;
      this.legend.show(this);
      this.stale = true;
      this.schedule();
    });
  }

  listen() {
    const { tool, map, plot } = this;
    tool.first.onclick = () => this.lead(0);
    tool.back.onclick = () => this.stepBy(-1);
    tool.forward.onclick = () => this.stepBy(1);
    tool.play.onclick = () => this.play(!this.state.playing);
    tool.csv.onclick = () => this.download();
    tool.closer.onclick = () => this.look((sight) => sight.magnify(CLOSER));
    tool.farther.onclick = () => this.look((sight) => sight.magnify(1 / CLOSER));
    tool.fit.onclick = () => this.look((sight) => {
      sight.reset();
      if (sight === this.view) sight.take(this.start);
    });
    this.scrub.oninput = () => this.lead(Number(this.scrub.value));
    this.speed.oninput = () => {
      this.state.speed = clamp(10 ** Number(this.speed.value), SLOWEST, FASTEST);
      this.sayTool();
    };
    for (const area of [map, plot]) {
      area.addEventListener("keydown", (event) => this.steer(event));
      area.addEventListener("pointerdown", (event) => this.press(event));
      area.addEventListener("pointermove", (event) => this.drag(event));
      area.addEventListener("pointerup", () => this.letGo());
      area.addEventListener("pointercancel", () => this.letGo());
      area.addEventListener("pointerleave", () => {
        this.point.textContent = "";
        this.letGo();
      });
      area.addEventListener("click", (event) => this.click(event));
      area.addEventListener("wheel", (event) => {
        if (area === map && !event.ctrlKey && !event.metaKey) return; // over the map the wheel alone scrolls the page
        event.preventDefault();
        this.look((sight) => sight.magnify(Math.exp(-event.deltaY / 200), ...this.local(event)));
      }, { passive: false });
      for (const sign of ["touchstart", "touchmove", "touchend", "touchcancel"]) {
        area.addEventListener(sign, (event) => {
          event.stopPropagation(); // Plotly would keep the page from scrolling
          this.pinch(event);
        }, { passive: false, capture: true });
      }
    }
  }

  /** Where the race is seen, and what part of it: on the map a `View`, over the surface a `Camera`. */
  get area() {
    return this.state.view === "surface" ? this.plot : this.map;
  }

  get sight() {
    return this.state.view === "surface" ? this.camera : this.view;
  }

  // ---- what the page says

  /** Take what the page says: another scene, another language or another theme. */
  update({ data: { scene, labels, language }, setTriggerValue: send }) {
    this.send = send;
    const theme = readTheme(this.root), look = JSON.stringify([labels, theme]), text = JSON.stringify(scene);
    const other = text !== this.text;
    if (other || look !== this.seen) {
      const before = this.scene;
      Object.assign(this, { theme, labels, scene: other ? scene : this.scene, text, seen: look });
      this.root.lang = language;
      for (const run of this.scene.runs) run.ink = css(theme.colour(run.colour));
      if (other) this.take(before);
      this.name();
      this.legend.show(this);
      this.chart.show(this);
      this.stale = true;
      this.layout();
    }
  }

  /** Start again. */
  again() {
    this.state.time = 0;
    this.play(!STILL);
  }

  /** Go over to another scene: on the same landscape and from the same start the race stays where it is. */
  take(before) {
    const { scene, state } = this, { landscape, steps } = scene;
    const id = `${landscape.id}`, finished = before && state.time >= before.steps;
    this.start = scene.start;
    this.pending = null;
    if (id !== this.landscape) {
      this.field = new Field(landscape);
      this.view = state.views[id] ??= new View(landscape.domain);
      this.camera = state.cameras[id] ??= new Camera(landscape.domain);
      this.landscape = id;
    }
    const place = JSON.stringify([id, scene.start]);
    if (state.place !== place) this.view.take(scene.start); // typed, it may lie far outside
    const moved = state.place !== undefined && state.place !== place;
    state.place = place;
    state.view = scene.view ?? "contour";
    if (scene.alone) Object.assign(state, { time: scene.time, playing: false });
    else if (moved) Object.assign(state, { time: 0, playing: state.playing || !STILL });
    else state.time = finished ? steps : Math.min(state.time, steps);
    this.root.classList.toggle("kr-alone", Boolean(scene.alone));
    this.root.classList.toggle("kr-fixed", !scene.movable);
    this.root.dataset.runs = scene.runs.map((run) => run.id).join(" ");
    this.root.dataset.view = state.view;
    this.map.hidden = state.view !== "contour";
    this.plot.hidden = state.view !== "surface";
    this.map.style.display = state.view === "contour" ? "" : "none";
    this.point.textContent = "";
    this.scrub.max = steps;
    this.follows = scene.arrows?.length > 1;
    this.play(state.playing ?? !STILL);
  }

  name() {
    const { labels, tool, scene } = this;
    label(tool, labels);
    this.scrub.setAttribute("aria-label", labels.scrub);
    this.speedName.textContent = labels.speed;
    this.map.setAttribute("aria-label", `${labels.map}: ${scene.landscape.title}`);
    this.plot.setAttribute("aria-label", `${labels.surface}: ${scene.landscape.title}`);
    this.chart.title.textContent = labels.chart;
    this.chart.canvas.setAttribute("aria-label", labels.chart); // until the race rests, and its numbers are said
    const surface = this.state.view === "surface";
    const hint = surface ? labels.turn : scene.movable ? `${labels.signs} ${labels.click}` : labels.signs;
    const keys = surface ? labels.turn_keys : labels.keys;
    this.hint.replaceChildren(hint, " ", element("span", { className: "kr-keys" }, keys));
    this.sayTool();
  }

  sayTool() {
    const { labels, state } = this;
    turn(this.tool, state.playing, labels);
    const speed = state.speed >= 3 ? Math.round(state.speed) : Number(state.speed.toFixed(state.speed < 1 ? 2 : 1));
    this.times.textContent = fill(labels.times, { speed });
    this.speed.setAttribute("aria-valuetext", this.times.textContent);
  }

  // ---- the map or the surface under hands

  local(event) {
    const { left, top } = this.area.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  press(event) {
    if (event.button || !event.isPrimary) return;
    this.held = { from: this.local(event), last: this.local(event) };
    this.dragged = false;
  }

  drag(event) {
    const at = this.local(event), { held, view, labels } = this;
    if (this.sight === view && event.pointerType === "mouse") {
      const here = view.round(view.toPlane(...at)), [left, up] = here.map(plain);
      this.point.textContent = fill(labels.point, { x: left, y: up, f: steady(this.field.at(...here)) });
    }
    if (!held) return;
    if (!this.dragged) {
      const [across, down] = at.map((it, n) => it - held.from[n]);
      const scrolls = this.sight === this.camera && event.pointerType === "touch"; // a finger that goes up or down
      if (Math.hypot(across, scrolls ? 0 : down) <= 5) return;
      this.dragged = true;
      this.area.setPointerCapture(event.pointerId); // not before: what is only pressed is Plotly's, too
      this.area.classList.add("kr-dragging");
    }
    const { last } = held;
    held.last = at;
    this.look((sight) => sight.drag(last, at));
  }

  click(event) {
    if (this.dragged) return;
    if (this.sight === this.view) this.choose(...this.view.toPlane(...this.local(event)));
    else this.surface.pick();
  }

  /** Two fingers: what lies in the middle between them stays there while they move and part. */
  pinch(event) {
    const [a, b] = Array.from(event.targetTouches, (touch) => this.local(touch));
    const before = this.fingers;
    this.fingers = b && { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], apart: Math.hypot(b[0] - a[0], b[1] - a[1]) };
    if (!b) return;
    if (event.cancelable) event.preventDefault(); // the page neither scrolls nor grows
    this.letGo();
    if (!before) return;
    const { middle, apart } = this.fingers;
    this.look((sight) => {
      sight.drag(before.middle, middle);
      sight.magnify(apart / Math.max(before.apart, 1), ...middle);
    });
  }

  letGo() {
    this.held = null;
    this.area.classList.remove("kr-dragging");
  }

  /** Ask the page for another start. */
  choose(x, y) {
    if (!this.scene.movable) return;
    this.pending = this.view.round([x, y]);
    this.send("start", this.pending);
    this.schedule();
  }

  look(change) {
    this.travel = null;
    change(this.sight);
    if (this.sight === this.view) this.stale = true; // the surface is turned as it is
    this.schedule();
  }

  steer(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const { tool, camera } = this;
    const turns = { ArrowLeft: [-TURN, 0], ArrowRight: [TURN, 0], ArrowUp: [0, TURN], ArrowDown: [0, -TURN] };
    const keys = {
      ArrowLeft: tool.back, ArrowRight: tool.forward, Home: tool.first, " ": tool.play,
      "+": tool.closer, "=": tool.closer, "-": tool.farther, 0: tool.fit,
    };
    if (event.key === "End") this.lead(this.scene.steps);
    else if (this.sight === camera && event.key in turns) this.look(() => camera.turn(...turns[event.key]));
    else if (event.key in keys) keys[event.key].click();
    else return;
    event.preventDefault();
  }

  // ---- the clock

  lead(time) {
    this.play(false);
    this.state.time = clamp(Math.round(time), 0, this.scene.steps);
    this.schedule();
  }

  /** Return what brings the race back to where it is now, and lets it run if it does. */
  mark() {
    const { time, playing } = this.state;
    return () => {
      this.state.time = time;
      this.play(playing);
    };
  }

  stepBy(by) {
    const { time } = this.state;
    this.lead(by < 0 ? Math.ceil(time) - 1 : Math.floor(time) + 1);
  }

  /** Start or stop the clock; at the end, start again. */
  play(playing) {
    const { state, scene } = this;
    if (scene.alone) playing = false;
    if (playing && state.time >= scene.steps) {
      if (this.painted) state.time = 0;
      else playing = false; // come back to a finished race: it stays finished
    }
    state.playing = playing;
    this.root.dataset.playing = playing;
    this.past = performance.now();
    this.sayTool();
    this.schedule();
  }

  schedule() {
    this.frame ??= requestAnimationFrame((now) => {
      this.frame = null;
      this.tick(now);
    });
  }

  /** Turn the look to the step of a scene that shows a single one; all at once for those who ask for less motion. */
  follow() {
    const [plain, { from, to }] = this.scene.arrows, other = Math.hypot(plain.to[0] - from[0], plain.to[1] - from[1]);
    const { x, y, zoom } = this.view;
    const soon = STILL || !this.painted ? 0 : TRAVEL;
    this.travel = { from: { x, y, zoom }, to: this.view.around(from, to, other), begin: performance.now(), lasts: soon };
    this.schedule();
  }

  /** Go on with the look's travel. */
  turn(now) {
    const { from, to, begin, lasts } = this.travel;
    const share = lasts ? clamp((now - begin) / lasts, 0, 1) : 1, eased = share * share * (3 - 2 * share);
    for (const name of ["x", "y"]) this.view[name] = from[name] + (to[name] - from[name]) * eased;
    this.view.zoom = from.zoom * (to.zoom / from.zoom) ** eased;
    this.stale = true;
    if (share >= 1) this.travel = null;
    else this.schedule();
  }

  tick(now) {
    const { state, scene } = this;
    if (this.travel) this.turn(now);
    if (state.playing) {
      const seconds = clamp((now - this.past) / 1000, 0, 0.1);
      this.past = now;
      state.time = Math.min(state.time + (seconds * state.speed * Math.max(scene.steps, 4)) / RACE_SECONDS, scene.steps);
      if (state.time >= scene.steps) this.play(false);
    }
    this.draw();
    if (state.playing) this.schedule();
  }

  // ---- drawing

  layout() {
    const width = this.root.clientWidth;
    if (!width || !this.scene) return;
    const narrow = width < 780, { alone } = this.scene;
    this.root.classList.toggle("kr-narrow", narrow);
    const room = narrow || alone ? width : width - 21 * 16 - 22;
    const height = clamp(Math.round(room * (narrow ? 0.78 : 0.5)), 250, alone ? 400 : 480);
    this.root.style.setProperty("--height", `${height}px`);
    this.view.size = [this.map.clientWidth || width, height];
    if (this.follows) this.follow();
    this.follows = false;
    this.stale = true;
    this.schedule();
  }

  draw() {
    const { state, scene } = this, { time } = state;
    if (!scene || !this.root.isConnected) return;
    const step = Math.floor(time);
    if (state.view === "contour") {
      const size = [this.map.clientWidth, this.map.clientHeight];
      if (this.stale && size[0]) {
        this.view.size = size;
        drawGround(this.ground, this.field, this.view, this.theme);
        this.map.classList.toggle("kr-zoomed", this.view.zoom > 1.01);
        this.stale = false;
      }
      if (size[0]) drawWays(this.ways, this);
    } else if (this.stale) {
      this.stale = false;
      this.surface.show(this);
    } else {
      this.surface.look();
      this.surface.follow();
    }
    this.legend.follow(this);
    this.chart.draw(this);
    this.painted = true;
    this.where.textContent = fill(this.labels.step, { step, steps: scene.steps });
    this.scrub.value = step;
    Object.assign(this.root.dataset, { step, zoom: this.sight.zoom.toFixed(2), drawn: ++this.drawn });
    clearTimeout(this.saying);
    if (!state.playing) this.saying = setTimeout(() => this.say(step), SPOKEN_AFTER);
  }

  say(step) {
    const values = this.scene.runs.map((run) => `${run.name} f ${steady(run.values[Math.min(step, run.values.length - 1)])}`).join("; ");
    const said = fill(this.labels.said, { step, values });
    this.status.textContent = said;
    this.chart.canvas.setAttribute("aria-label", `${this.labels.chart}. ${said}`);
    if (this.state.view === "surface") this.surface.follow();
  }

  download() {
    const lines = [["runner", "step", "x", "y", "f", "distance"]];
    for (const { id, points, values, distances } of this.scene.runs) {
      points.forEach(([x, y], step) => lines.push([id, step, x, y, values[step], distances[step]]));
    }
    save(lines, "kasane-race.csv");
  }

  close() {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.saying);
    this.sized.disconnect();
    this.leaveScreen();
    this.surface.close();
    this.root.remove();
  }
}
