/** Pictures made of bytes: 0 is orange, 128 white, and 255 blue. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const { between } = await import(new URL(`look.js${search}`, import.meta.url));

export const ORANGE = "#f2a043"; // class 0
export const BLUE = "#2f8ccb";
const SHADES = Uint32Array.from({ length: 256 }, (_, byte) => {
  const [red, green, blue] = between([ORANGE, "#f7f8f8", BLUE], byte / 255);
  return (255 << 24) | (blue << 16) | (green << 8) | red; // as little-endian RGBA
});

/**
 * Paint a square of bytes, 0 orange … 128 white … 255 blue, each as `times` × `times` pixels. Between the centres the
 * bytes are interpolated and not the colours: from orange to blue the way leads over white.
 */
export function shade(canvas, bytes, times) {
  const n = Math.sqrt(bytes.length);
  const size = n * times;
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const image = new ImageData(size, size);
  const pixels = new Uint32Array(image.data.buffer);
  const places = Array.from({ length: size }, (_, i) => Math.min(Math.max((i + 0.5) / times - 0.5, 0), n - 1.001));
  for (let y = 0; y < size; y++) {
    const top = Math.floor(places[y]) * n;
    const down = places[y] % 1;
    for (let x = 0; x < size; x++) {
      const left = Math.floor(places[x]);
      const right = places[x] % 1;
      const above = bytes[top + left] * (1 - right) + bytes[top + left + 1] * right;
      const below = bytes[top + n + left] * (1 - right) + bytes[top + n + left + 1] * right;
      pixels[y * size + x] = SHADES[Math.round(above * (1 - down) + below * down)];
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Paint a square of bytes, a pixel each. */
export function paint(canvas, bytes, size) {
  if (canvas.width !== size) canvas.width = canvas.height = size;
  const image = new ImageData(size, size);
  new Uint32Array(image.data.buffer).set(Array.from(bytes, (byte) => SHADES[byte]));
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/**
 * Return the numbers of a picture on which 0 stands for `low` and 255 for `high`. They have one digit more than the step
 * from byte to byte: what is further behind a byte cannot tell.
 */
export function numbers(bytes, [low, high]) {
  const step = (high - low) / 255;
  const digits = Math.min(Math.max(Math.ceil(-Math.log10(step)) + 1, 0), 100); // a step of 0 has as many as there can be
  return Array.from(bytes, (byte) => Number((low + byte * step).toFixed(digits)));
}

/** Return [x1, x2, number] of every cell of a picture of the plane. */
export function squares(bytes, limits) {
  const size = Math.sqrt(bytes.length);
  const centre = (i) => ((i + 0.5) / size) * 12 - 6;
  return numbers(bytes, limits).map((number, i) => [centre(i % size), -centre(Math.floor(i / size)), number]);
}
