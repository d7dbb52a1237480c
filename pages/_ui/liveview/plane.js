/** The plane: what the network makes of two inputs. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Block }, { shade, squares }, { surface }, { say }] =
  await Promise.all(["charts", "shade", "../served/canvas", "../served/dom"].map(load));

const POINTS = ["#d26a00", "#00518f"]; // darker than the plane, so as to stand out on their own side

/** What the network makes of the plane, the points of a set on it; or, large, what one hidden unit makes of it. */
export class Plane extends Block {
  thrift = 15;

  constructor(view) {
    super(view, "plane");
    [this.base, this.dots] = this.element.querySelectorAll("canvas");
    this.note = this.element.querySelector("[data-note]");
  }

  applies(frame) {
    this.element.parentElement.hidden = frame.rows("plane") === 0;
    return frame.rows("plane") > 0;
  }

  stamp(frame) {
    const { unit } = this.view;
    return [frame.header.step, unit?.array, unit?.row].join();
  }

  draw(frame) {
    const { unit } = this.view;
    const pointed = unit && unit.row < frame.rows(unit.array);
    if (pointed) shade(this.base, frame.row(unit.array, unit.row), 12);
    else shade(this.base, frame.arrays.plane.values, 4);
    const [first, second] = this.view.classes(frame);
    say(this.note, pointed ? unit.name : this.view.t("plane_key", { first, second }));
    const points = [frame.token, this.view.look, this.width, frame.rows("points")].join();
    if (points !== this.points) this.drawPoints(frame);
    this.points = points;
  }

  drawPoints(frame) {
    const context = surface(this.dots, this.width, this.width);
    context.lineWidth = 1;
    context.strokeStyle = "#ffffff";
    for (let i = 0; i < frame.rows("points"); i++) {
      const [x1, x2, label, test] = frame.row("points", i);
      if (Boolean(test) !== (this.view.options.points === "points_test")) continue;
      context.beginPath();
      context.arc(((x1 + 6) / 12) * this.width, ((6 - x2) / 12) * this.width, 3.2, 0, 2 * Math.PI);
      context.fillStyle = POINTS[label];
      context.fill();
      context.stroke();
    }
  }

  text(frame) {
    const { format } = this.view;
    const bytes = frame.arrays.plane.values;
    const share = format.round(bytes.filter((byte) => byte > 127).length / bytes.length);
    const values = { step: format.whole(frame.header.step), share, name: this.view.classes(frame)[1] };
    return this.view.t("plane_text", { ...values, test: format.percent(frame.testAccuracy()) });
  }

  table(frame) {
    return [["x1", "x2", "probability"], ...squares(frame.arrays.plane.values, [0, 1])];
  }
}
