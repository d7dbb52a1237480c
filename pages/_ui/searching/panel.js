/* The best twenty trials: their learning curves in a panel of five by four, and their numbers in a table. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ EARLY, word }, { change, element, fill, range, say, svg }, { percent }] =
  await Promise.all(["axes", "../served/dom", "../served/numbers"].map(load));

export const BEST = 20;
const [WIDE, HIGH] = [100, 64]; // of a curve's own coordinates; it is stretched to its cell

/** Curves in cells, the best first. A cell is a button that picks its trial. */
export class Panel {
  constructor(view) {
    this.view = view;
    this.cells = range(BEST, (i) => new Cell(view, i));
    this.root = element("div", { class: "cells", role: "list" }, ...this.cells.map((cell) => cell.root));
  }

  draw(ranking) {
    const most = Math.max(1, ...ranking.slice(0, BEST).map(({ steps }) => steps.at(-1) ?? 0));
    this.cells.forEach((cell, i) => cell.show(ranking[i], most));
  }

  mark(number) {
    for (const { trial, root: { firstChild: button } } of this.cells) {
      button.classList.toggle("on", trial?.number === number);
      change(button, { "aria-pressed": trial ? trial.number === this.view.picked : null });
    }
  }
}

class Cell {
  constructor(view, index) {
    Object.assign(this, { view, index });
    this.train = svg("path", { class: "train" });
    this.validation = svg("path", { class: "validation" });
    const lines = [0, 0.5, 1].map((y) => svg("line", { x1: 0, x2: WIDE, y1: HIGH * (1 - y), y2: HIGH * (1 - y) }));
    const picture = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": true },
      svg("g", { class: "lines" }, ...lines), this.train, this.validation);
    this.score = element("b");
    this.ended = element("em"); // how, where it was not to the end: such a trial stands behind all others
    this.note = element("small");
    const head = element("span", { class: "head" }, element("i", {}, String(index + 1)), this.score);
    const button = element("button", { type: "button", disabled: true }, head, picture, this.ended, this.note);
    button.addEventListener("click", () => this.trial && view.pick(this.trial.number));
    button.addEventListener("pointerenter", () => this.trial && view.hover(this.trial.number));
    button.addEventListener("pointerleave", () => view.hover(null));
    this.root = element("div", { role: "listitem" }, button);
  }

  show(trial, most) {
    const { view } = this, button = this.root.firstChild;
    this.trial = trial;
    change(button, { disabled: trial ? null : "", "data-state": trial?.state ?? "none" });
    say(this.score, trial ? percent(trial.accuracy) : "");
    say(this.ended, EARLY.has(trial?.state) ? view.labels.states[trial.state] : "");
    say(this.note, trial ? view.fields.slice(0, 2).map((it) => word(it, trial.values[it.name])).join(" · ") : "");
    for (const name of ["train", "validation"]) change(this[name], { d: trial ? path(trial.steps, trial[name], most) : null });
    change(button, { "aria-label": trial ? `${this.index + 1}. ${view.sentence(trial)}` : null });
  }
}

function path(steps, values, most) {
  return values.map((value, i) => `${i ? "L" : "M"}${(steps[i] / most * WIDE).toFixed(1)} ${((1 - value) * HIGH).toFixed(1)}`).join("");
}

/** The numbers of the best trials, and for each a button that takes it to the Train page. */
export class Table {
  constructor(view) {
    this.view = view;
    this.head = element("tr");
    this.rows = [];
    this.body = element("tbody");
    this.root = element("div", { class: "scroll", tabindex: 0, role: "region" },
      element("table", {}, element("thead", {}, this.head), this.body));
  }

  relabel() {
    const { view } = this, { labels } = view;
    const names = ["#", labels.validation, labels.training, ...view.fields.map(({ label }) => label), labels.trial, labels.open];
    this.head.replaceChildren(...names.map((name) => element("th", { scope: "col" }, name)));
    change(this.root, { "aria-label": labels.table });
    this.rows = range(BEST, (i) => this.row(i));
    this.body.replaceChildren(...this.rows.map(({ root }) => root));
  }

  row(index) {
    const cells = range(this.view.fields.length + 3, () => element("td"));
    const state = element("td", { class: "state" });
    const open = element("button", { type: "button", class: "open" }, this.view.labels.open);
    const row = { cells: [...cells, state], open, trial: null };
    row.root = element("tr", { hidden: true }, ...cells, state, element("td", {}, open));
    say(cells[0], String(index + 1));
    row.root.addEventListener("pointerenter", () => this.view.hover(row.trial?.number ?? null));
    row.root.addEventListener("pointerleave", () => this.view.hover(null));
    row.root.addEventListener("click", () => row.trial && this.view.pick(row.trial.number));
    open.addEventListener("click", () => row.trial && this.view.open(row.trial.number));
    return row;
  }

  draw(ranking) {
    const { labels, fields } = this.view;
    this.rows.forEach((row, i) => {
      const trial = ranking[i];
      row.trial = trial;
      change(row.root, { hidden: trial ? null : "" });
      if (!trial) return;
      const texts = [String(i + 1), percent(trial.accuracy), trial.train.length ? percent(trial.train.at(-1)) : "–",
        ...fields.map((field) => word(field, trial.values[field.name])),
        trial.state === "complete" ? String(trial.number) : `${trial.number}, ${labels.states[trial.state === "running" ? "running_trial" : trial.state]}`];
      texts.forEach((text, n) => say(row.cells[n], text));
      change(row.open, { "aria-label": `${labels.open}: ${fill(labels.trial_n, { n: trial.number })}` });
    });
  }

  mark(number) {
    for (const { root, trial } of this.rows) {
      root.classList.toggle("on", trial?.number === number && !root.hidden);
      change(root, { "aria-current": trial?.number === this.view.picked ? true : null });
    }
  }
}
