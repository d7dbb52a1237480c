/** The filters of a convolution. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const [{ Block }, { numbers, paint }, { element }] = await Promise.all(["charts", "shade", "../served/dom"].map(load));

/** The kernels of a first convolution, as they were drawn and as they are now. */
export class Filters extends Block {
  constructor(view) {
    super(view, "filters");
    this.box = this.element.querySelector(".klv-filters");
  }

  applies(frame) {
    return frame.rows("filters") > 0;
  }

  draw(frame) {
    const n = frame.rows("filters");
    while (this.box.children.length > n) this.box.lastChild.remove();
    while (this.box.children.length < n) {
      const pair = element("div");
      pair.append(element("canvas"), element("canvas"));
      this.box.append(pair);
    }
    const size = frame.arrays.filters.shape[1];
    [...this.box.children].forEach((pair, i) => {
      pair.title = this.view.t("filter", { n: i + 1 });
      ["filters_before", "filters"].forEach((name, j) => paint(pair.children[j], frame.row(name, i), size));
    });
  }

  speak(frame) {
    const values = { n: frame.rows("filters"), step: this.view.format.whole(frame.header.step) };
    this.box.setAttribute("aria-label", this.view.t("filters_text", values));
  }

  /** Return a kernel's weights. Byte 128 stands for 0, 255 for the largest and 1 for minus that: byte 0 is further out. */
  weights(frame, name, i) {
    const largest = frame.arrays[`${name}_largest`].values[i];
    return numbers(frame.row(name, i), [(-128 / 127) * largest, largest]);
  }

  table(frame) {
    const size = frame.arrays.filters.shape[1];
    const rows = Array.from({ length: frame.rows("filters") }, (_, i) => {
      const [before, now] = ["filters_before", "filters"].map((name) => this.weights(frame, name, i));
      return now.map((weight, j) => [i + 1, Math.floor(j / size), j % size, before[j], weight]);
    });
    return [["filter", "row", "column", "before", "now"], ...rows.flat()];
  }
}
