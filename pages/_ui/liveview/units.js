/** The units: what each of them makes of the plane, and the weights between them. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Block }, { rove }, { BLUE, ORANGE, shade, squares }, { surface }, { element, range }] =
  await Promise.all(["charts", "look", "shade", "../served/canvas", "../served/dom"].map(load));

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
    const linked = this.linked(frame);
    this.element.classList.toggle("klv-linked", linked);
    this.said = linked ? this.largest(frame) : "";
    this.units.forEach(({ array, row }, i) => shade(this.buttons[i].firstElementChild, frame.row(array, row), 2));
    if (linked) this.drawLines(frame);
  }

  /** Tell whether the frame has the weights between the units. */
  linked(frame) {
    return this.layers.slice(1).every(({ units: below }, k) => {
      const [rows, columns] = frame.arrays[`links${k}`]?.shape ?? []; // of another network, where the page is ahead
      return rows === this.layers[k].units.length && columns === below.length;
    });
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

  /** Return a row for each output of a unit, over the plane, and one for each weight from a unit of the layer before. */
  table(frame) {
    const outputs = this.layers.flatMap(({ units }, k) => units.flatMap(({ array, row }, i) =>
      squares(frame.row(array, row), frame.row(`${array}_limits`, row))
        .map(([x1, x2, output]) => ["output", k, i + 1, null, x1, x2, output])));
    const layers = this.linked(frame) ? this.layers.slice(1) : [];
    const weights = layers.flatMap(({ units: { length: n } }, k) => Array.from(frame.arrays[`links${k}`].values,
      (weight, index) => ["weight", k + 1, (index % n) + 1, Math.floor(index / n) + 1, null, null, weight]));
    return [["kind", "layer", "unit", "from_unit", "x1", "x2", "value"], ...outputs, ...weights];
  }
}
