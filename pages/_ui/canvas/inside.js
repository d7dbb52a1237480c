/* The inside of a network while the pen moves: each block's feature maps as a strip of small pictures, a dense layer's
   units as cells, the output as bars; and one of them enlarged, with the part of the picture that it has seen.

   Colours: black is 0; blue, then cream, what is above; orange what is below. One scale for a block. */

const { element, fill } = await import(new URL(`elements.js${new URL(import.meta.url).search}`, import.meta.url));

const TILE = 22, LARGEST = 5; // a map is enlarged to about so many pixels a side, a unit of it to so many at the most
const CELL = 8; // pixels of a unit that is no picture
const GAP = 1; // pixels between neighbours
const BARS = { width: 22, height: 30 };
const ENLARGED = 132; // pixels a side of the map that was chosen

/** The section: a strip for every block, and the one map that is looked at. `chosen` is called when that changes. */
export class Inside {
  constructor(chosen) {
    this.chosen = chosen;
    this.strips = [];
    this.at = { block: "", index: 0 };
    this.list = element("div", { className: "strips" });
    this.title = element("p", { className: "title" });
    this.map = element("canvas", { role: "img" });
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
    this.strips.forEach((strip, i) => strip.show(blocks[i], arrays[`block${i}`], this.labels));
    this.look();
  }

  build(blocks) {
    this.strips = blocks.map((block, i) => {
      const Kind = i === blocks.length - 1 ? Bars : Strip;
      return new Kind(block, (index) => this.choose(block.name, index));
    });
    this.list.replaceChildren(...this.strips.map((strip) => strip.root));
    const kept = blocks.find((block) => block.name === this.at.block && this.at.index < block.count);
    if (!kept) this.at = { block: blocks[0].name, index: 0 };
    this.lay();
  }

  /** Arrange the maps in the room that there is. */
  lay() {
    for (const strip of this.strips) strip.lay();
  }

  choose(block, index) {
    this.at = { block, index };
    this.look();
    this.chosen();
  }

  get strip() {
    return this.strips.find((strip) => strip.block.name === this.at.block);
  }

  /** Enlarge the map that was chosen, mark its strongest unit, and frame what that unit has seen of the picture. */
  look() {
    for (const strip of this.strips) strip.mark(strip === this.strip ? this.at.index : null, this.describe(strip));
    const { strip, labels } = this, { index } = this.at;
    const { height, width, block } = strip, best = strip.strongest(index);
    const said = this.describe(strip);
    this.title.textContent = said.title;
    this.note.textContent = said.note;
    this.map.width = width;
    this.map.height = height;
    const scale = Math.floor(ENLARGED / Math.max(height, width));
    Object.assign(this.map.style, { width: `${scale * width}px`, height: `${scale * height}px` });
    this.map.getContext("2d").putImageData(strip.cut(index), 0, 0);
    this.map.setAttribute("aria-label", said.title);
    const [row, column] = [Math.floor(best / width), best % width];
    place(this.ring, [row / height, column / width, (row + 1) / height, (column + 1) / width]);
    this.ring.hidden = height * width === 1;
    this.picture.getContext("2d").putImageData(this.pixels, 0, 0);
    this.seen = block.field === null ? [0, 0, 28, 28] : field(block, row, column);
    place(this.frame, this.seen.map((edge) => edge / 28));
    this.picture.setAttribute("aria-label", `${labels.field} ${said.note}`);
  }

  /** Return the words about the map that is chosen, or would be chosen, of a strip. */
  describe(strip) {
    const { labels, number } = this, { block, height, width } = strip;
    const index = strip === this.strip ? this.at.index : 0;
    const best = strip.strongest(index), value = number(strip.value(index, best));
    const name = strip instanceof Bars ? this.classes[index] : index + 1;
    const values = { block: block.name, name, count: block.shape[0], value, field: block.field };
    if (height * width === 1) {
      const title = fill(strip instanceof Bars ? labels.output : labels.unit, values);
      return { title, note: fill(block.field === null ? labels.sees_all : labels.sees_part, values) };
    }
    const place = { row: Math.floor(best / width) + 1, column: (best % width) + 1 };
    const note = fill(block.field === null ? labels.sees_all : labels.sees_part, values);
    return { title: fill(labels.map, values), note: `${fill(labels.strongest, { ...values, ...place })} ${note}` };
  }
}

/** Return top, left, bottom and right, in pixels of the picture, of what a unit has seen (engine/analysis/feature_maps). */
function field({ field, jump, start }, row, column) {
  const [y, x] = [start + jump * row, start + jump * column];
  return [y - field / 2, x - field / 2, y + field / 2, x + field / 2];
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
const ABOVE = ramp(BLUE), BELOW = ramp(ORANGE), GREY = 0xff6e6864 | 0;
const BETWEEN = -1, NONE = -2;

/** Return the colour of each of the bytes 0 … 255, which stand for the values from low to high. */
function palette({ low, high }) {
  const most = Math.max(-low, high) || 1;
  return Int32Array.from({ length: 256 }, (_, byte) => {
    const value = low + (byte / 255) * (high - low), shade = Math.round((255 * Math.abs(value)) / most);
    return value < 0 ? BELOW[shade] : ABOVE[shade];
  });
}

/** The maps of one block side by side. */
class Strip {
  constructor(block, choose) {
    this.block = block;
    this.choose = choose;
    [this.height, this.width] = block.shape.length === 3 ? block.shape.slice(1) : [1, 1];
    this.unit = this.height * this.width; // numbers of a map
    this.name = element("span", { className: "name" }, block.name);
    this.words = element("span", { className: "words", title: block.words }, block.words);
    this.canvas = element("canvas", { tabIndex: 0, role: "slider", "aria-valuemin": 1, "aria-valuemax": block.count });
    this.here = element("div", { className: "here" });
    this.stage = element("div", { className: "stage" }, this.canvas, this.here);
    this.root = element("div", { className: "strip" },
      element("p", { className: "what" }, this.name, " ", this.words), this.stage);
    this.canvas.onpointermove = this.canvas.onpointerdown = (event) => this.point(event);
    this.canvas.onkeydown = (event) => this.keyDown(event);
    this.canvas.onfocus = () => this.index === null && this.choose(0);
    this.index = null;
  }

  /** Find the places of the maps: as many in a row as there is room for, every row equally long. */
  lay() {
    const { block, height, width } = this, room = this.root.parentElement.clientWidth - this.labelWidth();
    this.scale = this.unit === 1 ? CELL : Math.min(LARGEST, Math.max(1, Math.round(TILE / Math.max(height, width))));
    this.gap = GAP;
    this.pitch = { x: width * this.scale + GAP, y: height * this.scale + GAP };
    const fit = Math.max(1, Math.floor((room + this.gap) / this.pitch.x));
    this.columns = Math.ceil(block.count / Math.ceil(block.count / fit));
    this.size(this.columns * this.pitch.x - this.gap, Math.ceil(block.count / this.columns) * this.pitch.y - this.gap);
    this.source = this.sources();
    if (this.bytes) this.paint();
    if (this.index !== null) this.ring();
  }

  labelWidth() {
    const beside = getComputedStyle(this.root).display === "grid";
    return beside ? this.stage.offsetLeft - this.root.offsetLeft : 0;
  }

  size(width, height) {
    Object.assign(this.canvas, { width, height });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
  }

  /** Return, for each pixel of the canvas, which number it shows; BETWEEN maps, or NONE where the last row ends. */
  sources() {
    const { canvas, columns, pitch, scale, gap, width, unit, block } = this;
    const from = new Int32Array(canvas.width * canvas.height);
    for (let y = 0; y < canvas.height; y++) {
      const [line, v] = [Math.floor(y / pitch.y), y % pitch.y];
      for (let x = 0; x < canvas.width; x++) {
        const [column, u] = [Math.floor(x / pitch.x), x % pitch.x], map = line * columns + column;
        const inside = v < pitch.y - gap && u < pitch.x - gap;
        const number = map * unit + Math.floor(v / scale) * width + Math.floor(u / scale);
        from[y * canvas.width + x] = map >= block.count ? NONE : inside ? number : BETWEEN;
      }
    }
    return from;
  }

  show(block, bytes, labels) {
    if (!this.colours || block.low !== this.block.low || block.high !== this.block.high) this.colours = palette(block);
    this.block = block;
    this.bytes = bytes;
    this.canvas.setAttribute("aria-label", fill(labels.strip, { block: block.name, words: block.words }));
    this.paint();
  }

  paint() {
    const draw = this.canvas.getContext("2d"), pixels = draw.createImageData(this.canvas.width, this.canvas.height);
    const rgba = new Int32Array(pixels.data.buffer), { source, bytes, colours } = this;
    for (let i = 0; i < rgba.length; i++) {
      const from = source[i];
      if (from !== NONE) rgba[i] = from === BETWEEN ? GREY : colours[bytes[from]];
    }
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

  value(index, place) {
    const { low, high } = this.block;
    return low + (this.bytes[index * this.unit + place] / 255) * (high - low);
  }

  /** Show that the map of this index is chosen, null: none of them. */
  mark(index, { title, note }) {
    this.index = index;
    this.here.hidden = index === null;
    this.canvas.setAttribute("aria-valuenow", (index ?? 0) + 1);
    this.canvas.setAttribute("aria-valuetext", `${title}. ${note}`);
    if (index !== null) this.ring();
  }

  ring() {
    const { pitch, gap, columns, index } = this, line = Math.floor(index / columns);
    const [left, top] = [(index % columns) * pitch.x, line * pitch.y];
    Object.assign(this.here.style, {
      left: `${left}px`, top: `${top}px`, width: `${pitch.x - gap}px`, height: `${pitch.y - gap}px`,
    });
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / this.pitch.x);
    const index = Math.floor((event.clientY - box.top) / this.pitch.y) * this.columns + column;
    if (column < this.columns && index >= 0 && index < this.block.count && index !== this.index) this.choose(index);
  }

  keyDown(event) {
    const last = this.block.count - 1, now = this.index ?? 0;
    const to = { ArrowRight: now + 1, ArrowLeft: now - 1, ArrowDown: now + this.columns, ArrowUp: now - this.columns,
      Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    if (to >= 0 && to <= last && to !== this.index) this.choose(to);
  }
}

/** The output layer: a bar for each class, up or down from zero. */
class Bars extends Strip {
  lay() {
    const { count } = this.block;
    this.gap = 4;
    this.pitch = { x: BARS.width + this.gap, y: BARS.height + this.gap };
    this.columns = count;
    const sharp = devicePixelRatio;
    this.size(count * this.pitch.x - this.gap, BARS.height);
    this.canvas.width *= sharp;
    this.canvas.height *= sharp;
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
