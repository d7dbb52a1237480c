/** Frames: what a run sends, several times a second, and how its numbers are read. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const { decode } = await import(new URL(`../served/channel.js${search}`, import.meta.url));

const MAX_POINTS = 400; // of a line drawn

/** A message of a run: its header, and its arrays as {values, shape}. */
export class Frame {
  clocks = { epoch: "epochs", seconds: "seconds" }; // what can be said of a step besides its number: name → axis

  constructor(buffer, token) {
    [this.header, this.arrays] = decode(buffer);
    this.token = token;
  }

  /** Return how many rows an array has, 0 where there is none. */
  rows(name) {
    return this.arrays[name]?.shape[0] ?? 0;
  }

  row(name, i) {
    const { values, shape } = this.arrays[name];
    const width = values.length / shape[0];
    return values.subarray(i * width, (i + 1) * width);
  }

  column(name, j) {
    const { values, shape } = this.arrays[name] ?? { values: [], shape: [0, 1] };
    return Float32Array.from({ length: shape[0] }, (_, i) => values[i * shape[1] + j]);
  }

  /** Return a number of an array's newest row, NaN where there is none. */
  last(name, j) {
    return this.rows(name) ? this.row(name, this.rows(name) - 1)[j] : NaN;
  }

  /** Return the accuracy on the whole test set at rest, else the one last measured. */
  testAccuracy() {
    return this.header.test_accuracy ?? this.last("evaluated", 4);
  }

  /** Return the place on the horizontal axis, in steps, epochs or seconds of training, as a function of the step. */
  axis(unit) {
    const { step, seconds, batch, train_size } = this.header;
    if (unit === "epochs") return (s) => (s * batch) / train_size;
    if (unit !== "seconds") return (s) => s;
    this.clock ??= [[0, ...this.column("loss", 0), step], [0, ...this.column("loss", 2), seconds]];
    return (s) => interpolate(...this.clock, s);
  }
}

/** Return y at x on the line through the points (xs, ys), xs ascending. */
export function interpolate(xs, ys, x) {
  let low = 0;
  let high = xs.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  const span = xs[high] - xs[low];
  return span > 0 ? ys[low] + ((ys[high] - ys[low]) * Math.min(x - xs[low], span)) / span : ys[high];
}

/** Return (xs, ys) with runs of points averaged, so that at most MAX_POINTS are left. */
export function thin(xs, ys) {
  const stride = Math.ceil(xs.length / MAX_POINTS);
  if (stride < 2) return [xs, ys];
  const mean = (from, i) => {
    const part = from.subarray(i * stride, (i + 1) * stride);
    return sum(part) / part.length;
  };
  const length = Math.ceil(xs.length / stride);
  return [xs, ys].map((from) => Float32Array.from({ length }, (_, i) => mean(from, i)));
}

export function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}
