/* A computational graph. Numbers run forwards along the edges, blue, and make the value of the next node; then gradients
   run back, orange, each node multiplying what arrives with its local derivatives.

   Positions: 0 only what is given; k the first k operations are done; then the 1 that the result starts with; then each
   operation in turn, the last first. Every number is the engine's. Given numbers stand in fields and can be changed.

   A busy page hears only the latest of what is told, so it is always told all given numbers; and until it has heard them
   (its scenes name what it heard last), its answers are older than what stands in the fields. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ shown }, { change, clamp, element, fill, say, svg }] = await Promise.all(["plot", "../served/dom"].map(load));

const RADIUS = 21, MARGIN = 12; // pixels: of a node, and around the picture
const FIELD = { wide: [104, 50], narrow: [72, 58] }; // width and height of a given number with its name
const APART = 6, SLIMMEST = 52; // pixels between fields side by side, and of one's width where there is no room
const LEVEL = { wide: 88, narrow: 112 }; // from row to row across, from level to level down
const TRAVEL = 0.8; // share of a step after which what runs has arrived
const LETTERS = ["a", "b", "c"];

const written = (value) => String(Number(value.toPrecision(12)));
/** Return a number as it stands after a sign of operation: a negative one in brackets. */
const bracketed = (text) => (text.startsWith("−") ? `(${text})` : text);

export class Circuit {
  constructor(tell) {
    this.tell = tell;
    this.lines = svg("g", { class: "lines" });
    this.circles = svg("g");
    this.labels_ = svg("g", { class: "labels" });
    this.tokens = svg("g", { class: "tokens" });
    this.picture = svg("svg", { class: "wires", role: "img" }, this.lines, this.circles, this.labels_, this.tokens);
    this.fields = element("div", { class: "fields" });
    this.board = element("div", { class: "board" }, this.picture, this.fields);
    this.scroll = element("div", { class: "scroll" }, this.board);
    this.title = element("h2");
    this.lineOf = element("p", { class: "formula" });
    this.shares = element("ul", { class: "shares" });
    this.steps = element("div", { class: "words" }, this.title, this.lineOf, this.shares);
    this.root = element("div", { class: "circuit" }, this.scroll, this.steps);
  }

  take(scene, labels, heard) {
    Object.assign(this, { scene, labels });
    this.order = scene.order;
    this.turn = new Map(this.order.map((node, n) => [node, n + 1])); // node → the position at which its value is there
    this.last = 2 * this.order.length + 1;
    const shape = JSON.stringify([scene.name, scene.nodes.map(({ label, sign, at, edit }) => [label, sign, at, edit])]);
    if (shape !== this.shape) {
      this.build();
      this.told = null; // other fields
    }
    this.shape = shape;
    if (JSON.stringify(heard) === this.told) this.told = null;
    if (!this.told) this.fill();
    const listed = scene.nodes.filter(({ label }) => label).map(({ label, value, gradient }) => `${label} ${shown(value)} (${shown(gradient)})`);
    change(this.picture, { "aria-label": fill(labels.circuit_text, { values: listed.join(", ") }) });
  }

  story() {
    return JSON.stringify([this.scene.name, this.scene.nodes.map(({ value, sign }) => [value, sign])]);
  }

  measure() {
    return { last: this.last, rate: Math.max(0.9, this.last / 16) };
  }

  // ---- nodes and edges

  build() {
    const { scene } = this;
    this.nodes = scene.nodes.map((node) => {
      if (node.edit) return this.field(node);
      const circle = svg("circle", { r: RADIUS });
      const sign = svg("text", { class: node.sign.length > 2 ? "sign long" : "sign", "text-anchor": "middle", dy: "0.35em" }, node.sign);
      return { root: svg("g", { class: "node" }, circle, sign) };
    });
    this.result = element("div", { class: "result" }, element("span", {}, this.labels.result), element("b"));
    this.circles.replaceChildren(...this.nodes.filter(({ input }) => !input).map(({ root }) => root));
    this.fields.replaceChildren(...this.nodes.filter(({ input }) => input).map(({ root }) => root), this.result);
    this.edges = [...scene.edges, { from: this.order.at(-1), to: null }].map((edge) => {
      const text = (name) => svg("text", { class: name, "text-anchor": "middle" });
      const made = { ...edge, path: svg("path"), value: text("value"), gradient: text("gradient") };
      made.token = svg("g", { visibility: "hidden" }, svg("rect", { rx: 9, height: 18, y: -9 }), svg("text", { "text-anchor": "middle", dy: "0.35em" }));
      return made;
    });
    this.lines.replaceChildren(...this.edges.map(({ path }) => path));
    this.labels_.replaceChildren(...this.edges.flatMap(({ value, gradient }) => [value, gradient]));
    this.tokens.replaceChildren(...this.edges.map(({ token }) => token));
    const most = Math.max(...scene.nodes.map(({ inputs }) => inputs.length));
    this.steps.style.setProperty("--lines", most);
  }

  /** Return a given number as a field with its name. */
  field({ id, label, edit }) {
    const input = element("input", { type: "number", step: "any", min: edit[0], max: edit[1], "aria-label": label });
    input.addEventListener("change", () => {
      const asked = input.valueAsNumber;
      if (Number.isFinite(asked)) {
        this.given = { ...this.given, [id]: clamp(asked, ...edit) };
        this.told = JSON.stringify(this.given);
        this.tell(this.given);
      }
      input.value = written(this.given[id]);
    });
    return { root: element("label", { class: "given" }, element("span", {}, label), input), input };
  }

  /** Put the scene's numbers into the fields, but not into the one that somebody is typing in. */
  fill() {
    const editable = this.scene.nodes.map(({ id, value }, n) => ({ id, value, ...this.nodes[n] })).filter(({ input }) => input);
    this.given = Object.fromEntries(editable.map(({ id, value }) => [id, value]));
    for (const { input, value } of editable) {
      if (input !== this.root.getRootNode().activeElement) input.value = written(value);
    }
  }

  layout(width) {
    const { scene } = this, narrow = width < 720;
    const [usual, fieldHeight] = FIELD[narrow ? "narrow" : "wide"];
    const columns = Math.max(...scene.nodes.map(({ at }) => at[0])) + 1, rows = Math.max(...scene.nodes.map(({ at }) => at[1]));
    const across = narrow ? rows : columns;
    const most = Math.floor((width - 2 * MARGIN - across * APART) / (across + 1)); // so that none lies on the next
    const fieldWidth = narrow ? clamp(most, SLIMMEST, usual) : usual;
    const step = Math.min((width - 2 * MARGIN - fieldWidth) / across, narrow ? 130 : 300);
    const room = step * across + fieldWidth + 2 * MARGIN, left = MARGIN + fieldWidth / 2 + Math.max(0, (width - room) / 2) * (narrow ? 1 : 0);
    const place = ([column, row]) => (narrow
      ? [left + row * step, MARGIN + fieldHeight / 2 + column * LEVEL.narrow]
      : [left + column * step, MARGIN + fieldHeight / 2 + row * LEVEL.wide]);
    const height = 2 * MARGIN + fieldHeight + (narrow ? columns * LEVEL.narrow : rows * LEVEL.wide);
    Object.assign(this.board.style, { height: `${height}px`, width: `${Math.max(room, narrow ? width : 0)}px` });
    change(this.picture, { width: Math.max(room, width), height });
    this.root.classList.toggle("tall", narrow);
    this.digits = narrow ? 3 : 4;

    const end = scene.nodes[this.order.at(-1)].at, out = [end[0] + 1, end[1]];
    const spots = scene.nodes.map(({ at }) => place(at));
    this.nodes.forEach(({ root, input }, n) => {
      const [x, y] = spots[n];
      if (input) Object.assign(root.style, { left: `${x - fieldWidth / 2}px`, top: `${y - fieldHeight / 2}px`, width: `${fieldWidth}px`, height: `${fieldHeight}px` });
      else change(root, { transform: `translate(${x} ${y})` });
    });
    const exit = place(out);
    Object.assign(this.result.style, { left: `${exit[0] - fieldWidth / 2}px`, top: `${exit[1] - 25}px`, width: `${fieldWidth}px` });

    for (const edge of this.edges) {
      const from = spots[edge.from], to = edge.to === null ? exit : spots[edge.to];
      const leave = this.nodes[edge.from].input ? [fieldWidth / 2, fieldHeight / 2] : [RADIUS, RADIUS];
      const arrive = edge.to === null ? [fieldWidth / 2, 25] : [RADIUS, RADIUS];
      const [a, b] = narrow
        ? [[from[0], from[1] + leave[1]], [to[0], to[1] - arrive[1]]]
        : this.sides(from, to, leave, arrive);
      const bend = narrow ? [0, (b[1] - a[1]) / 2] : Math.abs(b[0] - a[0]) < 20 ? [0, 0] : [(b[0] - a[0]) / 2, 0];
      change(edge.path, { d: `M${a}C${a[0] + bend[0]} ${a[1] + bend[1]} ${b[0] - bend[0]} ${b[1] - bend[1]} ${b}` });
      edge.long = edge.path.getTotalLength();
      const { x, y } = edge.path.getPointAtLength(edge.long * (edge.label ?? (edge.to === null ? 0.36 : narrow ? 0.4 : 0.45)));
      change(edge.value, { x, y: y - 5 });
      change(edge.gradient, { x, y: y + 14 });
    }
  }

  /** Return where an edge leaves and arrives in the wide picture: at the sides, or, in the same column, above or below. */
  sides(from, to, leave, arrive) {
    if (Math.abs(to[0] - from[0]) < 30) {
      const down = Math.sign(to[1] - from[1]);
      return [[from[0], from[1] + down * leave[1]], [to[0], to[1] - down * arrive[1]]];
    }
    return [[from[0] + leave[0], from[1]], [to[0] - arrive[0], to[1]]];
  }

  // ---- what moves

  /** Return the position at which an edge carries its value, and that at which it carries its gradient. */
  due({ from, to }) {
    const count = this.order.length;
    return [this.turn.get(from) ?? 0, to === null ? count + 1 : 2 * count + 2 - this.turn.get(to)];
  }

  /** Return what is done between two positions: {node, back}; node null is the start of the way back. */
  action(step) {
    const count = this.order.length;
    if (step <= count) return { node: this.order[step - 1], back: false };
    return { node: step === count + 1 ? null : this.order[2 * count + 1 - step], back: true };
  }

  show(position) {
    const { scene } = this, whole = Math.floor(position + 1e-9), share = position - whole;
    const moving = share > 1e-6 ? this.action(whole + 1) : null;
    const latest = whole > 0 ? this.action(whole) : null;
    const at = moving ?? latest;
    for (const edge of this.edges) {
      const { from, to, path, value, gradient } = edge, [there, returned] = this.due(edge);
      const carried = to === null ? { value: scene.nodes[from].value, gradient: 1 } : scene.edges[this.edges.indexOf(edge)];
      say(value, shown(carried.value, this.digits));
      say(gradient, shown(carried.gradient, this.digits));
      change(value, { visibility: position >= there - 1e-9 ? null : "hidden" });
      change(gradient, { visibility: position >= returned - 1e-9 ? null : "hidden" });
      const active = at && at.node === (at.back && to === null ? null : to) && (at.node !== null || to === null) && (at.back || to !== null);
      change(path, { class: active ? (at.back ? "on back" : "on") : position >= returned - 1e-9 ? "back" : null });
      this.carry(edge, moving && active ? clamp(share / TRAVEL, 0, 1) : null, moving?.back, carried);
    }
    this.nodes.forEach(({ root }, n) => root.classList.toggle("on", at?.node === n));
    const done = position >= this.order.length - 1e-9;
    say(this.result.lastChild, done ? shown(scene.nodes[this.order.at(-1)].value, 6) : "?");
    this.explain(moving ? whole + 1 : whole);
  }

  /** Let a number run along an edge: `share` of the way, null for none. */
  carry({ path, token, long }, share, back, carried) {
    change(token, { visibility: share === null ? "hidden" : null });
    if (share === null || !long) return;
    const eased = share * share * (3 - 2 * share);
    const { x, y } = path.getPointAtLength(long * (back ? 1 - eased : eased));
    const [box, text] = token.children, words = shown(back ? carried.gradient : carried.value);
    say(text, words);
    const width = 14 + 7.2 * words.length;
    change(box, { width, x: -width / 2 });
    change(token, { transform: `translate(${x} ${y})`, class: back ? "back" : "forth" });
  }

  /** Say in formulas what happens at a step. */
  explain(step) {
    const count = this.order.length, { labels, scene } = this;
    let title = labels.given, formula = "", shares = [];
    if (step > 0) {
      const { node, back } = this.action(step);
      title = fill(back ? labels.backwards : labels.forwards, { step: back ? step - count : step, steps: back ? count + 1 : count });
      if (node === null) formula = "∂L/∂L = 1";
      else {
        const { inputs, value, gradient, words, rules } = scene.nodes[node];
        const names = Object.fromEntries(inputs.map((edge, n) => [LETTERS[n], shown(scene.edges[edge].value)]));
        const put = (_, sign = "", letter) => sign + (sign ? bracketed : String)(names[letter] ?? letter);
        const numbers = (text) => text.replace(/([+−×÷½] )?\b([abc])\b/g, put).replace(/\by\b/g, shown(value));
        const sum = inputs.length > 2 ? LETTERS.slice(0, inputs.length).join(" + ") : words;
        formula = back ? `∂L/∂y = ${shown(gradient)}` : `y = ${sum} = ${numbers(sum)} = ${shown(value)}`;
        if (back) {
          shares = inputs.map((edge, n) => {
            const letter = LETTERS[n], rule = rules[n] ?? rules[0], { slope, gradient: share } = scene.edges[edge];
            const local = rule === shown(slope) ? rule : `${rule} = ${shown(slope)}`;
            return `∂L/∂${letter} = ∂L/∂y · ∂y/∂${letter} = ${shown(gradient)} · ${bracketed(shown(slope))} = ${shown(share)}    (∂y/∂${letter} = ${local})`;
          });
        }
      }
    }
    say(this.title, title);
    say(this.lineOf, formula);
    this.steps.classList.toggle("back", step > count);
    if (this.shares.textContent !== shares.join("")) this.shares.replaceChildren(...shares.map((text) => element("li", {}, text)));
  }

  where(position) {
    const count = this.order.length, step = Math.ceil(position - 1e-9);
    if (step <= 0) return this.labels.given_short;
    return step <= count ? fill(this.labels.forwards, { step, steps: count }) : fill(this.labels.backwards, { step: step - count, steps: count + 1 });
  }

  said() {
    return [this.title, this.lineOf, this.shares].map(({ textContent }) => textContent).join(" ");
  }

  table() {
    const name = ({ id, sign }) => id || sign;
    return [["node", "value", "gradient"], ...this.scene.nodes.map((node) => [name(node), node.value, node.gradient])];
  }
}
