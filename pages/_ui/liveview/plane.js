/** Pictures of what is learned: the plane, what each hidden unit makes of it, and the filters of a convolution. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Block, surface }, { between, rove }, { element, say }] =
  await Promise.all(["charts", "look", "../served/dom"].map(load));

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
export function shade(canvas, bytes, times) {
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

/** What the network makes of the plane, the training points on it; or, large, what one hidden unit makes of it. */
export class Plane extends Block {
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
    say(this.note, note);
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
    return this.view.t("plane_text", { ...values, test: format.percent(frame.testAccuracy()) });
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
export class Units extends Block {
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
        this.box.append(element("div", { className: "klv-layer", innerHTML: "<small></small><div></div>" }));
      }
      const [title, tiles] = this.box.children[layer].children;
      title.textContent = this.view.t("layer", { n: layer + 1 });
      const tile = element("button", { type: "button", tabIndex: i ? -1 : 0, title: unitName(this.view, i) });
      tile.dataset.unit = i;
      tile.append(element("canvas"));
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

/** The kernels of a first convolution, as they were drawn and as they are now. */
export class Filters extends Block {
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
      const pair = element("div");
      pair.append(element("canvas"), element("canvas"));
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
