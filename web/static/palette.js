// The colors that a place of a given lightness can plausibly have, to pick one from.

import { hexOf, labOf } from "./lab.js";
import { hue as hueName, say } from "./words.js";

// Hue angles in CIELAB, in degrees.
const HUES = {
  pink: 0, red: 32, orange: 55, amber: 74, yellow: 95, lime: 115,
  green: 145, teal: 190, sky: 245, blue: 280, violet: 308, magenta: 335,
};
const LEVELS = { pale: 0.25, soft: 0.55, strong: 0.95 }; // of the highest plausible chroma
const HIGHEST_CHROMA = 68; // few things in photographs are more colorful
const LEAST_LIGHTNESS = 25; // below which all swatches look black, whatever their hue
const COLUMNS = 6;
const CROSS_PIXELS = 20; // from its middle to its end
const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -COLUMNS, ArrowDown: COLUMNS };

const dialog = document.getElementById("palette");
const list = dialog.querySelector(".swatches");

// The color that the visitor picks for a place; null if none.
export function pickColor(l, place) {
  const colors = plausible(Math.max(l, LEAST_LIGHTNESS));
  list.replaceChildren(...colors.map(swatch));
  list.style.setProperty("--columns", COLUMNS);
  list.firstElementChild.tabIndex = 0;
  dialog.returnValue = "";
  dialog.showModal();
  if (hides(place)) place.scrollIntoView({ block: "start", behavior: "instant" });
  list.firstElementChild.focus();
  return new Promise((resolve) =>
    dialog.addEventListener(
      "close",
      () => resolve(dialog.returnValue || null),
      { once: true },
    ),
  );
}

// Of each hue a pale, a soft and a strong color, six hues side by side, and gray; all of this L*.
function plausible(l) {
  const hues = Object.entries(HUES);
  const rows = [hues.slice(0, COLUMNS), hues.slice(COLUMNS)].flatMap((half) =>
    Object.entries(LEVELS).map(([level, share]) =>
      half.map(([name, angle]) => ({
        color: hexOf(l, share * highestChroma(l, angle), angle),
        name: say(level, { hue: hueName(name) }),
      })),
    ),
  );
  return [...rows.flat(), { color: hexOf(l, 0, 0), name: say("gray") }];
}

// What a color is called: as the nearest of those that its place could have.
export function nameOf(color) {
  const { l, a, b } = labOf(color);
  const away = (other) => Math.hypot(labOf(other.color).a - a, labOf(other.color).b - b);
  return plausible(l).reduce((best, each) => (away(each) < away(best) ? each : best)).name;
}

function highestChroma(l, angle) {
  let [low, high] = [0, HIGHEST_CHROMA];
  for (let step = 0; step < 8; step += 1) {
    const middle = (low + high) / 2;
    if (hexOf(l, middle, angle)) low = middle;
    else high = middle;
  }
  return low;
}

function hides(place) {
  const { x, y } = place.getBoundingClientRect();
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return left < x && x < right && top - CROSS_PIXELS < y && y < bottom + CROSS_PIXELS;
}

function swatch({ color, name }) {
  const button = document.createElement("button");
  button.className = "swatch";
  button.value = color;
  button.tabIndex = -1;
  button.title = name;
  button.setAttribute("aria-label", name);
  button.style.setProperty("--color", color);
  return button;
}

list.addEventListener("keydown", (event) => {
  const step = STEPS[event.key];
  if (!step) return;
  event.preventDefault();
  const swatches = [...list.children];
  const last = swatches.length - 1;
  const next = Math.min(Math.max(swatches.indexOf(document.activeElement) + step, 0), last);
  swatches.forEach((each, index) => (each.tabIndex = index === next ? 0 : -1));
  swatches[next].focus();
});
