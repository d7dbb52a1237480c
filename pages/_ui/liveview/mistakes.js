/** What the network gets wrong. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Block }, { sum }, { rove }, { element }] =
  await Promise.all(["charts", "frame", "look", "../served/dom"].map(load));

const SHOWN = 40; // mistakes of all pairs together; of a single pair, all that the frame has

/** The confusion matrix of the whole test set and the most confident mistakes; known when the run stands still. */
export class Mistakes extends Block {
  constructor(view) {
    super(view, "mistakes");
    this.note = this.element.querySelector("[data-note]");
    this.body = this.element.querySelector(".klv-mistakes");
    this.matrix = this.element.querySelector(".klv-confusion");
    this.caption = this.element.querySelector(".klv-gallery p");
    this.list = this.element.querySelector(".klv-gallery ul");
    for (const [kind, end] of [["pointerover", "pointerleave"], ["focusin", "focusout"]]) {
      this.matrix.addEventListener(kind, (event) => this.pick(event.target.closest("td"), false));
      this.matrix.addEventListener(end, () => this.pick(null, false));
    }
    this.matrix.addEventListener("click", (event) => this.pick(event.target.closest("td"), true));
    this.matrix.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      this.pick(event.target.closest("td"), true);
    });
    rove(this.matrix, "td");
  }

  /** Tell whether it can draw yet: never before it is looked at, since below it there is nothing to move. */
  ready() {
    return super.ready() && this.visible;
  }

  stamp(frame) {
    const measured = frame.rows("confusion") > 0;
    return [measured, ...(measured ? [frame.header.step] : [frame.header.state, frame.header.measuring])].join();
  }

  draw(frame) {
    const fresh = frame.rows("confusion") > 0;
    if (this.shown?.token !== frame.token) this.shown = this.kept = null;
    if (fresh) this.shown = frame;
    this.body.hidden = !this.shown;
    this.body.classList.toggle("klv-stale", !fresh);
    const { state, measuring } = frame.header;
    const missing = state === "diverged" ? "mistakes_none" : this.shown ? "mistakes_stale" : "mistakes_later";
    const note = fresh ? "confusion_axes" : measuring ? "mistakes_measuring" : missing;
    this.note.textContent = this.view.t(note, { step: this.view.format.whole(this.shown?.header.step) });
    if (!this.shown) return;
    const content = [this.shown.token, this.shown.header.step, this.view.look, this.width].join();
    if (content !== this.content) {
      this.drawMatrix(this.shown);
      this.drawGallery(this.shown);
    }
    this.content = content;
    this.filter();
  }

  drawMatrix(frame) {
    const classes = this.view.classes(frame);
    const { values } = frame.arrays.confusion;
    const k = classes.length;
    const off = Math.max(1, ...values.filter((_, i) => i % (k + 1)));
    const long = classes.some((name) => name.length > 3);
    const table = element("table", { className: long ? "klv-long" : "", role: "grid" });
    const head = table.insertRow();
    head.append(element("th"), ...classes.map(() => element("th", { scope: "col", innerHTML: "<span></span>" })));
    classes.forEach((name, j) => (head.cells[j + 1].firstElementChild.textContent = name));
    classes.forEach((right, i) => {
      const row = table.insertRow();
      row.append(element("th", { scope: "row", textContent: right }));
      const total = sum(frame.row("confusion", i)) || 1;
      classes.forEach((wrong, j) => {
        const count = values[i * k + j];
        const cell = Object.assign(row.insertCell(), { tabIndex: i || j ? -1 : 0, className: count ? "" : "klv-none" });
        const n = (cell.textContent = this.view.format.whole(count));
        Object.assign(cell.dataset, { right: i, wrong: j });
        cell.setAttribute("aria-label", this.view.t(i === j ? "cell_right" : "cell", { right, wrong, n }));
        cell.style.setProperty("--share", i === j ? count / total : count / off);
        cell.style.setProperty("--hue", i === j ? "var(--klv-train)" : "var(--klv-test)");
      });
    });
    this.matrix.replaceChildren(table);
  }

  drawGallery(frame) {
    const [height, width] = frame.header.image ?? [0, 0];
    const ink = this.view.theme.dark ? 255 : 0;
    const classes = this.view.classes(frame);
    this.list.replaceChildren(...Array.from({ length: frame.rows("wrong") }, (_, n) => {
      const [right, wrong] = frame.row("wrong_labels", n);
      const item = element("li", { innerHTML: "<canvas aria-hidden='true'></canvas><b></b><small></small>" });
      Object.assign(item.dataset, { right, wrong });
      const [canvas, name, share] = item.children;
      Object.assign(canvas, { width, height });
      const image = new ImageData(width, height);
      frame.row("wrong", n).forEach((byte, i) => image.data.set([ink, ink, ink, byte], 4 * i));
      canvas.getContext("2d").putImageData(image, 0, 0);
      name.textContent = this.view.t("right_wrong", { right: classes[right], wrong: classes[wrong] });
      share.textContent = this.view.format.round(frame.arrays.wrong_confidence.values[n]);
      return item;
    }));
    this.list.parentElement.hidden = !frame.rows("wrong");
    this.crop(null);
    this.list.style.minHeight = "";
    this.list.style.minHeight = `${this.list.offsetHeight}px`; // picking out a pair must not move the page
  }

  /** Show only the pair of a cell: while it is pointed at, or until it is clicked again. */
  pick(cell, stay) {
    const pair = cell && cell.dataset.right !== cell.dataset.wrong ? cell.dataset : null;
    if (stay) {
      const same = pair && this.kept?.right === pair.right && this.kept?.wrong === pair.wrong;
      this.kept = same || !pair ? null : { ...pair };
    }
    this.pointed = stay && !this.kept ? null : pair; // a finger does not leave a cell
    this.filter();
  }

  filter() {
    if (!this.shown) return;
    const pair = this.pointed ?? this.kept;
    const { header, arrays } = this.shown;
    const shown = this.crop(pair);
    for (const cell of this.matrix.querySelectorAll("td")) cell.setAttribute("aria-selected", same(this.kept, cell));
    const k = header.classes.length;
    const counts = arrays.confusion.values;
    const all = pair ? counts[pair.right * k + Number(pair.wrong)] : sum(counts.filter((_, i) => i % (k + 1)));
    const values = { n: this.view.format.whole(shown), total: this.view.format.whole(all) };
    const classes = this.view.classes(this.shown);
    const whole = shown === all;
    const name = pair ? (whole ? "gallery_pair" : "gallery_pair_first") : whole ? "gallery_every" : "gallery_all";
    if (pair) Object.assign(values, { right: classes[pair.right], wrong: classes[pair.wrong] });
    this.caption.textContent = this.view.t(name, values);
  }

  /** Show the mistakes of a pair, or the first of all, and return how many these are. */
  crop(pair) {
    let shown = 0;
    for (const item of this.list.children) {
      item.hidden = pair ? !same(pair, item) : shown === SHOWN;
      shown += !item.hidden;
    }
    return shown;
  }

  speak() {
    if (!this.shown) return;
    const { step } = this.shown.header;
    const classes = this.view.classes(this.shown);
    const counts = [...this.shown.arrays.confusion.values];
    const k = classes.length;
    const [whole, t] = [this.view.format.whole, this.view.t.bind(this.view)];
    const mistakes = counts.map((n, i) => (i % (k + 1) ? n : 0));
    const most = mistakes.indexOf(Math.max(...mistakes));
    const [right, wrong] = [classes[Math.floor(most / k)], classes[most % k]];
    const worst = mistakes[most] ? t("cell", { right, wrong, n: whole(mistakes[most]) }) : t("no_mistake");
    const [total, correct] = [sum(counts), sum(counts) - sum(mistakes)].map(whole);
    this.matrix.setAttribute("aria-label", t("confusion_text", { step: whole(step), right: correct, total, worst }));
  }

  /** Return the frame of the latest measurement, which may be older than the newest. */
  source(frame) {
    return this.shown ?? frame;
  }

  table(frame) {
    const classes = frame.rows("confusion") ? frame.header.classes : [];
    const cell = (right, i) => classes.map((wrong, j) => [right, wrong, frame.row("confusion", i)[j]]);
    return [["right", "predicted", "count"], ...classes.flatMap(cell)];
  }
}

/** Tell whether a pair, if there is one, is that of an element. */
const same = (pair, { dataset }) => pair?.right === dataset.right && pair?.wrong === dataset.wrong;
