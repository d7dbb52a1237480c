/** The table of the runs. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Progress }, { element, say }, { swatch }] =
  await Promise.all(["../liveview/charts", "../served/dom", "../served/series"].map(load));

/** The table of the runs: it names them, hides and shows them, and says how far and how good they are. */
export class Runs extends Progress {
  constructor(view) {
    super(view, "runs");
    this.body = this.element.querySelector("tbody");
    this.body.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) view.toggle(button.dataset.label, event.shiftKey);
    });
  }

  /** Return what is said of a run: [name, text] of each column. */
  columns(frame, run, i) {
    const { format } = this.view;
    const train = frame.last(`${i}/evaluated`, 2);
    const one = frame.frames[i];
    const test = one ? one.testAccuracy() : NaN;
    const gap = 100 * (train - test);
    const points = Number.isFinite(gap) ? format.one(gap).replace("-", "−") : "–";
    const published = [run.published?.train, run.published?.test].map((value) => (value ? format.percent(value) : ""));
    return [
      ["step", one ? format.whole(one.header.step) : "–"],
      ["accuracy_train", format.percent(train)],
      ["accuracy_test", format.percent(test)],
      ["gap", points],
      ...(this.published ? [["published", published.filter(Boolean).join(" / ") || "–"]] : []),
    ];
  }

  draw(frame) {
    const { view } = this;
    const { runs } = view.data;
    this.published = runs.some((run) => run.published);
    const words = [view.words, view.look, ...runs.map(({ label }) => label), this.published].join();
    if (words !== this.built) this.build(frame, runs);
    this.built = words;
    const { step, steps } = frame.header;
    this.element.querySelector("[data-fact=step]").textContent = view.format.whole(step);
    this.element.querySelector("[data-fact=of_steps]").textContent = view.t("of_steps", { steps: view.format.whole(steps) });
    this.bar.firstElementChild.style.transform = `scaleX(${Math.min(step / steps, 1)})`;
    runs.forEach((run, i) => {
      const row = this.body.rows[i];
      row.dataset.state = view.states[i];
      this.columns(frame, run, i).forEach(([, text], j) => {
        say(row.cells[1 + j], text);
      });
      const note = ["diverged", "error"].includes(view.states[i]) ? view.t(view.states[i]) : "";
      const small = row.cells[0].querySelector("small");
      say(small, note);
    });
  }

  build(frame, runs) {
    const { view } = this;
    const head = this.element.querySelector("thead tr");
    const names = this.columns(frame, runs[0], 0).map(([name]) => name);
    head.closest("table").style.setProperty("--columns", names.length); // beside the run's name
    head.replaceChildren(...["run", ...names].map((name) => element("th", { scope: "col", textContent: view.t(name) })));
    this.body.replaceChildren(...runs.map((run, i) => {
      const row = element("tr");
      const button = element("button", { type: "button", title: view.t("run_hint") }, swatch(view.line(i)));
      button.dataset.label = run.label;
      button.setAttribute("aria-pressed", !view.hidden.has(run.label));
      button.append(element("span", { textContent: run.name }), element("small"));
      const cell = element("th", { scope: "row" });
      cell.append(button);
      row.append(cell, ...names.map(() => element("td")));
      return row;
    }));
  }

  speak(frame) {
    this.bar.setAttribute("aria-valuenow", Math.round((100 * frame.header.step) / frame.header.steps));
  }
}
