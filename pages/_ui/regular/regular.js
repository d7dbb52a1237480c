/* The moving pictures of the regularization page: a series of places, walked through.

   norms.js     the ball grows with its budget, and the lowest point of the error goes with it
   dropout.js   another mask at every step of training
   sheet.js     another look of the same digits

   A picture has update(scene), show(place) → a sentence, rows() for the CSV, close(); pace; moves: whether it goes by
   itself; layout(), if its pane's width matters. */

const { search } = new URL(import.meta.url);
const load = (name) => import(new URL(`${name}.js${search}`, import.meta.url)); // the same version as this file
const [{ Norms }, { Dropout }, { Sheet }, { mounted }, { Walk }] =
  await Promise.all(["norms", "dropout", "sheet", "../served/mount", "../served/walk"].map(load));

const KINDS = { norms: Norms, dropout: Dropout, sheet: Sheet };

export default mounted(({ parentElement, data }) => new Pane(parentElement, data));

/** A picture with its tools. */
class Pane extends Walk {
  constructor(parent, { key, scene: { kind } }) {
    super(key);
    this.file = kind;
    this.picture = new KINDS[kind](this);
    const sheet = new URL(`regular.css${search}`, import.meta.url);
    this.compose(parent, sheet, { className: `kasane-regular ${kind}-pane`, below: [this.picture.root] });
  }

  get place() {
    return this.state.place;
  }

  get places() {
    return this.scene.places;
  }

  get pace() {
    return this.picture.pace;
  }

  get moves() {
    return Boolean(this.picture.moves);
  }

  get first() {
    return this.scene.place;
  }

  build() {
    const { state, scene: { place } } = this;
    this.picture.update(this.scene);
    if (state.asked !== place) Object.assign(state, { asked: place, place });
  }

  layout() {
    if (!this.scene || !this.picture.layout) return;
    this.picture.layout();
    this.show();
  }

  draw() {
    return this.picture.show(this.place);
  }

  rows() {
    return this.picture.rows();
  }

  lead(to) {
    super.lead({ ...to, test: false });
  }

  play(playing) {
    if (playing) this.state.test = false;
    super.play(playing);
  }

  close() {
    super.close();
    this.picture.close();
  }
}
