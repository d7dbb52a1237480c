/* The drawing pad.

   drawing.js   the strokes and what was undone            no screen, no network
   view.js      the elements on the screen; inside.js: the feature maps among them
   Pad          ties them: hands in, strokes out over the channel, replies into the view

   One request is under way at a time; what is drawn meanwhile goes with the next, so the newest always wins.
   For tests the root carries data-replies (count), data-seq (latest shown), data-latency (ms from the pointer's event
   to the prediction on the screen), data-maps (how often feature maps were drawn) and data-digit-NETWORK. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url)); // the same version as this file
const [{ Drawing, SIZE, distance, inside, tenth }, { View }, { Channel, decode }, { fill }, { mounted, onOtherScreen }] = await Promise.all(
  ["drawing", "view", "../served/channel", "../served/dom", "../served/mount"].map(load));

const NEAR = 0.8; // points nearer than this to the last one add nothing
const SEND_EVERY = 16; // ms between two requests
const PATIENCE = 5000; // ms after which an unanswered channel counts as lost
const PEN = { min: 6, max: 28, value: 16 }; // its width in units of the pad
const STEP = 6, FINE_STEP = 2; // units that an arrow key moves, and with Shift
const NARROW = matchMedia("(max-width: 44rem)"); // where one column holds all: feature maps would bury what follows
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export default mounted((component) => new Pad(component.parentElement, component));

class Pad {
  constructor(parent, component) {
    const { data } = component;
    this.drawing = new Drawing();
    this.view = new View(parent);
    this.channel = new Channel({
      received: (buffer) => this.receive(...decode(buffer)),
      opened: () => this.reconnected(),
      lost: () => this.view.complain(this.view.labels.lost),
      gone: (place) => this.component.setTriggerValue("gone", place.split("/").at(-1)),
    });
    this.gesture = null; // {last, before, erasing, pointer}: what a hand, or the keyboard, is doing right now
    this.erasing = false; // which tool is in hand
    this.cursor = [SIZE / 2, SIZE / 2]; // of the keyboard
    this.ring = null; // where eraser or keyboard pen is shown
    this.seq = this.shown = this.replies = 0;
    this.underway = null; // {seq, since}: the request without an answer yet
    this.changedAt = null; // time of the earliest event that no request has carried yet
    this.announceFrom = null; // tell the prediction when this reply, or a later one, is here
    this.mapsDrawn = 0;
    this.pieces = null; // the drawing in the colours of what its pieces do to the answer
    this.serial = 0; // of what was said last
    this.label = null; // {serial, digit}: what was said of the drawing on the paper
    this.unheard = []; // {serial, label, strokes} of what was said and the page has not heard
    this.storage = `kasane-canvas-${data.key}`;
    Object.assign(this.view.width, PEN);
    this.listen();
    this.component = component;
    this.restore();
    this.restoreLook();
    this.allowCorrection();
  }

  /** Take over what the page says: token, words, theme. */
  update(component) {
    const { data } = (this.component = component);
    this.limits = data.limits;
    this.view.label(data.labels, data.language);
    this.acknowledge(data.heard);
    this.mirror(data.kept);
    this.channel.open(`read/${data.token}`);
    this.repaint();
    this.again();
  }

  close() {
    this.channel.close();
    this.resized.disconnect();
    this.leaveScreen();
    this.view.inside.close();
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
    for (const choice of Object.values(this.view.why)) choice.onchange = () => this.lookElsewhere();
    this.view.network.onchange = () => this.lookElsewhere();
    this.view.maps.onclick = () => this.showMaps(this.view.inside.root.hidden);
    for (const button of this.view.corrections) button.onclick = () => this.correct(button);
    this.resized = new ResizeObserver(() => this.repaint());
    this.resized.observe(paper);
    this.leaveScreen = onOtherScreen(() => {
      this.view.inside.lay();
      this.view.paintBox(this.drawing.strokes);
      this.repaint();
    });
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
    if (event.altKey) return; // the browser's own
    const command = event.ctrlKey || event.metaKey, key = event.key.toLowerCase();
    if (event.key in ARROWS && !command) this.moveCursor(event);
    else if (event.key === " ") event.repeat || this.togglePen(event);
    else if (event.key === "Delete" || event.key === "Backspace") this.clear(event);
    else if (command && key === "z" && !event.shiftKey) this.undo(event);
    else if (command && (key === "y" || key === "z")) this.redo(event);
    else if (key === "e" && !command) this.takeTool(!this.erasing);
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
    this.view.showTools(erasing, this.drawing); // there is a ring only where the tool is over the pad
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

  /** Lift it: what was done is one step. */
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
    this.pieces = null;
    this.allowCorrection();
    this.repaint();
    this.ask();
  }

  /** The drawing will stay as it is for a moment: announce what is read, and keep it. */
  settled() {
    this.announceFrom = this.changedAt === null ? this.seq : this.seq + 1;
    if (this.shown >= this.announceFrom) this.announce();
    if (this.why) this.again(); // what takes long is asked only of a drawing at rest
    this.repaint();
    try {
      sessionStorage.setItem(this.storage, JSON.stringify(this.drawing.strokes)); // the Convolution page looks there, too
    } catch {
      // a browser that keeps nothing: the drawing then lives as long as the page
    }
  }

  /** Bring back what was drawn before the page was left or reloaded. */
  restore() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(this.storage));
      const isPoint = (point) => point.length === 2 && point.every(Number.isFinite);
      if (kept?.length && kept.every((stroke) => stroke.length && stroke.every(isPoint))) this.drawing.strokes = kept;
    } catch {
      // nothing kept, or nothing legible
    }
  }

  /** Keep a text of the page's as long as the tab is open, or hand back the one kept (once) where the page has none. */
  mirror(text) {
    const place = `${this.storage}-kept`;
    try {
      if (text !== null) {
        this.handedBack = false;
        sessionStorage.removeItem(place); // rather none than an old one, should there be no room for it
        if (text) sessionStorage.setItem(place, text);
      } else if (!this.handedBack && sessionStorage.getItem(place)) {
        this.handedBack = true;
        this.component.setTriggerValue("returned", sessionStorage.getItem(place));
      }
    } catch {
      // a browser that keeps nothing: the page says that there is a file to download
    }
  }

  showRing(at) {
    if (!at && !this.ring) return;
    this.ring = at && { at, radius: this.erasing || this.gesture?.erasing ? this.eraserRadius : this.penWidth / 2 };
    this.repaint();
  }

  repaint() {
    this.view.paint(this.drawing.strokes, this.penWidth, this.ring, Boolean(this.gesture), this.pieces);
    this.view.showTools(this.erasing, this.drawing);
  }

  // ----------------------------------------------------------------------------------------------- looking and telling

  /** What the person wants to know the reasons by, "" for nothing. */
  get why() {
    return Object.values(this.view.why).find((choice) => choice.checked).value;
  }

  /** Return what a question asks for beside the answer: the inside of a network. */
  look() {
    const maps = !this.view.inside.root.hidden, why = this.gesture && this.why !== "gradient" ? "" : this.why;
    return maps || why ? { network: this.view.network.value, maps, why } : {};
  }

  lookElsewhere() {
    this.pieces = null;
    this.repaint();
    this.keepLook();
    this.again();
  }

  showMaps(shown) {
    this.view.inside.root.hidden = !shown;
    this.view.maps.setAttribute("aria-checked", shown);
    this.view.showFrame();
    this.keepLook();
    this.again();
  }

  keepLook() {
    const look = { why: this.why, maps: !this.view.inside.root.hidden };
    try {
      sessionStorage.setItem(`${this.storage}-look`, JSON.stringify(look));
    } catch {
      // a browser that keeps nothing: the choice then lives as long as the page
    }
  }

  restoreLook() {
    let look = {};
    try {
      look = JSON.parse(sessionStorage.getItem(`${this.storage}-look`)) ?? {};
    } catch {
      // nothing kept, or nothing legible
    }
    if (look.why in this.view.why) this.view.why[look.why].checked = true;
    const shown = look.maps ?? !NARROW.matches;
    this.view.inside.root.hidden = !shown;
    this.view.maps.setAttribute("aria-checked", shown);
  }

  /** Tell the page what was drawn, and again what it has not heard: while it is busy, the latest message is all it gets. */
  correct(button) {
    this.end();
    const digit = Number(button.dataset.label);
    this.allowCorrection();
    this.label = { serial: ++this.serial, digit };
    button.setAttribute("aria-pressed", true);
    this.view.allow(button, false); // the other digits would take its place
    this.unheard = [...this.unheard, { serial: this.serial, label: digit, strokes: this.drawing.strokes }];
    this.component.setTriggerValue("labelled", this.unheard.slice(-this.limits.labelled));
  }

  /** Take in up to which serial number the page has heard, and whether what that one says is kept. */
  acknowledge({ serial, kept }) {
    this.serial = Math.max(this.serial, serial);
    this.unheard = this.unheard.filter((said) => said.serial > serial);
    if (this.label?.serial !== serial) return;
    if (!kept) { // it was refused, or taken out again
      this.allowCorrection();
      return;
    }
    const words = fill(this.view.labels.kept, this.label);
    if (this.view.kept.textContent !== words) this.view.kept.textContent = this.view.status.textContent = words;
  }

  /** Offer the ten digits for what is on the paper now. */
  allowCorrection() {
    this.label = null;
    for (const button of this.view.corrections) {
      this.view.allow(button, this.drawing.strokes.length);
      button.removeAttribute("aria-pressed");
    }
    this.view.kept.textContent = "";
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
    this.channel.send(JSON.stringify({ seq: this.seq, strokes: this.drawing.strokes, ...this.look() }));
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
    const reply = { header, arrays, since: header.seq === underway?.seq ? underway.since : null };
    if (!this.latest) requestAnimationFrame(() => this.show());
    this.latest = reply;
  }

  /** Show the latest reply, once a frame of the screen. */
  show() {
    const { header, arrays, since } = this.latest;
    this.latest = null;
    const { problem, labels } = this.view;
    if (problem.textContent !== labels.full || !this.isFull()) this.view.complain(); // a late answer leaves "full" stand
    this.view.show(header, arrays);
    this.view.paintBox(this.drawing.strokes);
    this.said = header;
    this.shown = header.seq;
    const { dataset } = this.view.root, why = header.inside?.why;
    if (why?.kind === "strokes" && header.seq === this.seq && this.changedAt === null && !this.gesture) {
      this.pieces = this.view.pieces(why, arrays);
      this.repaint();
    }
    if (header.inside?.blocks.length) dataset.maps = ++this.mapsDrawn;
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
