/** Small pictures in a grid, and the lines in them. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Block, OFTEN }, { surface }, { element, say }, { strokes, swatch }] =
  await Promise.all(["../liveview/charts", "../served/canvas", "../served/dom", "../served/series"].map(load));

/** Draw lines [{xs, ys, color, dash}] into a canvas, x from 0 to `right`, y over `range`; log: of y's logarithm.
    marks: what stands beside y, as [value, text]; steps: what stands below x at its ends and between them. */
export function plot(canvas, width, height, lines, { right, range: [low, high], log, theme, marks, steps }) {
  const context = surface(canvas, width, height);
  context.font = `10px ${theme.font}`;
  const left = Math.ceil(Math.max(...marks.map(([, text]) => context.measureText(text).width))) + 6, foot = height - 16, head = 6;
  const level = log ? Math.log10 : (y) => y;
  const [floor, top] = [level(low), level(high)];
  const x = (value) => left + (value / (right || 1)) * (width - left - 2) + 1;
  const y = (value) => foot - ((level(value) - floor) / (top - floor || 1)) * (foot - head);
  context.fillStyle = context.strokeStyle = theme.text;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const [value, text] of marks) {
    context.globalAlpha = 0.14;
    context.fillRect(left, y(value) - 0.5, width - left, 1);
    context.globalAlpha = 0.75;
    context.fillText(text, left - 4, y(value));
  }
  steps.forEach((text, i) => {
    const place = i / (steps.length - 1);
    context.textAlign = ["left", "center", "right"][2 * place];
    context.fillText(text, left + place * (width - left), height - 6);
  });
  context.globalAlpha = 1;
  context.lineJoin = "round";
  for (const { xs, ys, color, dash, wide } of lines) {
    context.strokeStyle = color;
    context.lineWidth = wide ?? 1.8;
    context.setLineDash(strokes(dash));
    context.beginPath();
    let pen = false;
    xs.forEach((value, i) => {
      const there = Number.isFinite(ys[i]) && (!log || ys[i] > 0);
      if (there) context[pen ? "lineTo" : "moveTo"](x(value), Math.min(Math.max(y(ys[i]), head), foot));
      pen = there;
    });
    context.stroke();
  }
  context.setLineDash([]);
}

/** Say what lines [{name, color, dash}] are, above the charts that they are in. */
export function nameLines(box, lines) {
  const key = JSON.stringify(lines);
  if (key === box.dataset.key) return;
  box.dataset.key = key;
  box.hidden = !lines.length;
  box.replaceChildren(...lines.map((line) => element("span", {}, swatch(line), line.name)));
}

/** Cells of a grid, each a title, a canvas and a note; a subclass says what is in them. */
export class Cells extends Block {
  thrift = OFTEN;

  constructor(view, name, selector) {
    super(view, name);
    this.box = this.element.querySelector(selector);
  }

  stamp(frame) {
    return [this.view.received, this.view.options.over, this.view.options.quantity].join();
  }

  /** Have as many cells as there are titles, and over each row its name, where rows have one. */
  build(titles, columns, rows = []) {
    const key = [columns, ...titles, ...rows].join("\n");
    if (key !== this.key) {
      this.box.style.setProperty("--columns", columns);
      this.box.dataset.columns = columns;
      this.box.replaceChildren(...titles.flatMap((title, i) => {
        const cell = element("div", { className: "kcp-cell", innerHTML: `<b></b><canvas role="img"></canvas><small></small>` });
        cell.firstElementChild.textContent = cell.firstElementChild.title = title;
        const begins = rows.length && i % columns === 0;
        return begins ? [element("b", { className: "kcp-row" }, rows[i / columns]), cell] : [cell];
      }));
    }
    const size = [this.view.look, this.width, key].join();
    if (size !== this.size && this.box.children.length) {
      const { clientWidth, clientHeight } = this.box.querySelector("canvas");
      [this.cellWidth, this.cellHeight] = [clientWidth, clientHeight];
    }
    [this.key, this.size] = [key, size];
    return [...this.box.querySelectorAll(".kcp-cell")].map((cell) => ({ canvas: cell.children[1], note: cell.children[2] }));
  }

  say(cell, note, label) {
    say(cell.note, note);
    cell.label = label;
    cell.canvas.dataset.label = label;
  }

  speak() {
    for (const canvas of this.box.querySelectorAll("canvas")) canvas.setAttribute("aria-label", canvas.dataset.label ?? "");
  }
}
