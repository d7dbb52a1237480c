/* The stage of the gradients page: one of three scenes, and the tools to move through it.

   plot.js     plots, and the numbers in them
   player.js   play, pause, step, scrub
   slope.js    a chord whose ends close in, and what lies under the lens
   field.js    arrows against the gradient, and the path of a descent
   circuit.js  a computational graph: numbers forwards, gradients back

   What a hand changes (a number, a start, x, h) is told the page as the trigger "chosen"; the page answers with a scene.
   For tests the root carries data-kind, data-position, data-playing and, changed last, data-drawn (a count). */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url)); // the same version as this file
const [{ Player }, { Slope }, { Field }, { Circuit }, { dress, element, say }, { mounted, save }, { SHEET }] = await Promise.all(
  ["player", "slope", "field", "circuit", "../served/dom", "../served/mount", "../served/tools"].map(load));

const SCENES = { slope: Slope, field: Field, circuit: Circuit };
const SPOKEN_AFTER = 600; // ms of rest after which the place is announced

export default mounted(({ parentElement }) => new Stage(parentElement));

class Stage {
  constructor(parent) {
    this.root = element("div", { class: "kasane-graph", hidden: true, "data-drawn": 0 });
    this.player = new Player(this.root, {
      show: (position) => this.show(position),
      settled: () => this.scene.settled?.(this.player.position),
      csv: () => this.download(),
    });
    this.room = element("div", { class: "scene" });
    this.status = element("p", { class: "unseen-text", role: "status" });
    this.root.append(this.player.tools, this.room, this.status);
    dress(parent, this.root, SHEET, new URL(`graph.css${search}`, import.meta.url)).then(() => {
      this.styled = true;
      this.layout();
      this.begin();
    });
    this.sized = new ResizeObserver(() => this.layout());
    this.sized.observe(this.root);
    this.drawn = 0;
  }

  /** Take what the page says: another scene or another language. */
  update(component) {
    const { scene, labels, language, heard } = component.data;
    this.tell = (values) => component.setTriggerValue("chosen", values);
    const text = JSON.stringify([scene, labels, heard]);
    if (text !== this.text) {
      this.text = text;
      this.root.lang = language;
      this.root.dataset.kind = scene.kind;
      if (!(this.scene instanceof SCENES[scene.kind])) {
        this.scene = new SCENES[scene.kind]((values) => this.tell(values), (position) => this.player.go(position));
        this.room.replaceChildren(this.scene.root);
        this.story = null;
      }
      this.labels = labels;
      this.scene.take(scene, labels, heard);
      this.player.measure(this.scene.measure());
      this.player.name(labels);
      this.layout();
    }
    const story = this.scene.story();
    if (story !== this.story) this.fresh = true;
    this.story = story;
    this.begin();
  }

  /** Tell the story again. */
  again() {
    this.fresh = true;
    this.begin();
  }

  /** Tell a new story from its beginning, as soon as it can be seen. */
  begin() {
    if (!this.styled || !this.scene) return;
    if (this.fresh) this.player.start();
    this.fresh = false;
  }

  show(position) {
    if (!this.ready) return;
    this.scene.show(position);
    say(this.player.where, this.scene.where(position));
    clearTimeout(this.saying);
    this.saying = setTimeout(() => say(this.status, this.scene.said(position)), SPOKEN_AFTER);
    this.root.dataset.drawn = ++this.drawn;
  }

  layout() {
    const width = this.root.clientWidth;
    this.ready = width > 0 && this.styled && Boolean(this.scene);
    if (!this.ready) return;
    this.root.classList.toggle("narrow", width < 640);
    this.scene.layout(width);
    this.show(this.player.position);
  }

  download() {
    save(this.scene.table(), `kasane-${this.root.dataset.kind}.csv`);
  }

  close() {
    this.player.pause();
    clearTimeout(this.saying);
    this.scene?.close?.();
    this.sized.disconnect();
    this.root.remove();
  }
}
