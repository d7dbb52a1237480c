/** Blocks, the things that are drawn, and the most common of them: lines over training. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ thin }, { icon }, { element, range }, { save }, { plotly }, { swatch }] =
  await Promise.all(["frame", "look", "../served/dom", "../served/mount", "../served/plotly", "../served/series"].map(load));

/** Something drawn. Subclasses say what of a frame they show, and draw it. */
export class Block {
  thrift = 25; // after a drawing it rests so many times as long as that took
  pause = 0; // and so many milliseconds at least
  due = 0; // when it may be drawn again; 0: at once
  width = 0;
  visible = false;

  constructor(view, name) {
    Object.assign(this, { view, name });
    this.element = view.root.querySelector(`[data-block=${name}]`);
    this.figure = this.element.querySelector("[role=img]") ?? this.element;
  }

  /** Tell whether the frame has something for this block. */
  applies(frame) {
    return true;
  }

  /** Tell whether it can draw yet. */
  ready() {
    return this.width > 0;
  }

  /** Return a text that changes when the picture does. */
  stamp(frame) {
    return frame.header.step;
  }

  speak(frame) {
    const text = this.text(frame);
    if (text) this.figure.setAttribute("aria-label", text);
  }

  /** Return the text alternative. */
  text(frame) {
    return "";
  }

  destroy() {}

  /** Return the frame that this shows when `frame` is the newest. */
  source(frame) {
    return frame;
  }

  /** Save what is shown, `table(frame)`, as a CSV file. */
  download() {
    const frame = this.source(this.view.frame);
    const cell = (value) => (typeof value === "number" ? short(value) : value);
    save(this.table(frame).map((row) => row.map(cell)), `kasane-${this.name}-step-${frame.header.step}.csv`);
  }
}

/**
 * Return the shortest decimal that is the same float32, as which frames send their numbers: 0.777 for 0.7770000100135803.
 * Six digits always survive being a float32, and nine always tell it. Whole numbers stay as they are.
 */
function short(value) {
  if (Number.isSafeInteger(value)) return value;
  const rounded = (digits) => Number(value.toPrecision(digits));
  return rounded([6, 7, 8].find((digits) => Math.fround(rounded(digits)) === Math.fround(value)) ?? 9);
}

/**
 * Return where the bars of a histogram begin, and where the last one ends. Its limits were sent as float32, and what is
 * reckoned from such has the digits of a double: 0.015, not 0.0150000002.
 */
export function edges(limits, bars) {
  const [low, high] = Array.from(limits, short);
  return range(bars + 1, (n) => (low * (bars - n) + high * n) / bars);
}

/** A block that says in which state the training is, and how far. Subclasses move its bar. */
export class Progress extends Block {
  constructor(view, name) {
    super(view, name);
    this.badge = this.element.querySelector(".klv-state");
    this.bar = this.element.querySelector("[role=progressbar]");
  }

  stamp() {
    return this.view.received;
  }

  showState() {
    const state = this.view.told?.state ?? "starting";
    this.badge.innerHTML = icon(state);
    this.badge.append(this.view.t(state));
  }
}

/** Hide or show one of some lines, `hidden` being the set of hidden ones; alone: show it alone, or all again. */
export function toggle(hidden, line, lines, alone) {
  const others = lines.filter((other) => other !== line);
  if (alone) {
    const already = others.every((other) => hidden.has(other)) && !hidden.has(line);
    hidden.clear();
    if (!already) others.forEach((other) => hidden.add(other));
  } else if (!hidden.delete(line)) hidden.add(line);
}

/** The names of lines, as buttons that hide and show them. (Plotly's own legend is out of the keyboard's reach.) */
export class Legend {
  constructor(box, hidden, changed) {
    Object.assign(this, { box, hidden, changed });
    box.addEventListener("click", (event) => this.click(event));
  }

  show(curves) {
    const content = JSON.stringify(curves.map(({ id, name, color, dash }) => [id, name, color, dash]));
    if (content === this.content) return;
    Object.assign(this, { content, curves });
    this.box.replaceChildren(...curves.map((curve) => element("button", { type: "button" }, swatch(curve), curve.name)));
    this.press();
  }

  press() {
    this.curves.forEach(({ id }, i) => this.box.children[i].setAttribute("aria-pressed", !this.hidden.has(id)));
  }

  click(event) {
    const index = [...this.box.children].indexOf(event.target.closest("button"));
    if (index < 0) return;
    const ids = this.curves.map(({ id }) => id);
    toggle(this.hidden, ids[index], ids, event.shiftKey);
    this.press();
    this.changed();
  }
}


export const OFTEN = 3; // the thrift of what people look at most: drawn with every frame unless the machine is slow
export const MAX_BANDS = 8; // layers whose ± bands can still be told apart

/**
 * Lines over training, drawn by Plotly. Zoom and the choice of lines outlive every frame.
 *
 * spec: {name, axis(view), curves(frame, view)}; a curve {id, name, color, dash, width, array, column} follows a column
 * of one of the frame's arrays; symbol: a mark at each point; spread: a column to draw a band of ± around it; csv: its
 * name in the file; frame: whose arrays these are, where not the newest's, and legend: where it is named then.
 */
export class LineChart extends Block {
  zoom = 0; // counts resets of the zoom

  constructor(view, spec, legend) {
    super(view, spec.name);
    Object.assign(this, { thrift: 25, pause: 0, ...spec });
    const box = this.element.querySelector(".klv-legend");
    this.legend = legend ?? new Legend(box, view.hiddenIn(spec.name), () => view.refresh());
    plotly().then(() => view.schedule());
  }

  ready() {
    return this.width > 0 && window.Plotly;
  }

  stamp(frame) {
    const curves = this.curves(frame, this.view);
    const ends = curves.map(({ array, frame: source = frame }) => [source.token, source.last(array, 0)]);
    const hidden = curves.map((curve) => this.hides(curve));
    return [ends, hidden, this.view.options.x, this.view.options.loss, this.zoom].join();
  }

  hides({ id, legend = this.legend }) {
    return legend.hidden.has(id);
  }

  resetZoom() {
    this.zoom++;
    this.view.refresh([this]);
  }

  draw(frame) {
    const curves = this.curves(frame, this.view);
    const log = this.axis(this.view).type === "log";
    const bands = curves.filter((curve) => !this.hides(curve)).length <= MAX_BANDS;
    this.legend.show(curves.filter(({ legend }) => !legend));
    const traces = curves.flatMap((curve) => {
      const { name, color, dash, width, symbol, array, column, spread, frame: source = frame } = curve;
      const [steps, known] = thin(source.column(array, 0), source.column(array, column));
      const y = log ? known.map((value) => (value > 0 ? value : NaN)) : known; // else a line falls to the bottom
      const x = steps.map(source.axis(this.view.options.x, array));
      const visible = !this.hides(curve);
      const single = y.filter(Number.isFinite).length < 2; // a lone point, which lies on the axis
      const mode = single ? "markers" : symbol ? "lines+markers" : "lines";
      const look = { mode, cliponaxis: !single, line: { color, dash, width },
        marker: { color, symbol: symbol ?? "circle", size: 6 }, hovertemplate: "%{y}" };
      const line = { x, y, name, visible, ...look };
      if (!spread || !bands) return line;
      const outline = around(x, y, frame.column(array, spread));
      const fill = { mode: "none", fill: "toself", fillcolor: color, opacity: 0.14, hoverinfo: "skip" };
      return [{ ...outline, ...fill, visible }, line];
    });
    window.Plotly.react(this.figure, traces, this.layout(frame, traces.length > 0), {
      displaylogo: false, showSendToCloud: false, displayModeBar: false, responsive: false,
      showTips: false, // in English alone, over whatever stands at the top
    });
  }

  layout(frame, visible) {
    const { theme, options } = this.view;
    const { mark, ...vertical } = this.axis(this.view);
    const axis = {
      visible, gridcolor: "rgba(128,128,128,.2)", zeroline: false, automargin: false, separatethousands: true,
      exponentformat: "e", minexponent: 4, hoverformat: ".4~g",
      tickfont: { size: 11 }, ticks: "outside", ticklen: 4, tickcolor: "rgba(0,0,0,0)",
    };
    const along = { // 4,000, and 40k where that is too long for a small chart
      exponentformat: "SI", minexponent: 3, hoverformat: options.x === "steps" ? ",.0f" : axis.hoverformat,
    };
    const line = { color: theme.text, width: 1.2, dash: "dot" };
    const marked = { type: "line", xref: "paper", x0: 0, x1: 1, y0: mark, y1: mark, opacity: 0.7, visible, line };
    const shown = [frame.token, this.zoom]; // another run, or a wish to see all of it, ends a zoom
    return {
      width: this.width,
      height: this.height,
      margin: { l: 46, r: 10, t: 8, b: 24, autoexpand: false },
      uirevision: "keep",
      xaxis: { ...axis, ...along, rangemode: "tozero", nticks: 6, uirevision: [shown, options.x].join() },
      yaxis: { ...axis, nticks: vertical.type ? 4 : 7, ...vertical, uirevision: [shown, vertical.type].join() },
      shapes: mark ? [marked] : [],
      showlegend: false,
      hovermode: "x unified",
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger scrolls the page
      font: { family: theme.font, color: theme.text, size: 12 },
      hoverlabel: { bgcolor: theme.background, font: { color: theme.text } },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
    };
  }

  text(frame) {
    const { format } = this.view;
    const kind = this.axis(this.view).tickformat ? format.percent : format.short;
    const value = ({ name, array, column, frame: source = frame }) => `${name} ${kind(source.last(array, column))}`;
    const values = this.curves(frame, this.view).map(value).join(", ");
    const title = this.element.querySelector("[role=heading]").textContent;
    return this.view.t("chart_text", { title, step: format.whole(frame.header.step), values });
  }

  /** Return one row for each step at which anything is known of this run. */
  table(frame) {
    const now = this.curves(frame, this.view).filter((curve) => !curve.frame);
    const columns = now.flatMap(({ array, column, spread, csv }) =>
      [[array, column, csv], ...(spread ? [[array, spread, `${csv}_std`]] : [])]);
    const times = Object.values(frame.clocks).map((unit) => frame.axis(unit));
    const rows = new Map();
    columns.forEach(([array, column], place) => {
      const values = frame.column(array, column);
      frame.column(array, 0).forEach((step, i) => {
        if (!rows.has(step)) rows.set(step, [step, ...times.map((time) => time(step)), ...columns.map(() => NaN)]);
        rows.get(step)[1 + times.length + place] = values[i];
      });
    });
    const names = columns.map(([, , name]) => name);
    return [["step", ...Object.keys(frame.clocks), ...names], ...[...rows.values()].sort((a, b) => a[0] - b[0])];
  }

  destroy() {
    window.Plotly?.purge(this.figure);
  }
}

/** Return the outline of y ± spread over x. */
function around(x, y, spread) {
  const there = Array.from(x.keys()).filter((i) => Number.isFinite(y[i] + spread[i]));
  const back = [...there].reverse();
  return {
    x: [...there, ...back].map((i) => x[i]),
    y: [...there.map((i) => y[i] + spread[i]), ...back.map((i) => y[i] - spread[i])],
  };
}
