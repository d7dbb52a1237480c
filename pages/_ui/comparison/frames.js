/** What the frames of several runs have together. */

export const ACCURACIES = [2, 4]; // columns of "evaluated": on the training and on the test set
export const PROBED = { mean: 1, std: 2, grad_norm: 4, update_ratio: 5 }; // columns of "layer0", "layer1", …

/** The newest frame of each run; an array of run i is named "i/name". */
export class Frames {
  clocks = {}; // an epoch or a second of one run is none of another

  constructor(frames, token, state) {
    Object.assign(this, { frames, token });
    const there = frames.filter(Boolean);
    const going = there.filter(({ header }) => !["completed", "diverged"].includes(header.state)); // they hold no clock
    const steps = (going.length ? going : there).map(({ header }) => header.step);
    const step = going.length ? Math.min(...steps) : Math.max(...steps);
    const measuring = there.some(({ header }) => header.measuring);
    this.header = { state, step, measuring, steps: Math.max(...there.map(({ header }) => header.steps)) };
  }

  find(path) {
    const [index, name] = path.split("/");
    return [this.frames[index], name];
  }

  rows(path) {
    const [frame, name] = this.find(path);
    return frame?.rows(name) ?? 0;
  }

  column(path, j) {
    const [frame, name] = this.find(path);
    return frame ? frame.column(name, j) : new Float32Array();
  }

  last(path, j) {
    const [frame, name] = this.find(path);
    return frame ? frame.last(name, j) : NaN;
  }

  axis(unit, path) {
    const [frame] = this.find(path);
    return frame ? frame.axis(unit) : (step) => step;
  }
}
