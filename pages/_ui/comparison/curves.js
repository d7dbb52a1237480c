/** The curves of all runs over each other: what the two large charts draw. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ ACCURACIES }, { OFTEN }] = await Promise.all(["frames", "../liveview/charts"].map(load));

/** The loss of every mini-batch. */
export const BATCHES = {
  name: "loss",
  thrift: OFTEN,
  curves: (frame, view) => view.data.runs.map((run, i) => ({
    id: `batch ${run.label}`, name: run.name, color: view.line(i).color, dash: view.line(i).dash, width: 1.6,
    array: `${i}/loss`, column: 1, csv: `${run.csv} batch_loss`,
  })),
  axis: (view) => (view.options.loss === "log" ? { type: "log" } : { rangemode: "tozero" }),
};

/** The accuracy on the training and the test set. */
export const ACCURACY = {
  name: "accuracy",
  thrift: OFTEN,
  curves: (frame, view) => view.data.runs.flatMap((run, i) => ["train", "test"].flatMap((set, j) =>
    (["both", set].includes(view.options.set) ? [{
      id: `${set} ${run.label}`, name: `${run.name}, ${view.t(set)}`, color: view.line(i).color, dash: j ? "dash" : "solid",
      width: 1.8, symbol: view.line(i).symbol, array: `${i}/evaluated`, column: ACCURACIES[j],
      csv: `${run.csv} ${set}_accuracy`,
    }] : []))),
  axis: () => ({ range: [0, 1.02], tickformat: ".0%", hoverformat: ".2%" }),
};
