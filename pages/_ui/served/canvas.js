/** What is drawn on a canvas: as sharp as the screen, in the colours of the page, and the bars of histograms. */

/** Empty a canvas and return its context, which counts in CSS pixels; its bitmap is as fine as the screen. */
export function surface(canvas, width, height, ratio = devicePixelRatio || 1) {
  const size = [width, height].map((length) => Math.max(Math.round(length * ratio), 1));
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

const painter = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

/** Return any opaque CSS colour as [red, green, blue]. */
export function rgb(color) {
  painter.fillStyle = color;
  painter.fillRect(0, 0, 1, 1);
  return [...painter.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

/** Return the colour that lies a share of the way from one to another, all as [red, green, blue]. */
export const mix = (from, to, share) => from.map((channel, i) => channel + (to[i] - channel) * share);

/** Return [red, green, blue] as a CSS colour. */
export const css = (color, alpha = 1) => `rgba(${color.map(Math.round).join()}, ${alpha})`;

/** Return Streamlit's colours and font as they are now, and whether they are dark. */
export function pageTheme(root) {
  const computed = getComputedStyle(root);
  const get = (name) => computed.getPropertyValue(`--st-${name}`).trim();
  const background = get("background-color") || "white";
  const [red, green, blue] = rgb(background);
  const dark = red * 0.3 + green * 0.6 + blue * 0.1 < 128;
  return { dark, background, text: get("text-color") || computed.color, font: get("font") || "sans-serif" };
}

/** Return the count that a histogram is as high as: a bar that dwarfs all others (the zeros of a ReLU) is cut off. */
export function ceiling(counts) {
  const [first, second] = [...counts].sort((a, b) => b - a);
  return second > 0 && first > 3 * second ? 1.6 * second : first || 1;
}

/** Draw bars that stand on `floor`, side by side over a width; one that is cut off gets a gap to say so. Return the ceiling. */
export function drawBars(context, counts, { width, floor, height, color }) {
  const top = ceiling(counts), step = width / counts.length;
  context.fillStyle = color;
  counts.forEach((count, i) => {
    const bar = Math.max(Math.min(count / top, 1) * height, count ? 1 : 0);
    context.fillRect(i * step + 0.5, floor - bar, Math.max(step - 1, 1), bar);
    if (count > top) context.clearRect(i * step, floor - bar + 6, step, 2.5);
  });
  return top;
}
