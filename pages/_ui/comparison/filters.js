/** The filters of a convolution, of one of the runs. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url));
const { Filters: OfOne } = await load("../liveview/filters");

/** The filters of the first run that has any. */
export class Filters extends OfOne {
  find(frame) {
    return frame.frames.find((one) => one?.rows("filters"));
  }

  applies(frame) {
    return Boolean(this.find(frame));
  }

  draw(frame) {
    super.draw(this.find(frame));
  }

  speak(frame) {
    super.speak(this.find(frame));
  }

  table(frame) {
    return super.table(this.find(frame));
  }
}
