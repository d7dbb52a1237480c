/* The landscape in three dimensions, by Plotly. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const { css, mix } = await load("../served/canvas");
const { fill, range } = await load("../served/dom");
const { plain, steady } = await load("../served/numbers");
const { plotly } = await load("../served/plotly");
const { BANDS, position } = await load("plane");
const { DOTTED } = await load("map");

const GRID = 71; // points of the surface on a side
const SURFACE_EVERY = 70; // ms at least between two drawings of walks on the surface
const SYMBOLS_3D = { // Plotly's names
  circle: "circle", square: "square", diamond: "diamond", triangle: "diamond-open", cross: "x", star: "cross", ring: "circle-open",
};

/** The landscape in three dimensions. Plotly draws it and says what is under the mouse; the race turns it. */
export class Surface {
  constructor(box, choose) {
    Object.assign(this, { box, choose, drawn: 0, rest: SURFACE_EVERY });
  }

  /** Draw everything: another landscape, other walks, another theme. */
  async show(race) {
    this.race = race;
    await plotly();
    if (this.race !== race || !this.box.isConnected || race.state.view !== "surface") return;
    const { field, theme, scene } = race, [[left, right], [bottom, top]] = field.domain;
    const xs = range(GRID, (n) => left + (n * (right - left)) / (GRID - 1));
    const ys = range(GRID, (n) => bottom + (n * (top - bottom)) / (GRID - 1));
    const values = ys.map((y) => xs.map((x) => field.at(x, y)));
    const highest = Math.max(...values.flat());
    const line = css(mix(theme.high, theme.ink, 0.4));
    const surface = {
      type: "surface", x: xs, y: ys, z: values.map((row) => row.map((it) => field.height(it))),
      text: values.map((row, j) => row.map((it, i) => fill(race.labels.point, { x: steady(xs[i]), y: steady(ys[j]), f: steady(it) }))),
      hoverinfo: "text", showscale: false,
      colorscale: [[0, css(mix(theme.ground, theme.high, 0.16))], [1, css(theme.high)]],
      contours: { z: { show: true, start: 1, end: BANDS, size: 1, color: line, width: 1 } },
      lighting: { ambient: 0.82, diffuse: 0.35, specular: 0.05, roughness: 0.9 },
    };
    const trails = scene.runs.map((run) => ({
      type: "scatter3d", mode: "lines", name: run.name, hoverinfo: "name",
      line: { color: run.ink, width: 6, dash: run.dash }, ...this.trail(run),
    }));
    const heads = {
      type: "scatter3d", mode: "markers", hoverinfo: "text", text: scene.runs.map((run) => run.name),
      marker: {
        size: 7, color: scene.runs.map((run) => run.ink), symbol: scene.runs.map((run) => SYMBOLS_3D[run.marker]),
        line: { color: css(theme.ground), width: 1 },
      },
      ...this.heads(),
    };
    const decades = [0, 0.1, 1, 10, 100, 1e3, 1e4, 1e5].filter((it) => field.lowest + it <= highest);
    const apart = decades.filter((it, n) => !n || field.height(field.lowest + it) - field.height(field.lowest + decades[n - 1]) > 1.5);
    const axis = { color: css(theme.ink), gridcolor: css(mix(theme.ground, theme.ink, 0.2)), zeroline: false, showspikes: false };
    const ticks = { tickvals: apart.map((it) => field.height(field.lowest + it)), ticktext: apart.map((it) => plain(field.lowest + it)) };
    const sides = [right - left, top - bottom], longest = Math.max(...sides);
    this.place = race.camera.place;
    const layout = {
      scene: {
        xaxis: { ...axis, title: { text: "x" }, range: field.domain[0] },
        yaxis: { ...axis, title: { text: "y" }, range: field.domain[1] },
        zaxis: { ...axis, title: { text: "f" }, ...ticks, range: [0, field.height(highest) * 1.02] },
        aspectmode: "manual",
        aspectratio: { x: (1.5 * sides[0]) / longest, y: (1.5 * sides[1]) / longest, z: 0.8 },
        camera: this.place,
        dragmode: false,
      },
      margin: { l: 0, r: 0, t: 0, b: 0 },
      paper_bgcolor: "rgba(0,0,0,0)",
      font: { family: theme.font, color: css(theme.ink), size: 12 },
      hoverlabel: { bgcolor: css(theme.ground), font: { color: css(theme.ink) } },
      showlegend: false,
    };
    const config = { displayModeBar: false, displaylogo: false, showSendToCloud: false, responsive: true };
    await window.Plotly.react(this.box, [surface, ...trails, heads], layout, config);
    if (!this.listening) {
      this.listening = true;
      const point = ({ points: [{ x, y }] }) => (this.under = [x, y]);
      this.box.on("plotly_hover", point);
      this.box.on("plotly_click", point); // what it says instead while a button is down
      this.box.on("plotly_unhover", () => (this.under = null));
    }
    this.shown = scene;
    this.look(); // it may have been turned meanwhile
    this.box.dataset.traces = this.box.data.length;
  }

  /** Choose the point under the mouse, which Plotly finds when it next draws: at the beginning of the next frame. */
  pick() {
    requestAnimationFrame(() => this.under && this.choose(...this.under));
  }

  /** Look from where the camera is. */
  look() {
    const { place } = this.race.camera;
    if (this.shown !== this.race.scene || JSON.stringify(place) === JSON.stringify(this.place)) return;
    this.place = place;
    window.Plotly.relayout(this.box, { "scene.camera": place });
  }

  /** Move the walks on, without touching the surface. */
  follow() {
    const { race, shown } = this;
    if (!shown || shown !== race.scene || performance.now() - this.drawn < this.rest) return;
    const step = `${Math.floor(race.state.time)}`;
    if (step === this.step) return;
    this.step = step;
    const began = performance.now();
    const all = [...shown.runs.map((run) => this.trail(run)), this.heads()];
    const columns = Object.fromEntries(["x", "y", "z"].map((axis) => [axis, all.map((it) => it[axis])]));
    window.Plotly.restyle(this.box, columns, range(all.length, (n) => n + 1));
    this.drawn = performance.now();
    this.rest = Math.max(SURFACE_EVERY, 2 * (this.drawn - began)); // a slow machine is left time for other things
  }

  /** Return points just above the surface, and gaps where a walk is outside of what is seen. */
  above(points, lift = 0.2) {
    const { field } = this.race, [[left, right], [bottom, top]] = field.domain;
    const inside = points.map(([x, y]) => (x >= left && x <= right && y >= bottom && y <= top ? [x, y] : [null, null]));
    return {
      x: inside.map(([x]) => x), y: inside.map(([, y]) => y),
      z: inside.map(([x, y]) => (x === null ? null : field.height(field.at(x, y)) + lift)),
    };
  }

  /** Return a walk up to now, with points between its steps so that it follows the ground. */
  trail(run) {
    const reached = Math.min(Math.floor(this.race.state.time), run.points.length - 1);
    const between = run.points.length > DOTTED ? 1 : 8;
    return this.above(range(reached * between + 1, (n) => position(run, n / between)));
  }

  heads() {
    const { scene, state } = this.race;
    return this.above(scene.runs.map((run) => position(run, Math.floor(state.time))), 0.6);
  }

  close() {
    if (this.shown) window.Plotly.purge(this.box);
  }
}
