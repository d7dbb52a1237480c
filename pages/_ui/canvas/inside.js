/* The inside of a network while the pen moves: each block's feature maps as a strip of small pictures, a dense layer's
   units as cells, the output as bars; and one of them enlarged, with the part of the picture that it has seen.

   Colours: black is 0; blue, then cream, what is above; orange what is below. One scale for a block. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ put }, { change, clamp, element, fill }] = await Promise.all(["elements", "../served/dom"].map(load));

const TILE = 22, LARGEST = 5; // a map is enlarged to about so many pixels a side, a unit of it to so many at the most
const CELL = 9; // pixels of a unit that is no picture
const BARS = { width: 22, height: 30, gap: 4 };
const ENLARGED = 132; // pixels a side of the map that was chosen
const PICTURE = 28; // pixels a side of what the network is given
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** The section: a strip for every block, and the one map that is looked at: at its strongest unit, unless a hand points
    at another one. `chosen` is called when that changes. */
export class Inside {
  constructor(chosen) {
    this.chosen = chosen;
    this.strips = [];
    this.at = { block: "", index: 0, unit: null }; // null: the strongest
    this.list = element("div", { className: "strips" });
    this.title = element("p", { className: "title" });
    this.map = element("canvas", {});
    this.ring = element("div", { className: "ring" });
    this.picture = element("canvas", { width: 28, height: 28, role: "img" });
    this.frame = element("div", { className: "frame" });
    this.note = element("p", { className: "note" });
    this.root = element("div", { className: "inside" }, this.list,
      element("div", { className: "one" }, this.title,
        element("div", { className: "pair" },
          element("div", { className: "enlarged" }, element("div", { className: "fitted" }, this.map, this.ring)),
          element("div", { className: "seen" }, this.picture, this.frame)),
        this.note));
    this.resized = new ResizeObserver(() => this.lay());
    this.resized.observe(this.list);
    this.map.onpointermove = this.map.onpointerdown = (event) => this.point(event);
    this.map.onpointerleave = (event) => event.pointerType === "touch" || this.visit(null); // a finger is always lifted
    this.map.onblur = () => this.visit(null);
    this.map.onkeydown = (event) => this.keyDown(event);
  }

  close() {
    this.resized.disconnect();
  }

  /** Say everything in another language. */
  label(labels, language) {
    this.labels = labels;
    const numbers = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
    this.number = (value) => numbers.format(value).replace("-", "−");
    this.picture.setAttribute("aria-label", labels.field);
    if (this.blocks) this.show({ blocks: this.blocks }, this.arrays, this.pixels, this.classes);
  }

  /** Show the blocks of a reply; `pixels`: the picture that the network was given, as ImageData. */
  show({ blocks }, arrays, pixels, classes) {
    Object.assign(this, { blocks, arrays, pixels, classes });
    const same = (strip, i) => blocks[i].name === strip.block.name && `${blocks[i].shape}` === `${strip.block.shape}`;
    if (this.strips.length !== blocks.length || !this.strips.every(same)) this.build(blocks);
    this.strips.forEach((strip, i) => strip.show(blocks[i], arrays[`block${i}`].values, this.labels));
    this.look();
  }

  build(blocks) {
    this.strips = blocks.map((block, i) => {
      const Kind = i === blocks.length - 1 ? Bars : Strip;
      return new Kind(block, (index) => this.choose(block.name, index), () => this.map.tabIndex === 0 && this.map.focus());
    });
    this.list.replaceChildren(...this.strips.map((strip) => strip.root));
    const kept = blocks.find((block) => block.name === this.at.block && this.at.index < block.count);
    this.at = kept ? { ...this.at, unit: null } : { block: blocks[0].name, index: 0, unit: null };
    this.lay();
  }

  /** Arrange the maps in the room that there is. */
  lay() {
    for (const strip of this.strips) strip.lay();
  }

  choose(block, index) {
    this.at = { block, index, unit: null };
    this.look();
    this.chosen();
  }

  get strip() {
    return this.strips.find((strip) => strip.block.name === this.at.block);
  }

  /** Look at one unit of the map, null: at the strongest. */
  visit(unit) {
    if (unit === this.at.unit) return;
    this.at.unit = unit;
    this.look();
    this.chosen();
  }

  point(event) {
    const { height, width } = this.strip, box = this.map.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) * height) / box.height);
    const column = Math.floor(((event.clientX - box.left) * width) / box.width);
    if (row >= 0 && row < height && column >= 0 && column < width) this.visit(row * width + column);
  }

  keyDown(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const { strip, at } = this, { height, width } = strip;
    if (event.key !== "Escape" && !(event.key in ARROWS)) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") return strip.canvas.focus(); // what is left is at its strongest again
    const from = at.unit ?? strip.strongest(at.index), [down, right] = ARROWS[event.key];
    const [row, column] = [Math.floor(from / width) + down, (from % width) + right];
    if (row >= 0 && row < height && column >= 0 && column < width) this.visit(row * width + column);
  }

  /** Enlarge the map that was chosen, mark a unit of it, and frame what that unit has seen of the picture. */
  look() {
    const { strip, labels } = this, { index } = this.at;
    const { height, width, block } = strip, unit = this.at.unit ?? strip.strongest(index);
    const [row, column] = [Math.floor(unit / width), unit % width];
    this.seen = field(block, row, column);
    const said = this.describe(strip, index, unit);
    for (const each of this.strips) each === strip ? each.mark(index, said) : each.mark(null);
    put(this.title, "textContent", said.title);
    put(this.note, "textContent", said.note);
    Object.assign(this.map, { width, height });
    const scale = Math.floor(ENLARGED / Math.max(height, width));
    Object.assign(this.map.style, { width: `${scale * width}px`, height: `${scale * height}px` });
    this.map.getContext("2d").putImageData(strip.cut(index), 0, 0);
    const many = (value) => (height * width > 1 ? value : null); // with one unit there is nothing to choose
    change(this.map, {
      role: many("slider") ?? "img", tabindex: many(0), title: many(labels.point), "aria-label": said.title,
      "aria-valuemin": many(1), "aria-valuemax": many(height * width), "aria-valuenow": many(unit + 1),
      "aria-valuetext": many(said.note),
    });
    place(this.ring, [row / height, column / width, (row + 1) / height, (column + 1) / width]);
    this.ring.hidden = height * width === 1;
    this.picture.getContext("2d").putImageData(this.pixels, 0, 0);
    place(this.frame, this.seen.map((edge) => edge / PICTURE));
    put(this.picture, "aria-label", `${labels.field} ${said.note}`);
  }

  /** Return the words about a map of a strip, of which the unit at the place `unit` is looked at. */
  describe(strip, index, unit) {
    const { labels, number } = this, { block, height, width } = strip, value = number(strip.value(index, unit));
    const name = strip instanceof Bars ? this.classes[index] : index + 1;
    const [top, left, bottom, right] = this.seen;
    const values = { block: block.name, name, count: block.shape[0], value, rows: bottom - top, columns: right - left };
    const all = values.rows === PICTURE && values.columns === PICTURE;
    const note = fill(all ? labels.sees_all : labels.sees_part, values);
    if (height * width === 1) return { title: fill(strip instanceof Bars ? labels.output : labels.unit, values), note };
    const place = { row: Math.floor(unit / width) + 1, column: (unit % width) + 1 };
    const words = this.at.unit === null ? labels.strongest : labels.cell;
    return { title: fill(labels.map, values), note: fill(words, { ...values, ...place, note }) };
  }
}

/** Return top, left, bottom and right, in pixels of the picture, of what a unit has seen of it; what it has seen of the
    padding around it is left out (engine/analysis/feature_maps). */
function field({ field, jump, start }, row, column) {
  if (field === null) return [0, 0, PICTURE, PICTURE];
  const [y, x] = [start + jump * row, start + jump * column];
  return [y - field / 2, x - field / 2, y + field / 2, x + field / 2].map((edge) => clamp(edge, 0, PICTURE));
}

/** Put an element over a part of its parent: top, left, bottom, right as shares of it. */
export function place(over, [top, left, bottom, right]) {
  const share = (value) => `${100 * value}%`;
  Object.assign(over.style, { top: share(top), left: share(left), width: share(right - left), height: share(bottom - top) });
}

const BLACK = [10, 10, 14], BLUE = [33, 126, 214], ORANGE = [224, 122, 20], CREAM = [255, 240, 190];
const mix = (a, b, t) => a.map((value, i) => Math.round(value + t * (b[i] - value)));
const ramp = (colour) => Array.from({ length: 256 }, (_, i) => {
  const [r, g, b] = i < 128 ? mix(BLACK, colour, i / 128) : mix(colour, CREAM, (i - 128) / 127);
  return 0xff000000 | (b << 16) | (g << 8) | r;
});
const ABOVE = Int32Array.from(ramp(BLUE)), BELOW = ramp(ORANGE);

/** Return the colour of each of the bytes 0 … 255, which stand for the values from low to high. */
function palette({ low, high }) {
  if (low === 0) return ABOVE;
  const most = Math.max(-low, high) || 1;
  return Int32Array.from({ length: 256 }, (_, byte) => {
    const value = low + (byte / 255) * (high - low), shade = Math.round((255 * Math.abs(value)) / most);
    return value < 0 ? BELOW[shade] : ABOVE[shade];
  });
}

/** The maps of one block side by side. */
class Strip {
  constructor(block, choose, enter) {
    Object.assign(this, { block, choose, enter });
    this.latest = 0; // the map that was chosen last: whoever comes back finds it
    [this.height, this.width] = block.shape.length === 3 ? block.shape.slice(1) : [1, 1];
    this.unit = this.height * this.width; // numbers of a map
    this.name = element("span", { className: "name" }, block.name);
    this.words = element("span", { className: "words", title: block.words }, block.words);
    this.canvas = element("canvas", { tabIndex: 0, role: "slider", "aria-valuemin": 1, "aria-valuemax": block.count });
    this.lines = element("div", { className: "lines" }); // between the maps, drawn once
    this.here = element("div", { className: "here" });
    this.stage = element("div", { className: "stage" }, this.canvas, this.lines, this.here);
    this.root = element("div", { className: "strip" },
      element("p", { className: "what" }, this.name, " ", this.words), this.stage);
    this.canvas.onpointermove = this.canvas.onpointerdown = (event) => this.point(event);
    this.canvas.onkeydown = (event) => this.keyDown(event);
    this.canvas.onfocus = () => this.index === null && this.choose(this.latest);
    this.index = null;
  }

  /** Find the places of the maps: as many in a row as there is room for, every row equally long. */
  lay() {
    const { block, height, width } = this, room = this.root.parentElement.clientWidth - this.labelWidth();
    this.scale = this.unit === 1 ? CELL : Math.min(LARGEST, Math.max(1, Math.round(TILE / Math.max(height, width))));
    this.tile = { x: width * this.scale, y: height * this.scale };
    this.pitch = this.tile;
    const fit = Math.max(1, Math.floor(room / this.pitch.x));
    this.columns = Math.ceil(block.count / Math.ceil(block.count / fit));
    const lines = Math.ceil(block.count / this.columns);
    this.canvas.width = this.columns * width; // one pixel a unit; the style enlarges it
    this.canvas.height = lines * height;
    this.size(this.columns * this.pitch.x, lines * this.pitch.y);
    this.lines.style.backgroundSize = `${this.pitch.x}px ${this.pitch.y}px`;
    this.places = this.findPlaces();
    if (this.bytes) this.paint();
    if (this.index !== null) this.ring();
  }

  labelWidth() {
    const beside = getComputedStyle(this.root).display === "grid";
    return beside ? this.stage.offsetLeft - this.root.offsetLeft : 0;
  }

  size(width, height) {
    for (const { style } of [this.canvas, this.lines]) Object.assign(style, { width: `${width}px`, height: `${height}px` });
  }

  /** Return, for each number of the maps, which pixel of the canvas shows it. */
  findPlaces() {
    const { canvas, columns, height, width, unit, block } = this;
    return Int32Array.from({ length: block.count * unit }, (_, i) => {
      const map = Math.floor(i / unit), place = i % unit;
      const row = Math.floor(map / columns) * height + Math.floor(place / width);
      return row * canvas.width + (map % columns) * width + (place % width);
    });
  }

  show(block, bytes, labels) {
    if (!this.colours || block.low !== this.block.low || block.high !== this.block.high) this.colours = palette(block);
    this.block = block;
    this.bytes = bytes;
    put(this.canvas, "aria-label", fill(labels.strip, { block: block.name, words: block.words }));
    this.paint();
  }

  paint() {
    const draw = this.canvas.getContext("2d"), pixels = draw.createImageData(this.canvas.width, this.canvas.height);
    const rgba = new Int32Array(pixels.data.buffer), { places, bytes, colours } = this;
    for (let i = 0; i < bytes.length; i++) rgba[places[i]] = colours[bytes[i]];
    draw.putImageData(pixels, 0, 0);
  }

  /** Return one map as ImageData. */
  cut(index) {
    const pixels = new ImageData(this.width, this.height), rgba = new Int32Array(pixels.data.buffer);
    for (let i = 0; i < this.unit; i++) rgba[i] = this.colours[this.bytes[index * this.unit + i]];
    return pixels;
  }

  strongest(index) {
    let best = 0;
    for (let i = 1, from = index * this.unit; i < this.unit; i++) if (this.bytes[from + i] > this.bytes[from + best]) best = i;
    return best;
  }

  /** Return a number of a map, to as many digits as its byte can tell apart. */
  value(index, place) {
    const { low, high } = this.block, step = (high - low) / 255;
    const value = low + this.bytes[index * this.unit + place] * step;
    return step > 0 ? Number(value.toFixed(Math.min(20, Math.max(0, Math.ceil(-Math.log10(step)))))) : value;
  }

  /** Show that the map of this index is chosen, null: none of them. */
  mark(index, { title, note } = {}) {
    this.index = index;
    this.here.hidden = index === null;
    put(this.canvas, "aria-valuenow", `${(index ?? this.latest) + 1}`);
    if (index === null) return; // it is described when it gets the focus, and with that is chosen
    this.latest = index;
    put(this.canvas, "aria-valuetext", `${title}. ${note}`);
    this.ring();
  }

  ring() {
    const { pitch, tile, columns, index } = this, line = Math.floor(index / columns);
    const [left, top] = [(index % columns) * pitch.x, line * pitch.y];
    Object.assign(this.here.style, {
      left: `${left}px`, top: `${top}px`, width: `${tile.x}px`, height: `${tile.y}px`,
    });
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / this.pitch.x);
    const index = Math.floor((event.clientY - box.top) / this.pitch.y) * this.columns + column;
    if (column < this.columns && index >= 0 && index < this.block.count && index !== this.index) this.choose(index);
  }

  keyDown(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const last = this.block.count - 1, now = this.index ?? 0;
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, ArrowDown: now + this.columns, ArrowUp: now - this.columns,
      Home: 0, End: last }[event.key];
    if (to === undefined && event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
    if (to === undefined) return this.enter();
    if (to >= 0 && to <= last && to !== this.index) this.choose(to);
  }
}

/** The output layer: a bar for each class, up or down from zero. */
class Bars extends Strip {
  lay() {
    const { count } = this.block, { width, height, gap } = BARS;
    this.tile = { x: width, y: height };
    this.pitch = { x: width + gap, y: height };
    this.columns = count;
    this.lines.hidden = true;
    this.size(count * this.pitch.x - gap, height);
    this.canvas.width = Math.round((count * this.pitch.x - gap) * devicePixelRatio);
    this.canvas.height = Math.round(height * devicePixelRatio);
    if (this.bytes) this.paint();
    if (this.index !== null) this.ring();
  }

  paint() {
    const draw = this.canvas.getContext("2d"), { low, high, count } = this.block, { color } = getComputedStyle(this.canvas);
    const y = (value) => (high > low ? (BARS.height * (high - value)) / (high - low) : BARS.height);
    draw.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    draw.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (let k = 0; k < count; k++) {
      const value = this.value(k, 0), left = k * this.pitch.x, top = Math.min(y(value), y(0));
      draw.fillStyle = value < 0 ? `rgb(${ORANGE})` : `rgb(${BLUE})`;
      draw.fillRect(left, top, BARS.width, Math.max(1, Math.abs(y(value) - y(0))));
    }
    draw.fillStyle = color;
    draw.fillRect(0, Math.min(BARS.height - 1, y(0)), this.canvas.width, 1);
  }
}
