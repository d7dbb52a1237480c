/** The gradient on its way back. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ PROBED }, { Block, OFTEN }, { surface }, { tenTo }] =
  await Promise.all(["frames", "../liveview/charts", "../served/canvas", "../served/numbers"].map(load));

/** The gradient's norm from the first layer to the last, a line for each run: does it vanish on its way back? */
export class Depth extends Block {
  thrift = OFTEN;

  constructor(view) {
    super(view, "depth");
    this.canvas = this.element.querySelector("canvas");
  }

  stamp() {
    return this.view.received;
  }

  lines(frame) {
    return this.view.shown.filter(([, i]) => frame.frames[i]).map(([run, i]) => {
      const layers = frame.frames[i].header.layers;
      return { run, i, layers, norms: layers.map((_, k) => frame.last(`${i}/layer${k}`, PROBED.grad_norm)) };
    });
  }

  draw(frame) {
    const { view } = this;
    const lines = this.lines(frame);
    const norms = lines.flatMap((line) => line.norms).filter((norm) => norm > 0 && Number.isFinite(norm));
    const [low, high] = norms.length
      ? [10 ** Math.floor(Math.log10(Math.min(...norms))), 10 ** Math.ceil(Math.log10(Math.max(...norms)) + 1e-9)]
      : [1e-3, 1];
    const [width, height, left, foot] = [this.width, 220, 52, 34];
    const context = surface(this.canvas, width, height);
    const depth = Math.max(...lines.map(({ layers }) => layers.length), 2);
    const x = (k) => left + ((width - left - 24) * k) / (depth - 1);
    const y = (norm) => height - foot - ((Math.log10(norm) - Math.log10(low)) / Math.log10(high / low)) * (height - foot - 12);
    context.font = `11px ${view.theme.font}`;
    context.fillStyle = view.theme.text;
    const decades = Math.round(Math.log10(high / low));
    const every = Math.ceil(decades / 6);
    for (let d = 0; d <= decades; d += every) {
      const value = low * 10 ** d;
      context.globalAlpha = 0.14;
      context.fillRect(left, y(value), width - left, 1);
      context.globalAlpha = 0.75;
      context.textAlign = "right";
      context.fillText(tenTo(Math.round(Math.log10(value))), left - 6, y(value) + 4);
    }
    const longest = lines.reduce((a, b) => (b.layers.length > a.length ? b.layers : a), []);
    context.textAlign = "center";
    const skip = Math.ceil(longest.length / Math.max(1, Math.floor((width - left) / 64)));
    longest.forEach((layer, k) => k % skip === 0 && context.fillText(layer, x(k), height - foot + 20));
    context.globalAlpha = 1;
    for (const { i, norms: each } of lines) {
      const { color, mark } = view.line(i);
      context.strokeStyle = context.fillStyle = color;
      context.lineWidth = 2;
      context.beginPath();
      let pen = false;
      each.forEach((norm, k) => {
        if (norm > 0) context[pen ? "lineTo" : "moveTo"](x(k), y(norm));
        pen = norm > 0;
      });
      context.stroke();
      const shape = new Path2D(mark);
      each.forEach((norm, k) => {
        if (!(norm > 0)) return;
        context.save();
        context.translate(x(k), y(norm));
        context.fill(shape);
        context.stroke(shape);
        context.restore();
      });
    }
  }

  text(frame) {
    const { format } = this.view;
    return this.lines(frame).map(({ run, layers, norms }) =>
      `${run.name}: ${layers.map((layer, k) => `${layer} ${format.short(norms[k])}`).join(", ")}`).join("; ");
  }

  table(frame) {
    return [["run", "layer", "gradient_norm"],
      ...this.lines(frame).flatMap(({ run, layers, norms }) => layers.map((layer, k) => [run.csv, layer, norms[k]]))];
  }
}
