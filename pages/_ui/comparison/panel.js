/** Many small charts of the accuracy. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Cells, nameLines, plot }, { ACCURACIES }] = await Promise.all(["cells", "frames"].map(load));

/** Many small charts of the accuracy, some runs in each: data.panels = [{title, runs: [labels]}]. */
export class Panel extends Cells {
  constructor(view) {
    super(view, "panel", ".kcp-panel");
    this.lineNames = this.element.querySelector(".kcp-key");
  }

  draw(frame) {
    const { view } = this;
    const { panels, runs, columns } = view.data;
    const names = view.data.lines ?? [];
    nameLines(this.lineNames, names.map((name, i) => ({ name, color: view.line(i).color, dash: i ? "dash" : "solid" })));
    const cells = this.build(panels.map(({ title }) => title), columns);
    panels.forEach((panel, k) => {
      const indices = panel.runs.map((label) => runs.findIndex((run) => run.label === label));
      const alone = indices.length === 1; // then in its own colour, and with the test set
      const lines = indices.flatMap((i, place) => ACCURACIES.slice(0, alone ? 2 : 1).map((column, test) => {
        const [xs, ys] = [frame.column(`${i}/evaluated`, 0), frame.column(`${i}/evaluated`, column)];
        return { xs, ys, color: view.line(alone ? i : place).color, dash: place || test ? "dash" : "solid", wide: test ? 1.8 : 2.2 };
      }));
      plot(cells[k].canvas, this.cellWidth, this.cellHeight, lines, {
        right: frame.header.steps, range: [0, 1], theme: view.theme,
        marks: [0, 0.5, 1].map((part) => [part, view.format.round(part)]), steps: [0, frame.header.steps].map(view.format.whole),
      });
      const columns = ACCURACIES.slice(0, alone ? 2 : 1);
      const values = indices.flatMap((i) => columns.map((j) => view.format.percent(frame.last(`${i}/evaluated`, j))));
      const names = indices.flatMap((i) => (alone ? ["train_accuracy", "test_accuracy"].map((t) => view.t(t)) : [runs[i].name]));
      const said = names.map((name, n) => `${name} ${values[n]}`);
      this.say(cells[k], values.join(alone ? " / " : " · "), `${panel.title}: ${said.join(", ")}`);
    });
  }

  table(frame) {
    const { runs } = this.view.data;
    const rows = runs.flatMap((run, i) => [...frame.column(`${i}/evaluated`, 0)].map((step, k) =>
      [run.csv, step, ...ACCURACIES.map((j) => frame.column(`${i}/evaluated`, j)[k])]));
    return [["run", "step", "train_accuracy", "test_accuracy"], ...rows];
  }
}
