/**
 * A view owns one Channel, the newest Frame, and Blocks, one for each thing that is drawn. A block is drawn again when
 * what it shows has changed (its `stamp`), it is on the screen, and it has rested long enough for what its last drawing
 * cost: looking must not take the machine away from learning. Off the screen it is drawn only when it may look otherwise
 * altogether (another run, words, theme or width), so that it has its height before it comes into sight: nothing moves.
 * Frames are never queued, the newest wins.
 */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Frame }, { MAX_BANDS }, { formats, readTheme, stylesheet }, { Channel }, { fill }, { mounted, onOtherScreen }] =
  await Promise.all(["frame", "charts", "look", "../served/channel", "../served/dom", "../served/mount"].map(load));

const memory = new Map(); // key → what was chosen there: options, and sets of hidden lines
const mounts = new Map(); // key → how often the component was mounted

const SPEAK_EVERY = 2000; // milliseconds between two updates of the text alternatives
const A_WHILE = 400; // milliseconds that a state lasts before the page's buttons have to suit it
const LONG = 40; // milliseconds of drawing at once
const ENDED = new Set(["completed", "diverged", "error", "gone"]);

/** Return what Streamlit is to call to show a component in a view of this kind, as soon as its styles are there. */
export const shown = (kind, ready = stylesheet) =>
  mounted(({ parentElement, data }) => new kind(parentElement.querySelector(".kasane-liveview"), data), ready);

/** One mounted component: what it is told by the page, what comes over the channel, and when to draw what. */
export class View {
  /** content: everything that is there before the first frame, for a mount of this id. options: what is chosen at first. */
  constructor(root, data, content, options) {
    this.root = root;
    this.received = 0;
    this.look = 0; // changes with theme, words and choices: everything is to be drawn again
    this.kept = memory.get(data.key) ?? { options: { x: "steps", loss: "linear", ...options }, hidden: {} };
    this.options = this.kept.options;
    memory.set(data.key, this.kept);
    this.channel = new Channel({
      received: (buffer) => this.receive(new Frame(buffer, this.data.token)),
      opened: () => this.lost(false),
      lost: () => this.lost(true),
      gone: () => {
        this.channel.open(null);
        this.enter("gone");
      },
    });
    mounts.set(data.key, (mounts.get(data.key) ?? 0) + 1);
    Object.assign(root.dataset, { frames: 0, step: 0, state: "starting", mounts: mounts.get(data.key) });
    root.style.minHeight = "";
    // Streamlit fades what a slow rerun has not come to yet; this is never out of date.
    root.closest("[data-testid=stElementContainer]")?.style.setProperty("opacity", "1", "important");
    root.innerHTML = content(`klv-${data.key}-${mounts.get(data.key)}`);
    for (const [option, value] of Object.entries(this.options)) {
      const input = root.querySelector(`[data-option=${option}] [value=${value}]`);
      if (input) input.checked = true;
    }
    root.addEventListener("change", (event) => this.choose(event.target));
    root.addEventListener("click", (event) => this.use(event.target.closest("[data-tool]")));
  }

  /** Return the set of lines that are hidden in one of the charts, as it was left. */
  hiddenIn(name) {
    return (this.kept.hidden[name] ??= new Set());
  }

  /** Draw these from now on. The first is the status, which shows the state too. */
  place(blocks) {
    this.blocks = blocks;
    [this.status] = blocks;
    this.observe();
  }

  /** Keep track of what is on the screen and how wide it is, without ever asking the page for its layout. */
  observe() {
    const blockOf = (element) => this.blocks.find((block) => block.element === element || block.figure === element);
    this.seen = new IntersectionObserver((entries) => {
      for (const entry of entries) blockOf(entry.target).visible = entry.isIntersecting;
      this.schedule();
    }, { rootMargin: "80px" });
    this.sized = new ResizeObserver((entries) => {
      for (const { target, contentRect: { width, height } } of entries) {
        Object.assign(blockOf(target), { width: Math.floor(width), height: Math.floor(height) });
      }
      this.schedule();
    });
    for (const block of this.blocks) {
      this.seen.observe(block.element);
      this.sized.observe(block.figure);
    }
    this.leaveScreen = onOtherScreen(() => {
      this.look++;
      this.refresh();
    });
  }

  /** Take over what the page says; called at each of its reruns that changes anything, and when the theme changes. */
  update({ data, setTriggerValue: trigger }) {
    const before = this.data ?? {};
    // What the page shows: what it says, unless the run went on while it was saying so.
    if (data !== before) this.known = this.state === "running" ? null : data.known;
    Object.assign(this, { data, trigger });
    if (data !== before) this.settle(this.state); // what it shows may be older than what has come from the run since
    const theme = readTheme(this.root);
    const words = JSON.stringify([data.language, data.labels]);
    const reworded = words !== this.words;
    if (reworded || JSON.stringify(theme) !== JSON.stringify(this.theme)) {
      Object.assign(this, { words, theme, format: formats(data.language) });
      this.relabel();
      if (reworded && this.told) this.announce(this.told);
    }
    if (data.token !== before.token) this.watch(data.token);
    this.schedule();
  }

  watch(token) {
    for (const timer of [this.reminder, this.turning]) clearTimeout(timer);
    this.state = this.reported = this.told = null;
    this.lost(false);
    this.channel.open(`live/${token}`);
  }

  close() {
    this.channel.close();
    this.frame = null; // what still comes, as Plotly, finds nothing to draw
    for (const timer of [this.speaker, this.reminder, this.turning]) clearTimeout(timer);
    cancelAnimationFrame(this.raf);
    this.seen.disconnect();
    this.sized.disconnect();
    this.leaveScreen();
    for (const block of this.blocks) block.destroy();
  }

  receive(frame) {
    if (frame.header.kind === "error") {
      this.enter("error");
      return;
    }
    this.frame = frame;
    this.received++;
    this.enter(frame.header.state);
    this.schedule();
  }

  /** The run is in this state now. */
  enter(state) {
    if (state === "running") this.known = this.reported = null;
    const [changed, step] = [state !== this.state, this.frame?.header.step ?? 0];
    this.state = this.root.dataset.state = state;
    if (changed || (state !== "running" && step !== this.told.step)) {
      this.announce({ state: state === "paused" && !step ? "ready" : state, step });
      this.status.showState();
    }
    if (!changed) return;
    this.settle(state);
    if (ENDED.has(state)) this.report(state);
  }

  /** Look in a while whether the page's buttons suit a state that lasts. */
  settle(state) {
    clearTimeout(this.turning);
    if (state && !ENDED.has(state)) this.turning = setTimeout(() => this.turn(state === "running"), A_WHILE);
  }

  /** Have the page rerun, once, if it offers to pause what rests, or not to pause what runs. */
  turn(runs) {
    if ((this.data.pause ?? runs) !== runs) this.trigger("turned", this.state);
  }

  /** Have a screen reader say in which state the run is, and at which step. */
  announce(told) {
    this.told = told;
    const step = this.format.whole(told.step);
    this.root.querySelector("[data-live]").textContent = this.t("announcement", { state: this.t(told.state), step });
  }

  /** Have the page rerun, once, if it does not show yet that the run has ended. */
  report(state) {
    if (state === this.known || state === this.reported) return;
    this.reported = state;
    this.trigger("ended", state);
    this.reminder = setTimeout(() => { // the page may have been offline, or its server starting again
      this.reported = null;
      if (this.state === state) this.report(state);
    }, 8000);
  }

  lost(lost) {
    this.root.querySelector(".klv-lost").hidden = !lost;
  }

  // Words and choices

  /** Return a label, its {fields} filled. */
  t(name, values = {}) {
    return fill(this.data.labels[name], values);
  }

  /** Return the names of a frame's classes in the page's language. */
  classes(frame) {
    return frame.header.classes.map((name) => this.data.classes[name] ?? name);
  }

  relabel() {
    for (const element of this.root.querySelectorAll("[data-t], [data-name]")) {
      const text = this.t(element.dataset.t ?? element.dataset.name, { n: MAX_BANDS });
      const title = element.dataset.tool && element.closest(".klv-title").querySelector("[role=heading]").textContent;
      if (element.dataset.t) element.textContent = text;
      else element.setAttribute("aria-label", title ? this.t("tool_of", { tool: text, title }) : text);
      if (element.matches("button")) element.title = text;
    }
    for (const element of this.root.querySelectorAll(".klv-x")) element.textContent = this.t(this.options.x);
    this.root.classList.toggle("klv-dark", this.theme.dark);
    this.look++;
    this.status.showState();
    this.refresh();
  }

  choose(input) {
    const group = input.closest("[data-option]");
    if (!group) return;
    this.options[group.dataset.option] = input.value;
    this.relabel();
  }

  use(button) {
    const block = button && this.blocks.find((one) => one.name === button.closest("[data-block]").dataset.block);
    if (!block || !this.frame) return;
    if (button.dataset.tool === "csv") block.download();
    else block.resetZoom();
  }

  // Drawing

  /** Draw what has changed without making it wait. */
  refresh(blocks = this.blocks) {
    for (const block of blocks) block.due = 0;
    this.schedule();
  }

  schedule() {
    this.raf ||= requestAnimationFrame(() => {
      this.raf = 0;
      this.paint();
    });
  }

  /** Draw what is due. While the run goes on, what is not, or would make this take long, waits for a later frame. */
  paint() {
    const { frame } = this;
    if (!frame || !this.data) return;
    const began = performance.now();
    for (const block of this.blocks) {
      block.element.hidden = !block.applies(frame);
      const look = [frame.token, this.look, block.width].join(), stamp = [look, block.height, block.stamp(frame)].join();
      const changed = block.visible ? stamp !== block.drawn : look !== block.looked;
      if (!changed || block.element.hidden || !block.ready()) continue;
      const start = performance.now();
      if (!block.visible && start > began + LONG) {
        this.schedule();
        continue;
      }
      const later = start < block.due || (block.due && start > began + LONG);
      if (later && frame.header.state === "running") continue;
      block.draw(frame);
      Object.assign(block, { drawn: stamp, looked: look });
      const end = performance.now();
      block.due = end + Math.max(block.pause, (end - start) * block.thrift);
    }
    const { step, state, measuring } = frame.header;
    Object.assign(this.root.dataset, { step, rests: state !== "running" && !measuring });
    if (this.painted !== this.received) this.root.dataset.frames++;
    this.painted = this.received;
    this.speaker ??= setTimeout(() => this.speak(), (this.spoken ?? 0) + SPEAK_EVERY - performance.now());
  }

  /** Bring the text alternatives up to date; of what is off the screen, which a reader may come to, only at rest. */
  speak() {
    this.speaker = null;
    this.spoken = performance.now();
    const { frame } = this, rests = frame.header.state !== "running";
    for (const block of this.blocks) if ((rests || block.visible) && !block.element.hidden) block.speak(frame);
  }
}
