/** A sheet of digits, each changed at random, and changed anew at every place; at the first they are as they are. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`../served/${name}.js${search}`, import.meta.url));
const [{ element, fill, range, say }, { STILL }] = await Promise.all(["dom", "mount"].map(load));

const FADE = 260; // ms from one look to the next

export class Sheet {
  pace = 1; // looks a second
  moves = true;

  constructor(pane) {
    this.pane = pane;
    this.title = element("h2");
    this.canvas = element("canvas", { role: "img" });
    this.root = element("div", { className: "sheet" }, this.title, this.canvas);
  }

  update(scene) {
    this.scene = scene;
    this.pixels = Uint8Array.from(atob(scene.pixels), (character) => character.charCodeAt(0));
    this.canvas.setAttribute("aria-label", this.pane.labels.sheet);
    this.layout();
  }

  layout() {
    const wide = this.pane.width < 620 ? 6 : 12;
    if (wide === this.columns || !this.scene) return;
    this.columns = wide;
    const { side, tiles } = this.scene, cell = side + 2;
    Object.assign(this.canvas, { width: wide * cell - 2, height: Math.ceil(tiles / wide) * cell - 2 });
    this.drawn = undefined;
  }

  show(place) {
    const { scene, pane: { labels } } = this;
    const values = this.look(place), from = this.drawn ?? values, start = performance.now();
    cancelAnimationFrame(this.frame);
    const draw = (now) => {
      const share = STILL ? 1 : Math.min((now - start) / FADE, 1);
      this.paint(from, values, share);
      this.drawn = share < 1 ? this.mixed : values;
      if (share < 1) this.frame = requestAnimationFrame(draw);
    };
    draw(this.drawn ? start : start + FADE);
    say(this.title, place ? fill(labels.look, { n: place, all: scene.places - 1 }) : labels.original);
    return place ? fill(labels.look_said, { n: place }) : labels.original_said;
  }

  look(place) {
    const { side, tiles } = this.scene, size = side * side * tiles;
    return this.pixels.subarray(place * size, (place + 1) * size);
  }

  /** Draw the picture a share of the way from some pixels to others. */
  paint(from, to, share) {
    const { side, tiles } = this.scene, { width, height } = this.canvas, context = this.canvas.getContext("2d");
    const image = context.createImageData(width, height);
    this.mixed = to.map((value, n) => from[n] + (value - from[n]) * share);
    for (let tile = 0; tile < tiles; tile++) {
      const top = Math.floor(tile / this.columns) * (side + 2), left = (tile % this.columns) * (side + 2);
      for (let n = 0; n < side * side; n++) {
        const at = 4 * ((top + Math.floor(n / side)) * width + left + (n % side));
        image.data.fill(this.mixed[tile * side * side + n], at, at + 3);
        image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  }

  *rows() {
    const { side, tiles, places, labels } = this.scene;
    yield ["look", "digit", ...range(side * side, (n) => `pixel${n}`)];
    for (let place = 0; place < places; place++) {
      for (let n = 0; n < tiles; n++) yield [place, labels[n], ...this.look(place).subarray(n * side * side, (n + 1) * side * side)];
    }
  }

  close() {
    cancelAnimationFrame(this.frame);
  }
}
