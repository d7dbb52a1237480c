/** The cloud: where the last hidden layer puts test examples, in the plane in which they differ most. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Block }, { surface }, { element, range, say }] =
  await Promise.all(["charts", "../served/canvas", "../served/dom"].map(load));

const MARGIN = 14; // pixels
const [DOT, RING] = [4, 8.5]; // their radii

/** Return a colour for each of n classes; what comes next to each other in the list is far apart in hue. */
function palette(n, dark) {
  return range(n, (i) => `oklch(${dark ? 0.76 : 0.55} 0.16 ${Math.round(((i * 3) % 10) * 36 + Math.floor(i / 10) * 18)})`);
}

/** Return the points: two coordinates, the right class and the predicted one. */
const rows = (frame) => range(frame.rows("cloud"), (i) => frame.row("cloud", i));

function circle(context, place, radius) {
  context.beginPath();
  context.arc(...place, radius, 0, 2 * Math.PI);
  return context;
}

export class Cloud extends Block {
  thrift = 15;

  constructor(view) {
    super(view, "cloud");
    this.canvas = this.element.querySelector("canvas");
    this.note = this.element.querySelector("[data-note]");
    this.key = this.element.querySelector("ul");
  }

  applies(frame) {
    return Boolean(frame.header.cloud?.layer);
  }

  stamp(frame) {
    return [frame.header.step, frame.rows("cloud"), frame.header.measuring].join();
  }

  draw(frame) {
    const [n, classes, { format, theme }] = [frame.rows("cloud"), this.view.classes(frame), this.view];
    const { layer, units, share } = frame.header.cloud;
    const values = { n: format.whole(n), layer, units: format.whole(units), share: format.round(n ? share : NaN) };
    say(this.note, this.view.t("cloud_note", values));
    const signs = classes.every((name) => [...name].length === 1); // else they are dots, explained by a key
    const colors = palette(classes.length, theme.dark);
    this.drawKey(signs ? [] : classes, colors);
    const points = rows(frame);
    if (frame.token !== this.token) this.box = null;
    this.token = frame.token;
    if (n) this.fit(points);
    const size = [this.canvas.clientWidth, this.canvas.clientHeight];
    const context = surface(this.canvas, ...size);
    const scale = n && Math.min(...size.map((room, j) => (room - 2 * MARGIN) / Math.max(this.box[1][j] - this.box[0][j], 1e-9)));
    const at = (point, j) => size[j] / 2 + (point[j] - (this.box[0][j] + this.box[1][j]) / 2) * scale * (j ? -1 : 1);
    context.font = `600 13px ${theme.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.strokeStyle = theme.text;
    for (const point of points) {
      const [right, predicted] = point.subarray(2);
      const place = [at(point, 0), at(point, 1)];
      context.fillStyle = colors[right];
      if (signs) context.fillText(classes[right], ...place);
      else circle(context, place, DOT).fill();
      if (right !== predicted) circle(context, place, RING).stroke();
    }
  }

  /** Bring the box that is shown nearer to that of the points: it grows at once and shrinks calmly. */
  fit(points) {
    const corners = [Math.min, Math.max].map((most) => [0, 1].map((j) => most(...points.map((point) => point[j]))));
    this.box = corners.map((corner, k) => corner.map((edge, j) => {
      const inwards = this.box && (k ? edge < this.box[k][j] : edge > this.box[k][j]);
      return inwards ? this.box[k][j] + 0.2 * (edge - this.box[k][j]) : edge;
    }));
  }

  drawKey(classes, colors) {
    const content = [classes, colors].join();
    if (content === this.content) return;
    this.content = content;
    this.key.replaceChildren(...classes.map((name, i) => {
      const dot = element("i");
      dot.style.background = colors[i];
      return element("li", {}, dot, name);
    }));
  }

  text(frame) {
    const wrong = rows(frame).filter(([, , right, predicted]) => right !== predicted);
    const values = { n: frame.rows("cloud"), step: frame.header.step, wrong: wrong.length };
    for (const name in values) values[name] = this.view.format.whole(values[name]);
    return this.view.t("cloud_text", values);
  }

  /** Return the points with the data's own names of the classes: a file is the same in both languages. */
  table(frame) {
    const { classes } = frame.header;
    return [["x", "y", "class", "predicted"], ...rows(frame).map(([x, y, ...labels]) => [x, y, ...labels.map((k) => classes[k])])];
  }
}
