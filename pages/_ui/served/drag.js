/** A picture that a hand moves along sideways. What a finger does up or down is the page's: it scrolls. */

const SIDEWAYS = 5; // pixels after which a finger means the picture

/**
 * Follow whoever presses on `target`: a mouse at once, a finger when it goes sideways or is lifted where it was put down.
 *
 * begin(event) returns what brings back how it was, called when the browser takes the gesture for its own;
 * follow(event) goes to where the pointer is; end() is called when the hand lets go.
 */
export function drag(target, begin, follow, end = () => {}) {
  let held = null;
  const move = (event) => {
    held.undo ??= begin(event);
    follow(event);
  };
  target.addEventListener("pointerdown", (event) => {
    if (event.button || !event.isPrimary) return;
    target.setPointerCapture(event.pointerId);
    held = { x: event.clientX };
    if (event.pointerType === "mouse") move(event);
  });
  target.addEventListener("pointermove", (event) => {
    if (held && (held.undo || Math.abs(event.clientX - held.x) > SIDEWAYS)) move(event);
  });
  target.addEventListener("pointerup", (event) => {
    if (!held) return;
    if (!held.undo) move(event);
    held = null;
    end();
  });
  target.addEventListener("pointercancel", () => {
    held?.undo?.();
    held = null;
  });
}
