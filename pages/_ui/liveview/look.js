/** How it looks: numbers as text, the colours of the page's theme, icons, and the frames of cards and charts. */

const { search } = new URL(import.meta.url); // the version, the same for all of these files
const load = (name) => import(new URL(`../served/${name}.js${search}`, import.meta.url));
const [{ mix, pageTheme, rgb }, { style }, { minus, percent, significant }] =
  await Promise.all(["canvas", "dom", "numbers"].map(load));

/** Return a run's numbers as text in the page's language. */
export function formats(language) {
  const kinds = {
    whole: { maximumFractionDigits: 0 },
    one: { minimumFractionDigits: 1, maximumFractionDigits: 1 },
    seconds: { style: "unit", unit: "second", minimumFractionDigits: 1, maximumFractionDigits: 1 },
    middle: { maximumSignificantDigits: 3 },
  };
  const format = { percent: (share) => percent(share), round: (share) => percent(share, 0) };
  for (const [name, options] of Object.entries(kinds)) {
    const number = new Intl.NumberFormat(language, options);
    format[name] = (value) => (Number.isFinite(value) ? minus(number.format(value || 0)) : "–"); // never "-0"
  }
  const extreme = (value) => value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5);
  format.short = (value) => (extreme(value) ? significant(value, 3) : format.middle(value));
  return format;
}

/** Return the page's theme, and the colours of what every run has. */
export function readTheme(root) {
  const theme = pageTheme(root);
  const colors = theme.dark
    ? { batch: "#6b7f95", train: "#5cb3ff", test: "#ffa657", before: "#a3a8b0" }
    : { batch: "#7f96ad", train: "#0f6fc6", test: "#c2500a", before: "#858b94" };
  return { ...theme, ...colors };
}

/** Return the color `part` of the way through a list of colors, as [red, green, blue]. */
export function between(colors, part) {
  const place = Math.min(Math.max(part, 0), 1) * (colors.length - 1);
  const i = Math.min(Math.floor(place), colors.length - 2);
  return mix(rgb(colors[i]), rgb(colors[i + 1]), place - i).map(Math.round);
}

// From the first layer to the last: blue by way of purple to orange, which every kind of colour vision tells apart.
const DEPTH = {
  light: ["#1b5fd0", "#8a35b5", "#d03a6a", "#c96a00"],
  dark: ["#6cabff", "#c08cf5", "#ff86a8", "#ffb454"],
};

const palettes = {};

export function layerColor({ dark }, i, n) {
  const colors = (palettes[`${dark} ${n}`] ??= Array.from({ length: n }, (_, k) =>
    `rgb(${between(dark ? DEPTH.dark : DEPTH.light, n > 1 ? k / (n - 1) : 0)})`));
  return colors[i];
}

let styles;

/** Load the style sheet, once; nothing is drawn before it is there. */
export const stylesheet = () => (styles ??= style(document.head, new URL(`liveview.css${search}`, import.meta.url)));

export const ICONS = {
  csv: "M8 1.5v8m0 0L4.8 6.3M8 9.5l3.2-3.2M2 11.5v3h12v-3",
  reset_zoom: "M2.2 6.5V2.2h4.3M9.5 2.2h4.3v4.3M13.8 9.5v4.3H9.5M6.5 13.8H2.2V9.5",
  starting: "M8 2.5a5.5 5.5 0 1 1-5.5 5.5",
  ready: "M8 2.8a5.2 5.2 0 1 0 .01 0z",
  running: "M4.5 2.5l8.5 5.5-8.5 5.5z",
  paused: "M5 3v10M11 3v10",
  completed: "M2.5 8.5l3.8 3.8 7.2-8",
  diverged: "M2 13.5c5 0 7-3 8-11M6.8 5.2L10 2.2l3 3.2",
  error: "M8 2.2v7.3M8 12.6v.8",
  gone: "M13.5 8A5.5 5.5 0 1 1 11 3.4M11 1v2.8H8.2",
};

export const icon = (name) => `
  <svg class="klv-icon" viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
export const tool = (name) => `
  <button type="button" class="klv-tool" data-tool="${name}" data-name="${name}">${icon(name)}</button>`;
export const fact = (name) => `<div class="klv-fact"><dt data-t="${name}"></dt><dd data-fact="${name}">–</dd></div>`;
export const choice = (id, option, label, values) => `
  <fieldset class="klv-choice" data-option="${option}"><legend data-t="${label}"></legend>${values.map((value, i) => `
    <label><input type="radio" name="${id}-${option}" value="${value}"${i ? "" : " checked"}>
    <span data-t="${value}"></span></label>`).join("")}
  </fieldset>`;
export const card = (name, title, body, tools = "") => `
  <section class="klv-card" data-block="${name}">
    <div class="klv-title"><div role="heading" aria-level="3" data-t="${title}"></div>${tools}${tool("csv")}</div>
    ${body}
  </section>`;
export const chart = (name, title, { legend = "", hint }) => card(name, title, `${legend}
  <div class="klv-figure" role="img"></div><div class="klv-x" aria-hidden="true"></div>
  ${hint ? `<p class="klv-hint" data-t="${hint}"></p>` : ""}`, tool("reset_zoom"));

/** Move the focus among the focusable elements of a group with the arrow keys; only one of them is a tab stop. */
export function rove(group, selector) {
  group.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const [dx, dy] = ways[event.key] ?? [];
    const from = event.target.closest(selector);
    if (!from || dx === undefined) return;
    event.preventDefault();
    const here = from.getBoundingClientRect();
    let best = [Infinity];
    for (const element of group.querySelectorAll(selector)) {
      const there = element.getBoundingClientRect();
      const [right, down] = [there.x - here.x, there.y - here.y];
      const ahead = right * dx + down * dy;
      const aside = Math.abs(right * dy) + Math.abs(down * dx);
      if (ahead > 1 && ahead + 3 * aside < best[0]) best = [ahead + 3 * aside, element];
    }
    if (!best[1]) return;
    from.tabIndex = -1;
    best[1].tabIndex = 0;
    best[1].focus();
  });
}
