/** What every hidden unit makes of the plane, run by run. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Block }, { shade, squares }, { element, range, say }] =
  await Promise.all(["../liveview/charts", "../liveview/shade", "../served/dom"].map(load));

/** On toy2d: what each run makes of the plane, and beside it every hidden unit's output over the same plane. */
export class Units extends Block {
  constructor(view) {
    super(view, "units");
    this.box = this.element.querySelector(".kcp-units");
  }

  applies(frame) {
    return frame.frames.some((one) => one?.rows("responses"));
  }

  stamp() {
    return this.view.received;
  }

  build(drawn) {
    const { view } = this;
    this.rows = drawn.map(([run]) => {
      const row = element("div", { className: "kcp-unit-row" });
      const large = element("canvas", { className: "kcp-plane" });
      const layers = run.units.map((size, k) => {
        const box = element("div", { className: "kcp-unit-layer" });
        const tiles = element("div");
        const canvases = Array.from({ length: size }, () => element("canvas"));
        tiles.append(...canvases);
        box.append(element("small", { textContent: view.t("layer", { n: k + 1 }) }), tiles, element("small"));
        row.append(box);
        return { canvases, note: box.lastElementChild };
      });
      const name = element("b", { textContent: run.name });
      row.prepend(name, large);
      row.setAttribute("role", "img");
      return { row, large, layers };
    });
    this.box.replaceChildren(...this.rows.map(({ row }) => row));
  }

  draw(frame) {
    const { view } = this;
    const drawn = view.shown.filter(([, i]) => frame.rows(`${i}/responses`));
    const key = JSON.stringify([view.words, drawn.map(([run]) => [run.name, run.units])]);
    if (key !== this.key) this.build(drawn);
    this.key = key;
    drawn.forEach(([run, i], r) => {
      const one = frame.frames[i], { row, large, layers } = this.rows[r];
      shade(large, one.arrays.plane.values, 2);
      let first = 0;
      const said = layers.map(({ canvases, note }) => {
        const there = Math.max(Math.min(canvases.length, one.rows("responses") - first), 0);
        const pictures = Array.from({ length: there }, (_, n) => one.row("responses", first + n));
        first += canvases.length;
        pictures.forEach((picture, n) => shade(canvases[n], picture, 2));
        const text = view.t("units_differ", { share: view.format.round(apart(pictures)) });
        say(note, text);
        return text;
      });
      row.dataset.label = `${run.name}: ${said.map((text, k) => `${view.t("layer", { n: k + 1 })}: ${text}`).join(", ")}`;
    });
  }

  speak() {
    for (const { row } of this.rows ?? []) row.setAttribute("aria-label", row.dataset.label ?? "");
  }

  /** Return a row for each output of a hidden unit, over the plane. */
  table(frame) {
    const rows = this.view.shown.filter(([, i]) => frame.rows(`${i}/responses`)).flatMap(([run, i]) => {
      const one = frame.frames[i];
      const units = one.header.shown.flatMap((size, k) => range(size, (n) => [k + 1, n + 1]));
      return units.flatMap((unit, row) => squares(one.row("responses", row), one.row("responses_limits", row))
        .map((cell) => [run.csv, ...unit, ...cell]));
    });
    return [["run", "layer", "unit", "x1", "x2", "value"], ...rows];
  }
}

/** Return how far apart the two most different of some pictures are: their mean difference, 1 for black against white. */
function apart(pictures) {
  let most = 0;
  for (const [n, a] of pictures.entries()) {
    for (const b of pictures.slice(0, n)) {
      most = Math.max(most, a.reduce((total, byte, i) => total + Math.abs(byte - b[i]), 0) / (255 * a.length));
    }
  }
  return most;
}
