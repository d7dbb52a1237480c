/** Plotly: megabytes, asked for by thirty laptops in one minute. Loaded once for the page, however often that fails. */

const { search } = new URL(import.meta.url); // the version, the same for all files that a component imports
const { pause } = await import(new URL(`channel.js${search}`, import.meta.url));

let there;

/** Return a promise of `window.Plotly`. It is never refused: what failed is tried again, ever more patiently. */
export const plotly = () => (there ??= load());

async function load() {
  for (let failures = 0; !window.Plotly; failures++) {
    if (failures) await rest(pause(failures - 1));
    await attempt();
  }
  return window.Plotly;
}

/** Ask for it, and return when there is an answer, whatever it is. */
function attempt() {
  const script = document.createElement("script");
  script.src = new URL("plotly/plotly.min.js", document.baseURI).href;
  document.head.append(script);
  return new Promise((done) => {
    script.onload = script.onerror = done;
  }).finally(() => script.remove());
}

/** Wait so many ms, or until the browser is online again. */
function rest(ms) {
  return new Promise((done) => {
    setTimeout(done, ms);
    addEventListener("online", done, { once: true });
  });
}
