/* A drawing is a list of strokes, a stroke a list of points [x, y] in a square of SIZE units. No screen, no network. */

export const SIZE = 280;

/** Strokes with undo and redo. `strokes` is replaced at every change, so that an older value stays what it was. */
export class Drawing {
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

export const distance = ([ax, ay], [bx, by]) => Math.hypot(bx - ax, by - ay);
const between = ([ax, ay], [bx, by], t) => [ax + t * (bx - ax), ay + t * (by - ay)];
export const tenth = ([x, y]) => [Math.round(10 * x) / 10, Math.round(10 * y) / 10];
export const inside = (point) => point.map((value) => Math.min(Math.max(value, 0), SIZE));

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
