/* From where the landscape is looked at in three dimensions. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const { clamp } = await import(new URL(`../served/dom.js${search}`, import.meta.url));

const MIDDLE = { x: -0.05, y: 0.07, z: -0.3 }; // what stays in the middle of the picture
const LOWEST = 0.2, HIGHEST = 1.5; // radians: from the ground or below, and from straight above, one sees nothing of hills
const NEAREST = 4, FARTHEST = 0.5; // zoom
const TURN = 0.007; // radians that a pixel of a drag turns

/** A place on a sphere: how far around, how high and, by the zoom, how near. Drags and zooms as the map's `View` does. */
export class Camera {
  constructor([[left, right], [bottom, top]]) {
    const sides = [right - left, top - bottom];
    const away = 0.15 + (0.86 * Math.hypot(...sides)) / Math.max(...sides); // the numbers at the corners are whole
    this.first = { x: -1.28 * away - MIDDLE.x, y: -0.96 * away - MIDDLE.y, z: 1.4 * away - MIDDLE.z };
    this.reset();
  }

  reset() {
    const { x, y, z } = this.first;
    this.distance = Math.hypot(x, y, z);
    this.around = Math.atan2(y, x);
    this.up = Math.asin(z / this.distance);
    this.zoom = 1;
  }

  turn(around, up) {
    this.around += around;
    this.up = clamp(this.up + up, LOWEST, HIGHEST);
  }

  /** Follow a hand: what is in front goes where it goes. */
  drag([left, top], [toLeft, toTop]) {
    this.turn((left - toLeft) * TURN, (toTop - top) * TURN);
  }

  magnify(factor) {
    this.zoom = clamp(this.zoom * factor, FARTHEST, NEAREST);
  }

  /** Return it as Plotly takes it. */
  get place() {
    const radius = this.distance / this.zoom, flat = radius * Math.cos(this.up);
    return {
      center: MIDDLE,
      eye: {
        x: MIDDLE.x + flat * Math.cos(this.around),
        y: MIDDLE.y + flat * Math.sin(this.around),
        z: MIDDLE.z + radius * Math.sin(this.up),
      },
    };
  }
}
