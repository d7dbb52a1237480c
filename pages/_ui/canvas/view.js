/* What is on the screen around the paper: the way from the drawing to the picture, what each network reads, and why.
   The words are put in by `label`, so that a new language changes nothing else. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ icon, put }, { SIZE }, { Inside, place }, { dress, element, fill }] =
  await Promise.all(["elements", "drawing", "inside", "../served/dom"].map(load));

const WHY = ["", "gradient", "patch", "strokes"];
const DIGITS = [..."0123456789"];
const HELP = 85; // units of the paper that three lines about the keys cover, and the widest pen's half
const FOR = [64, 156, 255], AGAINST = [255, 140, 26]; // what speaks for the answer, and what against it

export class View {
  constructor(parent) {
    this.words = []; // functions that put the words of one element in
    this.networks = new Map();

    this.paper = element("canvas", { tabIndex: 0, role: "application", "aria-describedby": "keys" });
    this.hint = this.text("p", "hint", { className: "hint" });
    this.keys = this.text("p", "keys", { className: "keys", id: "keys" });
    this.tools = Object.fromEntries(["pen", "eraser", "undo", "redo", "clear"].map((name) => [name, this.button(name)]));
    this.width = element("input", { type: "range" });
    this.boxed = element("canvas", { role: "img" });
    this.picture = element("canvas", { className: "pixels", width: 28, height: 28, role: "img" });
    this.overlay = element("canvas", { className: "overlay", width: 28, height: 28, "aria-hidden": "true" });
    this.frame = element("div", { className: "frame", hidden: true });
    this.between = this.text("p", "before", { className: "between" });
    this.cards = element("div", { className: "cards" });
    this.problem = element("p", { className: "problem", role: "alert", hidden: true });
    this.status = element("p", { className: "unseen", role: "status" });

    this.why = Object.fromEntries(WHY.map((name) =>
      [name, element("input", { type: "radio", name: "why", value: name, checked: !name })]));
    this.corrections = DIGITS.map((digit) => element("button", { type: "button", "data-label": digit }, digit));
    this.kept = element("p", { className: "kept" });
    this.network = element("select", {});
    this.maps = element("button", { type: "button", className: "switch", role: "switch" });
    this.inside = new Inside(() => this.showFrame());

    const { pen, eraser, undo, redo, clear } = this.tools;
    this.bar = element("div", { className: "tools", role: "toolbar" },
      element("div", { className: "group", role: "group" }, pen, eraser),
      element("div", { className: "group" }, undo, redo, clear),
      element("div", { className: "width" }, this.width));
    const choices = WHY.map((name) => element("label", {}, this.why[name], this.text("span", `why_${name || "off"}`)));
    const group = element("div", { className: "group digits", role: "group" }, ...this.corrections);
    this.layers = element("section", { className: "layers" },
      element("header", {}, this.text("h2", "inside"),
        element("label", { className: "chooser" }, this.text("span", "network"), this.network), this.maps),
      this.inside.root);
    this.root = element("div", { className: "kasane-canvas", hidden: true },
      element("div", { className: "columns" },
        element("section", { className: "draw" },
          this.text("h2", "draw"), element("div", { className: "paper" }, this.paper, this.keys, this.hint), this.bar),
        element("section", { className: "sees" },
          element("div", { className: "way" },
            element("div", { className: "step" },
              this.text("h2", "box"), element("div", { className: "boxed" }, this.boxed)),
            element("div", { className: "step" },
              this.text("h2", "sees"),
              element("div", { className: "picture" }, this.picture, this.overlay, this.frame))),
          element("fieldset", { className: "why" }, this.text("legend", "why"), ...choices),
          this.between),
        element("section", { className: "reads" },
          this.text("h2", "reads"), this.cards, this.problem,
          element("div", { className: "correct" }, this.text("span", "correct"), group, this.kept))),
      this.layers, this.status);
    this.words.push((labels) => {
      this.paper.setAttribute("aria-label", labels.pad);
      this.boxed.setAttribute("aria-label", labels.box);
      this.picture.setAttribute("aria-label", labels.picture);
      this.bar.setAttribute("aria-label", labels.tools);
      this.width.title = labels.width;
      this.width.setAttribute("aria-label", labels.width);
      group.setAttribute("aria-label", labels.correct);
      this.maps.textContent = labels.maps;
      this.network.setAttribute("aria-label", labels.network);
      for (const button of this.corrections) button.title = fill(labels.keep, { digit: button.textContent });
    });
    dress(parent, this.root, new URL(`canvas.css${search}`, import.meta.url));
  }

  /** Return an element that shows one of the labels. */
  text(tag, name, properties = {}) {
    const made = element(tag, properties);
    this.words.push((labels) => (made.textContent = labels[name]));
    return made;
  }

  /** Return a button with an icon and, where there is room, its label. */
  button(name) {
    const made = element("button", { type: "button", className: name }, icon(name), this.text("span", name));
    this.words.push((labels) => {
      made.title = labels[name];
      made.setAttribute("aria-label", labels[name]);
    });
    return made;
  }

  /** Say everything in another language. */
  label(labels, language) {
    this.labels = labels;
    this.root.lang = language;
    const numbers = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
    this.percent = (share) => numbers.format(hundredths(share));
    for (const put of this.words) put(labels);
    this.inside.label(labels, language);
  }

  // ----------------------------------------------------------------------------------------------------- the paper

  /** Draw the strokes; ring: the place and radius of eraser or keyboard pen, down: whether that pen draws.
      pieces: {line, colour}, drawn in their colours in place of the strokes. */
  paint(strokes, width, ring, down, pieces) {
    const { paper } = this, pixels = Math.max(1, Math.round(paper.clientWidth * devicePixelRatio));
    if (paper.width !== pixels) paper.width = paper.height = pixels;
    const draw = paper.getContext("2d"), { color, accentColor } = getComputedStyle(paper);
    draw.setTransform(pixels / SIZE, 0, 0, pixels / SIZE, 0, 0);
    draw.clearRect(0, 0, SIZE, SIZE);
    draw.lineCap = draw.lineJoin = "round";
    draw.lineWidth = width;
    for (const { line, colour } of pieces ?? []) follow(draw, [line], colour);
    if (!pieces) follow(draw, strokes, color);
    if (ring) {
      draw.beginPath();
      draw.arc(...ring.at, ring.radius, 0, 2 * Math.PI);
      draw.strokeStyle = draw.fillStyle = accentColor;
      draw.lineWidth = 2;
      draw.stroke();
      draw.globalAlpha = down ? 0.5 : 0.12;
      draw.fill();
      draw.globalAlpha = 1;
    }
    this.hint.hidden = strokes.length > 0;
    this.makeWay(ring ? [...strokes, [ring.at]] : strokes, down);
  }

  /** Say the keys at the foot of the paper, or at its head, wherever nothing lies; nowhere while the pen is down. */
  makeWay(lines, down) {
    const heights = lines.flatMap((line) => line.map(([, y]) => y));
    const [head, foot] = [heights.some((y) => y < HELP), heights.some((y) => y > SIZE - HELP)];
    this.keys.hidden = down || (head && foot);
    this.keys.classList.toggle("head", foot);
  }

  /** Show which tool is in hand and what can be undone. */
  showTools(erasing, drawing) {
    const { pen, eraser, undo, redo, clear } = this.tools;
    pen.setAttribute("aria-pressed", !erasing);
    eraser.setAttribute("aria-pressed", erasing);
    this.paper.classList.toggle("erasing", erasing);
    this.allow(undo, drawing.past.length);
    this.allow(redo, drawing.future.length);
    this.allow(clear, drawing.strokes.length);
  }

  /** Enable or disable a button. Who stands on one that has nothing left to do stands on the paper then, not nowhere. */
  allow(button, allowed) {
    if (!allowed && button.matches(":focus")) this.paper.focus({ preventScroll: true });
    button.disabled = !allowed;
  }

  /** Show the box around the strokes, as it was found. */
  paintBox(strokes) {
    const { boxed } = this, pixels = Math.max(1, Math.round(boxed.clientWidth * devicePixelRatio));
    if (boxed.width !== pixels) boxed.width = boxed.height = pixels;
    const draw = boxed.getContext("2d"), { color, accentColor } = getComputedStyle(boxed);
    draw.setTransform(pixels / SIZE, 0, 0, pixels / SIZE, 0, 0);
    draw.clearRect(0, 0, SIZE, SIZE);
    draw.lineCap = draw.lineJoin = "round";
    draw.lineWidth = 6;
    follow(draw, strokes, color);
    if (!strokes.length) return;
    let [left, top, right, bottom] = [SIZE, SIZE, 0, 0];
    for (const stroke of strokes) {
      for (const [x, y] of stroke) {
        [left, right] = [Math.min(left, x), Math.max(right, x)];
        [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
      }
    }
    draw.lineCap = "butt";
    draw.lineWidth = 4;
    draw.setLineDash([10, 7]);
    draw.strokeStyle = accentColor;
    [left, top] = [left, top].map((at) => Math.max(at - 5, 2)); // at the paper's edge the line is on it
    [right, bottom] = [right, bottom].map((at) => Math.min(at + 5, SIZE - 2));
    draw.strokeRect(left, top, right - left, bottom - top);
    draw.setLineDash([]);
  }

  // ----------------------------------------------------------------------------------------------------- a reply

  /** Show a reply: the picture that the networks were given, what each makes of it, and the inside of one. */
  show(header, arrays) {
    const draw = this.picture.getContext("2d"), pixels = draw.createImageData(28, 28);
    const rgba = new Uint32Array(pixels.data.buffer);
    arrays.image.values.forEach((ink, i) => (rgba[i] = 0xff000000 | (ink * 0x010101)));
    draw.putImageData(pixels, 0, 0);
    const names = header.networks.map((network) => network.name);
    for (const [name, card] of this.networks) {
      if (names.includes(name)) continue;
      card.root.remove();
      this.networks.delete(name);
      this.root.removeAttribute(`data-digit-${name}`);
    }
    for (const network of header.networks) {
      if (!this.networks.has(network.name)) this.networks.set(network.name, new Card(network.name));
      const card = this.networks.get(network.name);
      if (this.cards.children[names.indexOf(network.name)] !== card.root) this.cards.append(card.root);
      card.show(network, this.labels, this.percent);
      this.root.setAttribute(`data-digit-${network.name}`, nameOf(network));
    }
    this.offer(header.networks);
    const { inside } = header, looked = header.networks.find((network) => network.name === inside?.network);
    if (inside?.blocks.length) this.inside.show(inside, arrays, pixels, looked.classes);
    this.showFrame();
    this.explain(header, inside?.why, looked, arrays);
  }

  /** Let the person choose among the networks whose inside can be seen. */
  offer(networks) {
    const able = networks.filter((network) => network.classes);
    const offered = able.map(({ name, label }) => `${name} ${label}`).join();
    if (this.offered === offered) return;
    this.offered = offered;
    const { value } = this.network;
    this.network.replaceChildren(...able.map(({ name, label }) => element("option", { value: name }, label)));
    if (able.some(({ name }) => name === value)) this.network.value = value;
  }

  /** Frame, in the picture, what the unit that is looked at below has seen. */
  showFrame() {
    this.frame.hidden = this.inside.root.hidden || !this.inside.seen;
    if (!this.frame.hidden) place(this.frame, this.inside.seen.map((edge) => edge / 28));
  }

  /** Show what the answer hangs on, where that was asked for, else what became of the drawing. */
  explain(header, why, network, arrays) {
    const draw = this.overlay.getContext("2d"), pixels = draw.createImageData(28, 28);
    arrays.why?.values.forEach((byte, i) => {
      const share = (byte - 128) / 127;
      pixels.data.set([...(share < 0 ? AGAINST : FOR), Math.min(255, Math.round(300 * Math.abs(share)))], 4 * i);
    });
    draw.putImageData(pixels, 0, 0);
    let said = header.empty ? this.labels.before : fill(this.labels.between, header);
    if (why) {
      const words = { digit: network.classes[network.digit], percent: this.percent(why.peak) };
      said = fill(this.labels[`because_${why.kind}`], words);
      if (header.networks.length > 1) said = fill(this.labels.whose, { network: network.label, reason: said });
    }
    put(this.between, "textContent", said);
  }

  /** Return the pieces of the strokes in the colours of what they do to the answer. */
  pieces({ peak }, arrays) {
    const [points, ends, drops] = ["points", "ends", "drops"].map((name) => arrays[name].values);
    const { color } = getComputedStyle(this.paper);
    const quiet = color.match(/\d+/g).slice(0, 3).map((value) => Math.round(0.45 * value + 0.55 * 128));
    return Array.from(drops, (drop, i) => {
      const line = [];
      for (let p = i ? ends[i - 1] : 0; p < ends[i]; p++) line.push([points[2 * p], points[2 * p + 1]]);
      const share = Math.sqrt(Math.min(1, Math.abs(drop) / peak)), strong = drop < 0 ? AGAINST : FOR;
      return { line, colour: `rgb(${quiet.map((value, c) => Math.round(value + share * (strong[c] - value)))})` };
    });
  }

  /** Say something that went wrong, or nothing. */
  complain(sentence = "") {
    if (this.problem.textContent !== sentence) this.problem.textContent = sentence;
    this.problem.hidden = !sentence;
  }

  /** Tell those who listen what each network reads. */
  announce(header) {
    const { labels, percent } = this;
    const able = header.networks.filter((network) => network.classes && !header.empty);
    const said = able.map((network) => {
      const { label, classes, probabilities, digit, known } = network;
      if (!known) return `${label}: ${unknown(network, labels)}`;
      return fill(labels.top, { network: label, name: classes[digit], percent: percent(probabilities[digit]) });
    });
    this.status.textContent = header.empty ? labels.empty : said.join(". ");
  }
}

function follow(draw, strokes, colour) {
  draw.strokeStyle = colour;
  draw.beginPath();
  for (const stroke of strokes) {
    draw.moveTo(...stroke[0]);
    if (stroke.length === 1) draw.lineTo(...stroke[0]);
    else for (let i = 1; i < stroke.length; i++) draw.lineTo(...stroke[i]);
  }
  draw.stroke();
}

/** Return a share as it is printed, so that one number printed has one word. */
const hundredths = (share) => Math.round(100 * share) / 100;

/** Return what a network reads in one word: a class, "?" for what is none, "" for nothing. */
const nameOf = ({ classes, digit, known }) => (digit === null || !classes ? "" : known ? classes[digit] : "?");
const unknown = ({ classes }, labels) => (`${classes}` === `${DIGITS}` ? labels.no_digit : labels.nothing_known);

/** What one network reads: its answer in large, the three likeliest in words, and a bar for each class. Of what is
    nothing that it knows, no word is said: only what it would say if it had to. */
class Card {
  constructor(name) {
    this.title = element("h3");
    this.about = element("p", { className: "about" });
    this.answer = element("p", { className: "answer" });
    this.sure = element("p", { className: "sure" });
    this.forced = element("p", { className: "forced" });
    this.three = element("ol", { className: "three" }, ...[0, 1, 2].map(() => element("li")));
    this.bars = element("div", { className: "bars" });
    this.unable = element("p", { className: "unable" });
    this.root = element("article", { className: "card", "data-network": name },
      element("header", {}, element("div", {}, this.title, this.about), this.answer),
      element("div", { className: "verdict" }, this.sure, this.forced, this.three), this.bars, this.unable);
    this.rows = [];
  }

  show(network, labels, percent) {
    const { classes = [], probabilities = [], digit = null } = network, read = nameOf(network);
    put(this.title, "textContent", network.label);
    put(this.about, "textContent", network.about ?? "");
    put(this.about, "title", network.about ?? "");
    put(this.unable, "textContent", network.unable ?? "");
    this.unable.hidden = !network.unable;
    this.bars.hidden = Boolean(network.unable);
    this.root.classList.toggle("waiting", digit === null);
    this.root.classList.toggle("unknown", read === "?");
    put(this.answer, "textContent", read || "?");
    this.answer.classList.toggle("word", read.length > 2);
    this.sure.textContent = network.unable ? "" : digit === null ? labels.empty : network.known ? "" : unknown(network, labels);
    this.forced.textContent = read === "?" ? labels.forced : "";
    const order = digit === null ? [] : probabilities.map((_, i) => i).sort((a, b) => probabilities[b] - probabilities[a] || a - b);
    [...this.three.children].forEach((line, rank) => {
      const k = order[rank];
      const values = k === undefined ? null
        : { name: classes[k], word: word(probabilities[k], labels), percent: percent(probabilities[k]) };
      put(line, "textContent", values ? fill(read === "?" ? labels.share : labels.rank, values) : "");
    });
    if (this.rows.map((row) => row.name).join() !== classes.join()) this.build(classes);
    this.rows.forEach((row, i) => {
      row.show(probabilities[i], order.indexOf(i), fill(labels.probability, { name: classes[i] }), percent);
    });
  }

  build(classes) {
    this.rows = classes.map((name) => new Bar(name));
    this.bars.replaceChildren(...this.rows.map((row) => row.root));
  }
}

/** Return what one would say for a probability. */
const word = (probability, { words }) => words.find(([least]) => hundredths(probability) >= least)[1];

/** One class and its probability. */
class Bar {
  constructor(name) {
    this.name = name;
    this.filled = element("span", { className: "filled" });
    this.value = element("span", { className: "value" });
    this.root = element("div", { className: "bar", role: "meter", "aria-valuemin": 0, "aria-valuemax": 100 },
      element("span", { className: "name" }, name), element("span", { className: "track" }, this.filled), this.value);
  }

  /** rank: 0 for the likeliest class, −1 where nothing is drawn. */
  show(probability, rank, label, percent) {
    const text = percent(probability);
    put(this.root, "className", rank === 0 ? "bar best" : rank === 1 || rank === 2 ? "bar next" : "bar");
    put(this.filled.style, "transform", `scaleX(${probability})`);
    put(this.value, "textContent", text);
    put(this.root, "aria-label", label);
    put(this.root, "aria-valuenow", `${Math.round(100 * probability)}`);
    put(this.root, "aria-valuetext", text);
  }
}
