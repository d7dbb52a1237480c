/** Pictures of what is learned: the plane, what each hidden unit makes of it, and the filters of a convolution. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Block, surface }, { between, rove }, { element, range, say }] =
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

/** What the network makes of the plane, the points of a set on it; or, large, what one hidden unit makes of it. */
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
    const { unit } = this.view;
    return [frame.header.step, unit?.array, unit?.row].join();
  }

  draw(frame) {
    const { unit } = this.view;
    const pointed = unit && unit.row < frame.rows(unit.array);
    if (pointed) shade(this.base, frame.row(unit.array, unit.row), 12);
    else shade(this.base, frame.arrays.plane.values, 4);
    const [first, second] = this.view.classes(frame);
    say(this.note, pointed ? unit.name : this.view.t("plane_key", { first, second }));
    const points = [frame.token, this.view.look, this.width, frame.rows("points")].join();
    if (points !== this.points) this.drawPoints(frame);
    this.points = points;
  }

  drawPoints(frame) {
    const context = surface(this.dots, this.width, this.width);
    context.lineWidth = 1;
    context.strokeStyle = "#ffffff";
    for (let i = 0; i < frame.rows("points"); i++) {
      const [x1, x2, label, test] = frame.row("points", i);
      if (Boolean(test) !== (this.view.options.points === "points_test")) continue;
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

/**
 * Return the network's layers, the inputs first and the outputs last: a title each and its units, of which each has a
 * name, and its picture in a row of one of the frame's arrays.
 */
function layers(view, frame) {
  const signs = frame.header.inputs.map(sign);
  const inputs = signs.map((name, row) => ({ name: view.t("input", { name }), array: "inputs", row }));
  const outputs = view.classes(frame).map((name, row) => ({ name: view.t("output_unit", { name }), array: "outputs", row }));
  const all = range(frame.rows("responses"), (row) => ({ array: "responses", row }));
  const { shown, units: sizes } = frame.header;
  const hidden = sizes.map((size, k) => {
    const layer = view.t("layer", { n: k + 1 });
    const units = all.splice(0, shown[k]).map((unit, i) => ({ ...unit, name: view.t("unit", { layer, n: i + 1 }) }));
    return { title: shown[k] < size ? view.t("layer_part", { layer, shown: shown[k], units: size }) : layer, units };
  });
  return [
    { title: view.t("inputs", { names: signs.join(", ") }), units: inputs },
    ...hidden,
    { title: view.t("outputs"), units: outputs },
  ];
}

/** Return an input as it is written in formulas: x1^2 is x₁². */
const sign = (name) =>
  name.replace("sin", "sin ").replace("^2", "²").replace(/\d/g, (digit) => String.fromCharCode(0x2080 + Number(digit)));

/**
 * Every unit's own output over the plane, layer by layer, and the weights between them as lines: blue for positive and
 * orange for negative ones, the thicker the larger. Those of the unit that is pointed at stand out.
 */
export class Units extends Block {
  constructor(view) {
    super(view, "units");
    this.box = this.element.querySelector(".klv-units");
    this.lines = this.element.querySelector("canvas");
    const point = (event) => this.point(event.target.closest("button"));
    for (const kind of ["pointerover", "focusin"]) this.box.addEventListener(kind, point);
    for (const kind of ["pointerleave", "focusout"]) this.box.addEventListener(kind, () => this.point());
    rove(this.box, "button");
  }

  point(button) {
    this.view.unit = this.units?.[this.buttons.indexOf(button)];
    this.view.refresh([this.view.plane, this]);
  }

  applies(frame) {
    return frame.rows("inputs") > 0;
  }

  stamp(frame) {
    return [frame.header.step, this.units?.indexOf(this.view.unit)].join();
  }

  build(frame) {
    this.layers = layers(this.view, frame);
    this.units = this.layers.flatMap(({ units }) => units);
    this.view.unit = undefined;
    this.buttons = this.units.map(({ name }, i) =>
      element("button", { type: "button", tabIndex: i ? -1 : 0, title: name }, element("canvas")));
    const rest = [...this.buttons];
    this.box.replaceChildren(...this.layers.map(({ title, units }) => element("div", { className: "klv-layer" },
      element("small", { textContent: title }), element("div", {}, ...rest.splice(0, units.length)))));
  }

  draw(frame) {
    const { units, inputs } = frame.header;
    const content = JSON.stringify([frame.token, this.view.words, units, inputs]);
    if (content !== this.content) this.build(frame);
    this.content = content;
    const linked = this.layers.slice(1).every(({ units: below }, k) => {
      const [rows, columns] = frame.arrays[`links${k}`]?.shape ?? []; // of another network, where the page is ahead
      return rows === this.layers[k].units.length && columns === below.length;
    });
    this.element.classList.toggle("klv-linked", linked);
    this.said = linked ? this.largest(frame) : "";
    this.units.forEach(({ array, row }, i) => shade(this.buttons[i].firstElementChild, frame.row(array, row), 2));
    if (linked) this.drawLines(frame);
  }

  drawLines(frame) {
    const { box, lines } = this;
    const context = surface(lines, box.offsetWidth, box.offsetHeight);
    const places = this.buttons.map((it) => [it.offsetLeft + it.offsetWidth / 2, it.offsetTop, it.offsetHeight]);
    let first = 0; // of the layer above
    this.layers.slice(0, -1).forEach(({ units }, k) => {
      const weights = frame.arrays[`links${k}`].values;
      const next = first + units.length;
      const [n, largest] = [weights.length / units.length, weights.reduce((most, w) => Math.max(most, Math.abs(w)), 0)];
      weights.forEach((weight, index) => {
        const [from, to] = [first + Math.floor(index / n), next + (index % n)];
        const share = Math.abs(weight) / largest;
        if (!(share > 0)) return; // all are zero, or one is no number
        const aside = this.view.unit && ![from, to].some((i) => this.units[i] === this.view.unit);
        this.line(context, places[from], places[to], { share, positive: weight > 0, aside });
      });
      first = next;
    });
  }

  line(context, [x1, top, height], [x2, y2], { share, positive, aside }) {
    const y1 = top + height;
    const middle = (y1 + y2) / 2;
    context.beginPath();
    context.moveTo(x1, y1);
    context.bezierCurveTo(x1, middle, x2, middle, x2, y2);
    context.lineWidth = 0.75 + 3.75 * share;
    context.strokeStyle = positive ? BLUE : ORANGE;
    context.globalAlpha = (0.25 + 0.75 * share) * (aside ? 0.15 : 1);
    context.stroke();
  }

  speak(frame) {
    const said = [this.view.t("units_text", { n: frame.rows("responses") }), this.said];
    this.box.setAttribute("aria-label", said.filter(Boolean).join(" "));
  }

  /** Say which of the inputs' lines is the thickest. */
  largest(frame) {
    const [inputs, units] = this.layers.map((layer) => layer.units);
    const weights = frame.arrays.links0.values;
    const index = weights.reduce((best, weight, i) => (Math.abs(weight) > Math.abs(weights[best]) ? i : best), 0);
    if (!Number.isFinite(weights[index])) return "";
    const [source, target] = [inputs[Math.floor(index / units.length)], units[index % units.length]];
    const values = { source: source.name, target: target.name, weight: this.view.format.short(weights[index]) };
    return this.view.t("lines_text", values);
  }

  table(frame) {
    const rows = this.layers.flatMap(({ units }, k) => units.map(({ array, row }, i) =>
      squares(frame.row(array, row)).map((square) => [k, i + 1, ...square])));
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
