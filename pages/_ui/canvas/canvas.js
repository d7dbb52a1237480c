/* The drawing pad. A drawing is a list of strokes, a stroke a list of points [x, y] in a square of SIZE units.

   Drawing   the strokes and what was undone           no screen, no network
   Channel   one WebSocket that comes back when lost
   View      the elements on the screen
   Pad       ties them: hands in, strokes out over the channel, replies into the view

   One request is under way at a time; what is drawn meanwhile goes with the next, so the newest always wins.
   For tests the root carries data-replies (count), data-seq (latest shown), data-latency (ms from the pointer's event
   to the prediction on the screen) and data-digit-NETWORK. */

const SIZE = 280;
const NEAR = 0.8; // points nearer than this to the last one add nothing
const SEND_EVERY = 16; // ms between two requests
const PATIENCE = 5000; // ms after which an unanswered channel counts as lost
const STEP = 6, FINE_STEP = 2; // units that an arrow key moves, and with Shift
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const GONE = 4404; // close code: the server does not know the token

const pads = new WeakMap();

/** Streamlit calls this at the first mount and whenever data, theme or page change; the result is called at the end. */
export default function mount(component) {
  const { parentElement } = component;
  if (!pads.has(parentElement)) pads.set(parentElement, new Pad(parentElement, component));
  const pad = pads.get(parentElement);
  pad.update(component);
  return () => {
    pad.close();
    pads.delete(parentElement);
  };
}

// ------------------------------------------------------------------------------------------------------- the drawing

/** Strokes with undo and redo. `strokes` is replaced at every change, so that an older value stays what it was. */
class Drawing {
  strokes = [];
  past = [];
  future = [];

  get points() {
    return this.strokes.reduce((sum, stroke) => sum + stroke.length, 0);
  }

  /** Make the change since `before` one step that can be undone. */
  record(before) {
    if (before === this.strokes) return;
    this.past.push(before);
    this.future = [];
  }

  /** Take back a step, or (from future to past) do it again; return whether there was one. */
  undo(from = this.past, to = this.future) {
    if (!from.length) return false;
    to.push(this.strokes);
    this.strokes = from.pop();
    return true;
  }

  redo() {
    return this.undo(this.future, this.past);
  }

  /** Remove what lies within `radius` of the line from a to b. */
  erase(a, b, radius) {
    const steps = Math.max(1, Math.ceil((2 * distance(a, b)) / radius));
    for (let i = 1; i <= steps; i++) {
      const centre = between(a, b, i / steps);
      const left = this.strokes.flatMap((stroke) => cut(stroke, centre, radius));
      const same = left.length === this.strokes.length && left.every((stroke, k) => stroke === this.strokes[k]);
      if (!same) this.strokes = left;
    }
  }
}

const distance = ([ax, ay], [bx, by]) => Math.hypot(bx - ax, by - ay);
const between = ([ax, ay], [bx, by], t) => [ax + t * (bx - ax), ay + t * (by - ay)];
const tenth = ([x, y]) => [Math.round(10 * x) / 10, Math.round(10 * y) / 10];
const inside = (point) => point.map((value) => Math.min(Math.max(value, 0), SIZE));

/** Return the pieces of a stroke that lie outside a disc: itself when it is not touched. */
function cut(stroke, centre, radius) {
  if (stroke.length === 1) return distance(stroke[0], centre) < radius ? [] : [stroke];
  const pieces = [];
  let piece = null, touched = false;
  for (let i = 1; i < stroke.length; i++) {
    const [a, b] = [stroke[i - 1], stroke[i]];
    const hit = crossing(a, b, centre, radius);
    if (!hit) {
      piece ??= [a];
      piece.push(b);
      continue;
    }
    touched = true;
    if (hit[0] > 0) {
      piece ??= [a];
      piece.push(tenth(between(a, b, hit[0])));
    }
    if (piece) pieces.push(piece);
    piece = hit[1] < 1 ? [tenth(between(a, b, hit[1])), b] : null;
  }
  if (piece) pieces.push(piece);
  return touched ? pieces.filter((left) => distance(left[0], left.at(-1)) > 1 || left.length > 3) : [stroke];
}

/** Return the part [t₀, t₁] of the line a + t (b − a), 0 ≤ t ≤ 1, inside a disc: |a + t (b − a) − centre| < radius. */
function crossing(a, b, centre, radius) {
  const d = [b[0] - a[0], b[1] - a[1]], f = [a[0] - centre[0], a[1] - centre[1]];
  const A = d[0] * d[0] + d[1] * d[1], B = f[0] * d[0] + f[1] * d[1], C = f[0] * f[0] + f[1] * f[1] - radius * radius;
  if (A === 0) return C < 0 ? [0, 1] : null;
  const root = Math.sqrt(B * B - A * C); // NaN: the line passes by
  const from = Math.max(0, (-B - root) / A), to = Math.min(1, (-B + root) / A);
  return from < to ? [from, to] : null;
}

// ------------------------------------------------------------------------------------------------------- the channel

/** A WebSocket to /read/{token} that is opened again, ever more patiently, when it is lost. */
class Channel {
  constructor({ opened, received, lost, gone }) {
    Object.assign(this, { opened, received, lost, gone, token: null, socket: null, failures: 0, timer: 0 });
    this.retry = () => this.socket || this.token === null || this.connect();
    addEventListener("online", this.retry);
  }

  /** Speak with the reader of this token from now on. */
  open(token) {
    if (token === this.token) return;
    this.token = token;
    this.failures = 0;
    this.connect();
  }

  get ready() {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    clearTimeout(this.timer);
    this.drop();
    const url = new URL(`read/${this.token}`, document.baseURI);
    url.protocol = url.protocol.replace("http", "ws");
    const socket = (this.socket = new WebSocket(url));
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.opened();
    socket.onmessage = (event) => {
      this.failures = 0;
      this.received(event.data);
    };
    socket.onclose = (event) => {
      this.socket = null;
      const wait = Math.min(10000, 250 * 2 ** this.failures++) * (0.75 + Math.random() / 2);
      this.timer = setTimeout(this.retry, wait);
      if (event.code === GONE) this.gone(this.token);
      else this.lost();
    };
  }

  /** Let go of the socket, if there is one, without hearing from it again. */
  drop() {
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
    this.socket = null;
  }

  close() {
    removeEventListener("online", this.retry);
    clearTimeout(this.timer);
    this.token = null;
    this.drop();
  }
}

/** Return header and arrays of a message: uint32 length | JSON | arrays, each padded to 4 bytes (engine.runs.protocol). */
function decode(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const arrays = {};
  let position = 4 + length;
  for (const [name, kind, shape] of header.arrays) {
    const count = shape.reduce((product, size) => product * size, 1);
    const Type = { f4: Float32Array, i4: Int32Array, u1: Uint8Array }[kind];
    arrays[name] = new Type(buffer, position, count);
    position += 4 * Math.ceil((count * Type.BYTES_PER_ELEMENT) / 4);
  }
  return [header, arrays];
}

// ---------------------------------------------------------------------------------------------------------- the view

const ICONS = {
  pen: "M4 20l1-4L16.5 4.5a2 2 0 0 1 3 3L8 19l-4 1zM14.5 6.5l3 3",
  eraser: "M8.5 19.5L3.8 14.8a1.5 1.5 0 0 1 0-2.1l8.4-8.4a1.5 1.5 0 0 1 2.1 0l5.2 5.2a1.5 1.5 0 0 1 0 2.1l-7.9 7.9z"
    + "M8.5 19.5H20M8 8.5l7.3 7.3",
  undo: "M9 6L4.5 10.5 9 15M4.5 10.5H14a5 5 0 0 1 0 10h-3",
  redo: "M15 6l4.5 4.5L15 15M19.5 10.5H10a5 5 0 0 0 0 10h3",
  clear: "M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 10.5v6M13.5 10.5v6",
};

/** Return a new element. Properties starting with "aria-", "data-" or "role" become attributes. */
function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(aria-|data-|role)/.test(name)) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

function icon(name) {
  const template = document.createElement("template");
  template.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
  return template.content.firstChild;
}

/** The elements of a pad. Words are put in by `label`, so that a new language changes nothing else. */
class View {
  constructor(parent) {
    const { href, search } = new URL(import.meta.url);
    const style = element("link", { rel: "stylesheet", href: new URL(`canvas.css${search}`, href) });
    this.words = []; // functions that put the words of one element in
    this.networks = new Map();

    this.paper = element("canvas", { tabIndex: 0, role: "application", "aria-describedby": "keys" });
    this.hint = this.text("p", "hint", { className: "hint" });
    this.tools = Object.fromEntries(["pen", "eraser", "undo", "redo", "clear"].map((name) => [name, this.button(name)]));
    this.width = element("input", { type: "range", id: "width" });
    this.picture = element("canvas", { width: 28, height: 28, role: "img" });
    this.between = this.text("p", "before");
    this.cards = element("div", { className: "cards" });
    this.problem = element("p", { className: "problem", role: "alert", hidden: true });
    this.status = element("p", { className: "unseen", role: "status" });

    const { pen, eraser, undo, redo, clear } = this.tools;
    this.bar = element("div", { className: "tools", role: "toolbar" },
      element("div", { className: "group", role: "group" }, pen, eraser),
      element("div", { className: "group" }, undo, redo, clear),
      element("div", { className: "width" }, this.text("label", "width", { htmlFor: "width" }), this.width));
    const keys = this.text("p", "keys", { className: "keys", id: "keys" });
    this.root = element("div", { className: "kasane-canvas", hidden: true },
      element("div", { className: "columns" },
        element("section", { className: "draw" },
          this.text("h2", "draw"), element("div", { className: "paper" }, this.paper, this.hint, keys), this.bar),
        element("section", { className: "sees" },
          this.text("h2", "sees"), element("div", { className: "picture" }, this.picture), this.between),
        element("section", { className: "reads" },
          this.text("h2", "reads"), this.cards, this.problem)),
      this.status);
    this.words.push((labels) => {
      this.paper.setAttribute("aria-label", labels.pad);
      this.picture.setAttribute("aria-label", labels.picture);
      this.bar.setAttribute("aria-label", labels.tools);
    });
    style.onload = style.onerror = () => (this.root.hidden = false); // no flash of bare elements
    parent.append(style, this.root);
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
    this.percent = (share) => numbers.format(share);
    for (const put of this.words) put(labels);
  }

  /** Draw the strokes; ring: the place and radius of eraser or keyboard pen, down: whether that pen draws. */
  paint(strokes, width, ring, down) {
    const { paper } = this, pixels = Math.max(1, Math.round(paper.clientWidth * devicePixelRatio));
    if (paper.width !== pixels) paper.width = paper.height = pixels;
    const draw = paper.getContext("2d"), { color, accentColor } = getComputedStyle(paper);
    draw.setTransform(pixels / SIZE, 0, 0, pixels / SIZE, 0, 0);
    draw.clearRect(0, 0, SIZE, SIZE);
    draw.lineCap = draw.lineJoin = "round";
    draw.strokeStyle = color;
    draw.lineWidth = width;
    draw.beginPath();
    for (const stroke of strokes) {
      draw.moveTo(...stroke[0]);
      if (stroke.length === 1) draw.lineTo(...stroke[0]);
      else for (let i = 1; i < stroke.length; i++) draw.lineTo(...stroke[i]);
    }
    draw.stroke();
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
  }

  /** Show which tool is in hand and what can be undone. */
  showTools(erasing, drawing) {
    const { pen, eraser, undo, redo, clear } = this.tools;
    pen.setAttribute("aria-pressed", !erasing);
    eraser.setAttribute("aria-pressed", erasing);
    this.paper.classList.toggle("erasing", erasing);
    undo.disabled = !drawing.past.length;
    redo.disabled = !drawing.future.length;
    clear.disabled = !drawing.strokes.length;
  }

  /** Show a reply: the picture that the networks were given, and what each makes of it. */
  show(header, image) {
    const draw = this.picture.getContext("2d"), pixels = draw.createImageData(28, 28);
    const rgba = new Uint32Array(pixels.data.buffer);
    image.forEach((ink, i) => (rgba[i] = 0xff000000 | (ink * 0x010101)));
    draw.putImageData(pixels, 0, 0);
    this.between.textContent = header.empty ? this.labels.before : fill(this.labels.between, header);
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
      this.root.setAttribute(`data-digit-${network.name}`, network.classes?.[network.digit] ?? "");
    }
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
    const said = able.map(({ label, classes, probabilities, digit }) =>
      fill(labels.top, { network: label, name: classes[digit], percent: percent(probabilities[digit]) }));
    this.status.textContent = header.empty ? labels.empty : said.join(". ");
  }
}

const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** What one network reads: its answer in large, and a bar for each class. */
class Card {
  constructor(name) {
    this.title = element("h3");
    this.about = element("p", { className: "about" });
    this.answer = element("p", { className: "answer" });
    this.sure = element("p", { className: "sure" });
    this.bars = element("div", { className: "bars" });
    this.unable = element("p", { className: "unable" });
    const top = element("div", { className: "top" }, this.answer, this.sure);
    this.root = element("article", { className: "card", "data-network": name },
      element("header", {}, element("div", {}, this.title, this.about), top), this.bars, this.unable);
    this.rows = [];
  }

  show(network, labels, percent) {
    const { classes = [], probabilities = [], digit = null } = network;
    this.title.textContent = network.label;
    this.about.textContent = network.about ?? "";
    this.unable.textContent = network.unable ?? "";
    this.unable.hidden = !network.unable;
    this.bars.hidden = Boolean(network.unable);
    this.root.classList.toggle("waiting", digit === null);
    this.answer.textContent = classes[digit] ?? "?";
    this.answer.classList.toggle("word", (classes[digit] ?? "").length > 2);
    this.sure.textContent = digit === null ? (network.unable ? "" : labels.empty) : percent(probabilities[digit]);
    if (this.rows.map((row) => row.name).join() !== classes.join()) this.build(classes);
    this.rows.forEach((row, i) => {
      row.show(probabilities[i], i === digit, fill(labels.probability, { name: classes[i] }), percent);
    });
  }

  build(classes) {
    this.rows = classes.map((name) => new Bar(name));
    this.bars.replaceChildren(...this.rows.map((row) => row.root));
  }
}

/** One class and its probability. */
class Bar {
  constructor(name) {
    this.name = name;
    this.filled = element("span", { className: "filled" });
    this.value = element("span", { className: "value" });
    this.root = element("div", { className: "bar", role: "meter", "aria-valuemin": 0, "aria-valuemax": 100 },
      element("span", { className: "name" }, name), element("span", { className: "track" }, this.filled), this.value);
  }

  show(probability, top, label, percent) {
    const text = percent(probability);
    this.root.classList.toggle("best", top);
    this.filled.style.transform = `scaleX(${probability})`;
    this.value.textContent = text;
    this.root.setAttribute("aria-label", label);
    this.root.setAttribute("aria-valuenow", Math.round(100 * probability));
    this.root.setAttribute("aria-valuetext", text);
  }
}

// ----------------------------------------------------------------------------------------------------------- the pad

class Pad {
  constructor(parent, component) {
    const { data } = component;
    this.drawing = new Drawing();
    this.view = new View(parent);
    this.channel = new Channel({
      opened: () => this.reconnected(),
      received: (buffer) => this.receive(...decode(buffer)),
      lost: () => this.view.complain(this.view.labels.lost),
      gone: (token) => this.component.setTriggerValue("gone", token),
    });
    this.gesture = null; // {last, before, erasing, pointer}: what a hand, or the keyboard, is doing right now
    this.erasing = false; // which tool is in hand
    this.cursor = [SIZE / 2, SIZE / 2]; // of the keyboard
    this.ring = null; // where eraser or keyboard pen is shown
    this.seq = this.shown = this.replies = 0;
    this.underway = null; // {seq, since}: the request without an answer yet
    this.changedAt = null; // time of the earliest event that no request has carried yet
    this.announceFrom = null; // tell the prediction when this reply, or a later one, is here
    this.storage = `kasane-canvas-${data.key}`;
    Object.assign(this.view.width, { min: data.pen.low, max: data.pen.high, value: data.pen.value });
    this.listen();
    this.component = component;
    this.restore();
  }

  /** Take over what the page says: token, words, theme. */
  update(component) {
    const { data } = (this.component = component);
    this.limits = data.limits;
    this.view.label(data.labels, data.language);
    this.channel.open(data.token);
    this.repaint();
    this.again();
  }

  close() {
    this.channel.close();
    this.resized.disconnect();
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
  }

  // ------------------------------------------------------------------------------------------------------- hands in

  listen() {
    const { paper, tools, width } = this.view;
    paper.onpointerdown = (event) => this.pointerDown(event);
    paper.onpointermove = (event) => this.pointerMove(event);
    paper.onpointerup = paper.onpointercancel = paper.onlostpointercapture = (event) => this.pointerUp(event);
    paper.onpointerleave = () => this.gesture || this.showRing(null);
    paper.oncontextmenu = (event) => event.preventDefault();
    paper.onkeydown = (event) => this.keyDown(event);
    paper.onkeyup = (event) => this.pressed.delete(event.key);
    paper.onblur = () => this.leaveKeyboard();
    this.pressed = new Set(); // arrow keys that are down
    tools.pen.onclick = () => this.takeTool(false);
    tools.eraser.onclick = () => this.takeTool(true);
    tools.undo.onclick = (event) => this.undo(event);
    tools.redo.onclick = (event) => this.redo(event);
    tools.clear.onclick = (event) => this.clear(event);
    width.oninput = () => this.repaint();
    this.resized = new ResizeObserver(() => this.repaint());
    this.resized.observe(paper);
  }

  get penWidth() {
    return Number(this.view.width.value);
  }

  /** The radius of the eraser that is seen; it takes whatever ink it touches. */
  get eraserRadius() {
    return 5 + this.penWidth / 2;
  }

  /** Return an event's place in units of the pad. */
  place(event) {
    const box = this.view.paper.getBoundingClientRect();
    return [((event.clientX - box.left) * SIZE) / box.width, ((event.clientY - box.top) * SIZE) / box.height];
  }

  pointerDown(event) {
    if (event.button !== 0 && event.button !== 5) return; // 5: the eraser end of a pen
    if (this.gesture?.pointer !== undefined) return; // one finger draws; others do nothing
    this.end();
    this.view.paper.setPointerCapture(event.pointerId);
    this.begin(this.place(event), this.erasing || event.button === 5, event.timeStamp, event.pointerId);
  }

  pointerMove(event) {
    if (this.gesture?.pointer === event.pointerId) {
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this.extend(this.place(each), event.timeStamp);
      this.showRing(this.gesture.erasing ? this.gesture.last : null);
    } else if (!this.gesture && event.pointerType !== "touch") {
      this.showRing(this.erasing ? this.place(event) : null);
    }
  }

  pointerUp(event) {
    if (this.gesture?.pointer !== event.pointerId) return;
    this.end();
    this.showRing(null);
  }

  keyDown(event) {
    const command = event.ctrlKey || event.metaKey, key = event.key.toLowerCase();
    if (event.key in ARROWS && !command) this.moveCursor(event);
    else if (event.key === " ") event.repeat || this.togglePen(event);
    else if (event.key === "Delete" || event.key === "Backspace") this.clear(event);
    else if (command && key === "z" && !event.shiftKey) this.undo(event);
    else if (command && (key === "y" || key === "z")) this.redo(event);
    else if (key === "e" && !command && !event.altKey) this.takeTool(!this.erasing);
    else return;
    event.preventDefault();
    event.stopPropagation(); // the page has shortcuts of its own
  }

  /** Move the keyboard's pen; two arrows at once move it along the diagonal. */
  moveCursor(event) {
    this.pressed.add(event.key);
    const step = event.shiftKey ? FINE_STEP : STEP;
    for (const key of this.pressed) {
      this.cursor = inside([this.cursor[0] + step * ARROWS[key][0], this.cursor[1] + step * ARROWS[key][1]]);
    }
    if (this.gesture) this.extend(this.cursor, event.timeStamp);
    this.showRing(this.cursor);
  }

  togglePen(event) {
    if (this.gesture) this.end();
    else this.begin(this.cursor, this.erasing, event.timeStamp);
    this.showRing(this.cursor);
  }

  leaveKeyboard() {
    this.pressed.clear();
    if (this.gesture && this.gesture.pointer === undefined) this.end();
    this.showRing(null);
  }

  takeTool(erasing) {
    this.end();
    this.erasing = erasing;
    this.showRing(this.ring?.at);
  }

  // ----------------------------------------------------------------------------------------------------- the strokes

  /** Tell whether the drawing has as many strokes or points as it may have. */
  isFull() {
    return this.drawing.strokes.length >= this.limits.strokes || this.drawing.points >= this.limits.points;
  }

  /** Put pen or eraser down. */
  begin(point, erasing, time, pointer) {
    const before = this.drawing.strokes;
    point = tenth(inside(point));
    if (!erasing && this.isFull()) {
      this.view.complain(this.view.labels.full);
      return;
    }
    this.gesture = { last: point, before, erasing, pointer };
    if (erasing) this.erase(point, point);
    else this.drawing.strokes = [...before, [point]];
    this.changed(time);
  }

  /** Move it. */
  extend(point, time) {
    point = tenth(inside(point));
    const { last, erasing } = this.gesture;
    if (distance(last, point) < NEAR) return;
    if (erasing) this.erase(last, point);
    else if (this.drawing.points < this.limits.points) this.drawing.strokes.at(-1).push(point);
    this.gesture.last = point;
    this.changed(time);
  }

  erase(from, to) {
    this.drawing.erase(from, to, this.eraserRadius + this.penWidth / 2);
  }

  /** Lift it: what was done is one step, and the page gets the drawing. */
  end() {
    if (!this.gesture) return;
    const { before } = this.gesture;
    this.gesture = null;
    this.drawing.record(before);
    this.settled();
  }

  undo(event) {
    this.end();
    if (this.drawing.undo()) this.jumped(event);
  }

  redo(event) {
    this.end();
    if (this.drawing.redo()) this.jumped(event);
  }

  clear(event) {
    this.end();
    const before = this.drawing.strokes;
    if (!before.length) return;
    this.drawing.strokes = [];
    this.drawing.record(before);
    this.jumped(event);
  }

  jumped(event) {
    this.changed(event.timeStamp);
    this.settled();
  }

  /** The drawing is another one since `time`: show it and ask the networks. */
  changed(time) {
    this.changedAt ??= time;
    this.repaint();
    this.ask();
  }

  /** The drawing will stay as it is for a moment: announce what is read, keep it, and hand it to the page. */
  settled() {
    this.announceFrom = this.changedAt === null ? this.seq : this.seq + 1;
    if (this.shown >= this.announceFrom) this.announce();
    this.repaint();
    const { strokes } = this.drawing;
    try {
      sessionStorage.setItem(this.storage, JSON.stringify(strokes));
    } catch {
      // a browser that keeps nothing: the drawing then lives as long as the page
    }
    this.component.setStateValue("drawing", { strokes });
  }

  /** Bring back what was drawn before the page was left or reloaded. */
  restore() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.storage));
      const isPoint = (point) => point.length === 2 && point.every(Number.isFinite);
      if (!kept?.length || !kept.every((stroke) => stroke.length && stroke.every(isPoint))) return;
      this.drawing.strokes = kept;
      this.component.setStateValue("drawing", { strokes: kept });
    } catch {
      // nothing kept, or nothing legible
    }
  }

  showRing(at) {
    if (!at && !this.ring) return;
    this.ring = at && { at, radius: this.erasing || this.gesture?.erasing ? this.eraserRadius : this.penWidth / 2 };
    this.repaint();
  }

  repaint() {
    this.view.paint(this.drawing.strokes, this.penWidth, this.ring, Boolean(this.gesture));
    this.view.showTools(this.erasing, this.drawing);
  }

  // -------------------------------------------------------------------------------------------- questions and replies

  /** Send the drawing as soon as no other is under way and the last one is long enough ago. */
  ask() {
    if (this.changedAt === null || this.underway || !this.channel.ready) return;
    clearTimeout(this.timer);
    const wait = (this.askedAt ?? 0) + SEND_EVERY - performance.now();
    if (wait > 0) {
      this.timer = setTimeout(() => this.ask(), wait);
      return;
    }
    this.askedAt = performance.now();
    this.underway = { seq: ++this.seq, since: this.changedAt };
    this.changedAt = null;
    this.channel.socket.send(JSON.stringify({ seq: this.seq, strokes: this.drawing.strokes }));
    this.watchdog = setTimeout(() => this.channel.connect(), PATIENCE);
  }

  /** Take a reply. The server also sends some unasked, when a network has learned more. */
  receive(header, arrays) {
    const { underway } = this;
    if (header.seq === underway?.seq || header.error) {
      clearTimeout(this.watchdog);
      this.underway = null;
      this.ask();
    }
    if (header.error) {
      this.view.complain(header.error);
      return;
    }
    const reply = { header, image: arrays.image, since: header.seq === underway?.seq ? underway.since : null };
    if (!this.latest) requestAnimationFrame(() => this.show());
    this.latest = reply;
  }

  /** Show the latest reply, once a frame of the screen. */
  show() {
    const { header, image, since } = this.latest;
    this.latest = null;
    const { problem, labels } = this.view;
    if (problem.textContent !== labels.full || !this.isFull()) this.view.complain(); // a late answer leaves "full" stand
    this.view.show(header, image);
    this.said = header;
    this.shown = header.seq;
    const { dataset } = this.view.root;
    dataset.seq = header.seq;
    if (since !== null) dataset.latency = (performance.now() - since).toFixed(1);
    dataset.replies = ++this.replies; // last: whoever waits for it finds the others up to date
    if (this.announceFrom !== null && this.shown >= this.announceFrom) this.announce();
  }

  announce() {
    this.announceFrom = null;
    this.view.announce(this.said);
  }

  /** After a (new) connection. */
  reconnected() {
    clearTimeout(this.watchdog);
    this.underway = null;
    this.view.complain();
    this.again();
  }

  /** Ask for what is on the paper, though nothing was drawn. */
  again() {
    this.changedAt ??= performance.now();
    this.ask();
  }
}
