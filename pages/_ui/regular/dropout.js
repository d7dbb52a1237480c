/** A network whose hidden units are missing at random, another set of them in every step of training. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`../served/${name}.js${search}`, import.meta.url));
const [{ change, element, fill, range, say, svg }, { decimals }] = await Promise.all(["dom", "numbers"].map(load));

const WIDE = 720, NARROW = 400, HIGH = 460, SMALL = 96; // units of the drawings
const HEAD = 34; // of them above the units

/** Return the places of the units: a column for each layer. */
function places(layers, width, height, edge) {
  return layers.map((size, k) => range(size, (n) => [
    edge + ((width - 2 * edge) * k) / (layers.length - 1),
    height / 2 + (n - (size - 1) / 2) * spacing(layers, height, edge),
  ]));
}

const spacing = (layers, height, edge) => Math.min((height - edge) / Math.max(...layers), height / 6);

/** Return the path of all connections between units that are there. */
function connections(at, there) {
  const lines = [];
  for (let k = 1; k < at.length; k++) {
    at[k - 1].forEach(([x, y], i) => there[k - 1][i] && at[k].forEach(([u, v], j) => {
      if (there[k][j]) lines.push(`M${x.toFixed(1)} ${y.toFixed(1)}L${u.toFixed(1)} ${v.toFixed(1)}`);
    }));
  }
  return lines.join("");
}

export class Dropout {
  pace = 1.2; // masks a second
  moves = true; // by itself

  constructor(pane) {
    this.pane = pane;
    this.lines = svg("path", { class: "connections" });
    this.units = svg("g");
    this.heads = svg("g", { class: "heads" });
    this.picture = svg("svg", { class: "network", role: "img" }, this.lines, this.units, this.heads);
    this.title = element("h2");
    this.count = element("h2");
    this.switch = element("input", { type: "checkbox", id: "test" });
    this.switchName = element("label", { htmlFor: "test" });
    this.switch.onchange = () => {
      this.pane.state.test = this.switch.checked;
      if (this.switch.checked) this.pane.play(false);
      this.pane.show();
    };
    this.many = element("div", { className: "many", role: "group" });
    this.sentence = element("p", { className: "sentence" });
    this.root = element("div", { className: "dropout" },
      element("div", { className: "large" }, element("div", { className: "title" }, this.title,
        element("span", { className: "switch" }, this.switch, this.switchName)), this.picture, this.sentence),
      element("div", { className: "small" }, this.count, this.many));
  }

  update(scene) {
    this.scene = scene;
    const { labels, state } = this.pane, { layers } = scene;
    this.drawn = undefined;
    this.layout();
    this.switch.checked = Boolean(state.test);
    say(this.switchName, labels.test);
    const more = BigInt(scene.networks).toLocaleString("en");
    say(this.count, fill(labels.thinned, { n: scene.places, all: more }));
    const small = places(layers, SMALL, SMALL * 0.7, 8);
    this.thumbs = scene.masks.map((_, n) => {
      const there = this.there(n);
      const dots = small.flatMap((layer, k) => layer.map(([cx, cy], i) => svg("circle", { cx, cy, r: 2.6, class: there[k][i] ? "" : "off" })));
      const picture = svg("svg", { viewBox: `0 0 ${SMALL} ${SMALL * 0.7}`, "aria-hidden": true },
        svg("path", { d: connections(small, there) }), ...dots);
      const name = fill(labels.mask, { n: n + 1 });
      const button = element("button", { type: "button", title: name, "aria-label": name }, picture);
      button.onclick = () => this.pane.lead({ place: n });
      return button;
    });
    this.many.replaceChildren(...this.thumbs);
  }

  /** Lay the network out for the room there is. */
  layout() {
    const wide = this.pane.width && this.pane.width < 620 ? NARROW : WIDE;
    if (!this.scene || wide === this.drawn) return;
    this.drawn = wide;
    const { pane: { labels }, scene: { layers } } = this;
    const r = Math.min(19, spacing(layers, HIGH - HEAD, 30) / 2 - 2);
    this.picture.setAttribute("viewBox", `0 0 ${wide} ${HIGH}`);
    this.at = places(layers, wide, HIGH - HEAD, 30).map((layer) => layer.map(([x, y]) => [x, y + HEAD]));
    const names = layers.map((_, k) => (k === 0 ? labels.input : k === layers.length - 1 ? labels.output : fill(labels.hidden, { n: k })));
    this.heads.replaceChildren(...names.map((name, k) => {
      const edge = k === 0 ? "start" : k === layers.length - 1 ? "end" : "middle";
      const x = k === 0 ? 4 : k === layers.length - 1 ? wide - 4 : this.at[k][0][0];
      const text = svg("text", { x, y: 18, "text-anchor": edge });
      text.textContent = name;
      return text;
    }));
    this.marks = this.at.map((layer) => layer.map(([x, y]) => {
      const scale = svg("text", { x, y: y + 0.25 * r, "text-anchor": "middle", "font-size": 0.68 * r });
      const cross = svg("path", { d: `M${x - r / 2} ${y - r / 2}l${r} ${r}M${x + r / 2} ${y - r / 2}l${-r} ${r}`, class: "cross" });
      return { node: svg("g", { class: "unit" }, svg("circle", { cx: x, cy: y, r }), cross, scale), scale };
    }));
    this.units.replaceChildren(...this.marks.flat().map(({ node }) => node));
  }

  /** Return who is there, layer by layer, under a mask; everybody where there is none. */
  there(n) {
    const { layers, masks } = this.scene, mask = masks[n];
    return layers.map((size, k) => range(size, (i) =>
      k === 0 || k === layers.length - 1 || !mask || Boolean(mask[(k - 1) * layers[1] + i])));
  }

  show(place) {
    const { scene, pane: { labels, state } } = this, { layers } = scene;
    const there = this.there(state.test ? -1 : place);
    this.lines.setAttribute("d", connections(this.at, there));
    this.marks.forEach((layer, k) => layer.forEach(({ node, scale }, i) => {
      const hidden = k > 0 && k < layers.length - 1;
      node.classList.toggle("off", !there[k][i]);
      node.classList.toggle("hidden-unit", hidden);
      say(scale, hidden && there[k][i] ? `×${decimals(state.test ? 1 : scene.scale, 2, 2)}` : "");
    }));
    this.thumbs.forEach((thumb, n) => thumb.setAttribute("aria-pressed", !state.test && n === place));
    this.switch.checked = Boolean(state.test);
    say(this.title, state.test ? labels.network_test : labels.network);
    const all = 2 * layers[1], kept = there.slice(1, -1).flat().filter(Boolean).length;
    const said = state.test ? fill(labels.test_said, { all }) : fill(labels.mask_said, { n: place + 1, kept, all, scale: decimals(scene.scale, 2, 2) });
    this.picture.setAttribute("aria-label", said);
    say(this.sentence, said);
    change(this.root, { "data-kept": kept });
    return said;
  }

  *rows() {
    const units = this.scene.masks[0].map((_, i) => `unit${i + 1}`);
    yield ["mask", ...units];
    for (const [n, mask] of this.scene.masks.entries()) yield [n + 1, ...mask];
  }

  close() {}
}
