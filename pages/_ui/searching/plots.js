/* All trials at once: as points over two fields, as lines over all fields, and what each field matters. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ colour, place, ticks }, { change, clamp, element, fill, range, say, svg }, { percent }] =
  await Promise.all(["axes", "../served/dom", "../served/numbers"].map(load));

const HEIGHT = 320;
const NEAR = 22; // pixels within which a point or a line is pointed at

const SLANT = 40; // degrees, of texts that have no room side by side
const APART = 10; // pixels between trials of the same options

const cut = (text, most, end = 0) =>
  text.length > most ? `${text.slice(0, most - 1 - end)}…${text.slice(text.length - end)}` : text;

/** Return the ticks of an axis whose texts stand beside it, none of them longer than tells them apart. */
function labelled(field, about) {
  const marks = ticks(field, about);
  const ways = [[8], [12], [14, 7]].map((way) => marks.map(([at, text]) => [at, cut(text, ...way)]));
  return ways.find((way) => new Set(way.map(([, text]) => text)).size === marks.length) ?? ways.at(-1);
}

/** A drawing as wide as its room, redrawn when that changes. */
class Plot {
  constructor(view, name) {
    this.view = view;
    this.width = 0;
    this.axes = svg("g", { class: "axes" });
    this.body = svg("g", { class: "body" });
    this.root = svg("svg", { class: name, role: "img", height: HEIGHT }, this.axes, this.body);
    this.marks = new Map(); // trial's number → its element
    this.root.addEventListener("pointermove", (event) => view.hover(this.nearest(event)));
    this.root.addEventListener("pointerleave", () => view.hover(null));
    this.root.addEventListener("click", (event) => view.pick(this.nearest(event)));
  }

  resize(width) {
    if (width === this.width || width < 40) return;
    this.width = width;
    change(this.root, { width, viewBox: `0 0 ${width} ${HEIGHT}` });
    this.frame();
    this.draw(this.view.ranking);
  }

  /** Keep one element for each trial, the best in front. */
  reconcile(trials, make) {
    const wanted = new Set(trials.map(({ number }) => number));
    for (const [number, mark] of this.marks) {
      if (!wanted.has(number)) {
        mark.remove();
        this.marks.delete(number);
      }
    }
    for (const { number } of trials) if (!this.marks.has(number)) this.marks.set(number, make());
    const order = [...trials].reverse().map(({ number }) => this.marks.get(number));
    order.forEach((mark, i) => this.body.children[i] !== mark && this.body.insertBefore(mark, this.body.children[i] ?? null));
  }

  /** Return how many pixels the longest text of some ticks takes. */
  widest(marks) {
    this.axes.replaceChildren(...marks.map(([, text]) => svg("text", {}, text)));
    return Math.max(...[...this.axes.children].map((it) => it.getComputedTextLength()));
  }

  /** Return a text, shortened to so many pixels. */
  fit(text, room) {
    let most = text.length;
    while (most > 2 && this.widest([[0, cut(text, most)]]) > room) most--;
    return cut(text, most);
  }

  pointer(event) {
    const box = this.root.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  mark(number) {
    for (const [n, mark] of this.marks) mark.classList.toggle("on", n === number);
  }
}

/** Points over two fields. Colour and size say the accuracy, the shape how the trial has ended. */
export class Scatter extends Plot {
  constructor(view) {
    super(view, "scatter");
    change(this.root, { role: "application", tabindex: 0 });
    this.root.addEventListener("keydown", (event) => this.steer(event));
    this.margins = { right: 14, top: 12, bottom: 44 }; // the last is more below slanted texts
    this.names = [null, null];
    this.chooses = ["x", "y"].map((axis, i) => {
      const choose = element("select", { "data-axis": axis });
      choose.addEventListener("change", () => {
        this.names[i] = choose.value;
        this.frame();
        this.draw(view.ranking);
      });
      return choose;
    });
    this.tools = element("div", { class: "choices" },
      ...this.chooses.map((choose, i) => element("label", {}, element("span", {}, ["x", "y"][i]), choose)));
  }

  relabel() {
    const { view } = this;
    this.fields = [...view.fields, view.score];
    const names = this.fields.map(({ name }) => name);
    const free = names.filter((name) => !this.names.includes(name)); // of the other axis
    this.names = this.names.map((name) => (names.includes(name) ? name : free.shift()));
    this.chooses.forEach((choose, i) => {
      choose.replaceChildren(...this.fields.map((field) => element("option", { value: field.name }, field.label)));
      choose.value = this.names[i];
      change(choose, { "aria-label": view.labels[["across", "up"][i]] });
    });
    this.frame();
  }

  field(i) {
    return this.fields.find(({ name }) => name === this.names[i]);
  }

  frame() {
    if (!this.width || !this.fields) return;
    const { right, top, bottom } = this.margins, { width } = this;
    const [x, y] = [0, 1].map((i) => this.field(i)), marks = labelled(y);
    const left = Math.max(58, this.widest(marks) + 30);
    this.left = left, this.wide = width - left - right, this.top = top;
    const below = labelled(x, Math.max(2, Math.floor(this.wide / 80))), longest = this.widest(below);
    const slant = longest + 6 > this.wide / below.length ? SLANT : 0;
    this.high = HEIGHT - top - bottom - longest * Math.sin(slant * Math.PI / 180);
    const across = below.map(([at, text]) => {
      const px = left + at * this.wide, foot = top + this.high;
      const placed = slant ? { transform: `translate(${px + 4} ${foot + 13}) rotate(${-slant})`, "text-anchor": "end" }
        : { x: px, y: foot + 17, "text-anchor": "middle" };
      return svg("g", {}, svg("line", { x1: px, x2: px, y1: top, y2: foot }), svg("text", placed, text));
    });
    const up = marks.map(([at, text]) => {
      const py = top + (1 - at) * this.high;
      return svg("g", {}, svg("line", { x1: left, x2: width - right, y1: py, y2: py }),
        svg("text", { x: left - 7, y: py + 4, "text-anchor": "end" }, text));
    });
    const title = svg("text", { x: left + this.wide / 2, y: HEIGHT - 7, "text-anchor": "middle", class: "name" }, x.label);
    const side = svg("text", { class: "name", "text-anchor": "middle", transform: `translate(13 ${top + this.high / 2}) rotate(-90)` }, y.label);
    this.axes.replaceChildren(...across, ...up, title, side);
  }

  draw(ranking) {
    if (!this.width || !this.fields) return;
    const { view } = this, [x, y] = [0, 1].map((i) => this.field(i));
    const trials = ranking.filter(({ state }) => state !== "failed");
    this.reconcile(trials, () => svg("path"));
    const aside = this.spread(trials, x, y);
    this.places = trials.map((trial) => {
      const [dx, dy] = aside.get(trial.number) ?? [0, 0];
      const px = this.left + place(x, view.value(trial, x)) * this.wide + dx;
      const py = this.top + (1 - place(y, view.value(trial, y))) * this.high + dy;
      const share = view.share(trial), r = 3.2 + 3.6 * share;
      const open = trial.state === "running";
      const fills = { d: SHAPES[trial.state]?.(r) ?? SHAPES.complete(r), transform: `translate(${px.toFixed(1)} ${py.toFixed(1)})` };
      change(this.marks.get(trial.number), { ...fills, fill: open ? "none" : colour(share), "data-state": trial.state });
      return [trial.number, px, py];
    });
    const text = fill(view.labels.scatter_text, { x: x.label, y: y.label, n: trials.length, best: view.best() });
    change(this.root, { "aria-label": `${text} ${view.labels.scatter_keys}` });
  }

  /** Return how far trials of the same two options stand from their place, by number: else one would hide the others. */
  spread(trials, x, y) {
    const { view } = this, crowds = new Map(), turns = new Map();
    if (!x.options || !y.options) return turns;
    for (const trial of [...trials].sort((a, b) => a.number - b.number)) {
      const at = `${view.value(trial, x)} ${view.value(trial, y)}`, n = crowds.get(at) ?? 0;
      crowds.set(at, n + 1);
      turns.set(trial.number, n);
    }
    const reach = Math.min(this.wide / x.options.length, this.high / y.options.length) / 2;
    const step = Math.min(APART, reach / Math.sqrt(Math.max(...crowds.values())));
    const along = (n) => [Math.cos, Math.sin].map((part) => step * Math.sqrt(n) * part(2.4 * n)); // as in a sunflower
    return new Map(Array.from(turns, ([number, n]) => [number, along(n)]));
  }

  /** Go from trial to trial by keys, the best of all first. */
  steer(event) {
    const numbers = (this.places ?? []).map(([number]) => number), last = numbers.length - 1;
    const at = numbers.indexOf(this.view.picked), [before, after] = [at - 1, at + 1];
    const to = { ArrowLeft: before, ArrowUp: before, ArrowRight: after, ArrowDown: after, Home: 0, End: last }[event.key];
    if (to === undefined || last < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.view.choose(numbers[clamp(to, 0, last)]);
  }

  nearest(event) {
    const [px, py] = this.pointer(event);
    const by = (this.places ?? []).map(([number, x, y]) => [Math.hypot(x - px, y - py), number]);
    const [distance, number] = by.reduce((least, one) => (one[0] < least[0] ? one : least), [Infinity, null]);
    return distance < NEAR ? number : null;
  }
}

const circle = (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
const SHAPES = {
  complete: circle,
  running: circle,
  pruned: (r) => `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  diverged: (r) => `M0 ${-r - 1}L${r + 1} ${r}H${-r - 1}z`,
};

/** Every trial as a line from field to field, and to its accuracy on the right. */
export class Parallel extends Plot {
  constructor(view) {
    super(view, "parallel");
    this.root.append(this.axes); // over the lines, which cross them
  }

  relabel() {
    this.fields = [...this.view.fields, this.view.score];
    this.frame();
  }

  frame() {
    if (!this.width || !this.fields) return;
    const { width } = this, [right, top, bottom] = [50, 34, 18];
    const marks = this.fields.map((field) => labelled(field, 4));
    const left = Math.max(38, this.widest(marks[0]) + 10);
    this.top = top, this.high = HEIGHT - top - bottom;
    this.xs = this.fields.map((_, i) => left + i * (width - left - right) / (this.fields.length - 1));
    const room = Math.max((width - left - right) / (this.fields.length - 1), 40);
    this.axes.replaceChildren(...this.fields.map((field, i) => {
      const x = this.xs[i], last = i === this.fields.length - 1;
      const texts = marks[i].map(([at, text]) => {
        const y = top + (1 - at) * this.high;
        const word = i && !last ? this.fit(text, room - 10) : text;
        return svg("text", { x: x + (last ? 6 : -6), y: y + 4, "text-anchor": last ? "start" : "end", class: "halo" }, word);
      });
      const name = this.fit(field.label, room - 6);
      const anchor = i === 0 ? "start" : last ? "end" : "middle";
      return svg("g", {}, svg("line", { class: "axis", x1: x, x2: x, y1: top, y2: top + this.high }), ...texts,
        svg("text", { class: "name", x: i === 0 ? 4 : last ? width - 4 : x, y: 16, "text-anchor": anchor }, name));
    }));
  }

  draw(ranking) {
    if (!this.width || !this.fields) return;
    const { view } = this, trials = ranking.filter(({ state }) => state !== "failed");
    this.reconcile(trials, () => svg("polyline"));
    this.lines = trials.map((trial, rank) => {
      const ys = this.fields.map((field) => this.top + (1 - place(field, view.value(trial, field))) * this.high);
      const points = ys.map((y, i) => `${this.xs[i].toFixed(1)},${y.toFixed(1)}`).join(" ");
      change(this.marks.get(trial.number), { points, stroke: colour(view.share(trial)), class: rank < 20 ? "best" : "rest", "data-state": trial.state });
      return [trial.number, ys];
    });
    const names = view.joined(view.fields.map(({ label }) => label));
    change(this.root, { "aria-label": fill(view.labels.parallel_text, { fields: names, n: trials.length, best: view.best() }) });
  }

  nearest(event) {
    const [px, py] = this.pointer(event);
    if (!this.lines) return null;
    const i = Math.max(0, Math.min(this.xs.length - 2, this.xs.findLastIndex((x) => x <= px)));
    const along = Math.max(0, Math.min(1, (px - this.xs[i]) / (this.xs[i + 1] - this.xs[i])));
    const by = this.lines.map(([number, ys]) => [Math.abs(ys[i] + along * (ys[i + 1] - ys[i]) - py), number]);
    const [distance, number] = by.reduce((least, one) => (one[0] < least[0] ? one : least), [Infinity, null]);
    return distance < NEAR ? number : null;
  }
}

/** How much each field matters, as bars. */
export class Importance {
  constructor(view) {
    this.view = view;
    this.later = element("p", { class: "hint" });
    this.bars = element("dl", {});
    this.root = element("div", { class: "importance" }, this.later, this.bars);
  }

  relabel() {
    say(this.later, this.view.labels.importance_later);
    this.rows = this.view.fields.map((field) => {
      const bar = element("i"), text = element("span");
      return { field, bar, text, parts: [element("dt", {}, field.label), element("dd", {}, element("u", {}, bar), text)] };
    });
    this.bars.replaceChildren(...this.rows.flatMap(({ parts }) => parts));
  }

  draw(importance) {
    const known = Object.keys(importance).length > 0;
    this.later.classList.toggle("unseen", known);
    for (const { field, bar, text } of this.rows) {
      const share = importance[field.name] ?? 0;
      bar.style.width = `${(100 * share).toFixed(1)}%`;
      say(text, known ? percent(share) : "–");
    }
  }
}

/** Return the elements of the key to colours: a strip from the lowest accuracy to the highest. */
export function key(view) {
  const strip = element("i", { class: "strip", style: `background: linear-gradient(90deg, ${range(9, (i) => colour(i / 8)).join(", ")})` });
  return { root: element("span", { class: "colours" }, element("span"), strip, element("span")), show([low, high]) {
    say(this.root.firstChild, percent(low));
    say(this.root.lastChild, percent(high));
    change(strip, { title: view.labels.score });
  } };
}

