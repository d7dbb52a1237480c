/* The plane: the landscape's function, exact at every point, and the part of it that is seen. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const { clamp, range } = await load("../served/dom");

export const BANDS = 18; // between contour lines, from the lowest value to the highest of the domain
const DEEPEST = 400, WIDEST = 0.015; // zoom; from there every start that can be typed is seen
const STEP = 150; // pixels that a single step may fill where it is looked at closely

/** The function of a landscape: Σ C[i][j] xⁱ yʲ. */
export class Field {
  constructor({ coefficients, domain, lowest, softness }) {
    const used = coefficients.findLastIndex((row) => row.some(Boolean));
    Object.assign(this, { coefficients: coefficients.slice(0, used + 1), domain, lowest, softness });
    const [[left, right], [bottom, top]] = domain;
    const across = range(25, (n) => n / 24);
    const samples = across.flatMap((s) => across.map((t) => this.at(left + s * (right - left), bottom + t * (top - bottom))));
    this.scale = 1;
    this.scale = BANDS / this.height(Math.max(...samples));
  }

  /** Return the coefficients of the polynomial in x that is left at y. */
  row(y) {
    return this.coefficients.map((powers) => powers.reduceRight((sum, c) => sum * y + c, 0));
  }

  at(x, y) {
    return this.row(y).reduceRight((sum, c) => sum * x + c, 0);
  }

  /** Return the height of a value on the map, where contour lines are one apart. */
  height(value) {
    const above = Math.max(value - this.lowest, 0);
    return this.scale * (this.softness ? Math.log1p(above / this.softness) : above);
  }
}

/** The part of the plane that is seen. The domain is whole at zoom 1; both axes have the same scale. */
export class View {
  constructor(domain) {
    this.domain = domain;
    this.size = [1, 1];
    this.reset();
  }

  reset() {
    [this.x, this.y] = this.domain.map(([low, high]) => (low + high) / 2);
    this.zoom = 1;
  }

  /** Look from so far away that a point is seen, where it is not and can be. */
  take(point) {
    if (this.toScreen(point).every((it, n) => it >= 0 && it <= this.size[n])) return;
    const beyond = this.domain.map(([low, high], n) => Math.abs(2 * point[n] - low - high) / (high - low));
    this.reset();
    this.zoom = clamp(0.9 / Math.max(...beyond), WIDEST, 1);
  }

  /** Pixels per unit. */
  get scale() {
    const [width, height] = this.domain.map(([low, high]) => high - low);
    return this.zoom * Math.min(this.size[0] / width, this.size[1] / height);
  }

  toScreen([x, y]) {
    const { scale, size: [width, height] } = this;
    return [width / 2 + (x - this.x) * scale, height / 2 - (y - this.y) * scale].map((it) => clamp(it, -1e5, 1e5));
  }

  /** Return a point with the digits that a pixel tells apart. */
  round(point) {
    const digits = clamp(Math.ceil(Math.log10(this.scale)), 0, 8);
    return point.map((it) => Number(it.toFixed(digits)));
  }

  toPlane(left, top) {
    const { scale, size: [width, height] } = this;
    return [this.x + (left - width / 2) / scale, this.y - (top - height / 2) / scale];
  }

  /** Return where to look to see a step well: around its middle, closer the shorter it and an `other` step are. */
  around([x, y], [toX, toY], other = 0) {
    const step = Math.hypot(toX - x, toY - y), reach = clamp(other, step, 2 * step) * (this.scale / this.zoom);
    return { x: (x + toX) / 2, y: (y + toY) / 2, zoom: 2 ** clamp(Math.floor(Math.log2(STEP / Math.max(reach, 1e-9))), 0, 6) };
  }

  /** Zoom by a factor, the point under (left, top) staying there. */
  magnify(factor, left = this.size[0] / 2, top = this.size[1] / 2) {
    const [x, y] = this.toPlane(left, top);
    this.zoom = clamp(this.zoom * factor, WIDEST, DEEPEST);
    const [nowX, nowY] = this.toPlane(left, top);
    this.move(x - nowX, y - nowY);
  }

  /** Follow a hand: what it took hold of goes with it. */
  drag(from, to) {
    const [x, y] = this.toPlane(...from), [toX, toY] = this.toPlane(...to);
    this.move(x - toX, y - toY);
  }

  move(x, y) {
    const span = this.domain.map(([low, high]) => high - low);
    this.x = clamp(this.x + x, this.domain[0][0] - span[0], this.domain[0][1] + span[0]);
    this.y = clamp(this.y + y, this.domain[1][0] - span[1], this.domain[1][1] + span[1]);
  }
}

/** Return where a runner is at a time: between its steps on the straight line. */
export function position({ points }, time) {
  const last = points.length - 1, before = Math.min(Math.floor(time), last), after = Math.min(before + 1, last);
  const share = clamp(time - before, 0, 1);
  return points[before].map((it, n) => it + (points[after][n] - it) * share);
}
