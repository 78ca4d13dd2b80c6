// What the visitor orders: which strategy, and how its knobs are turned.

import { number, say, state } from "./words.js";

const RETRY_MILLISECONDS = 2000;

const form = document.getElementById("order");

const chosenRadio = () => form.querySelector('input[name="strategy"]:checked');
const radioOf = (name) =>
  [...form.querySelectorAll('input[name="strategy"]')].find((each) => each.value === name);

// {strategy, knobs}, of the knobs only the turned ones; null while there is no strategy.
export function ordered() {
  const radio = chosenRadio();
  if (!radio) return null;
  const knobs = {};
  for (const knob of knobsIn(radio.closest(".strategy"))) {
    if (knob.value !== initial(knob)) knobs[knob.dataset.knob] = rounded(knob.value);
  }
  return { strategy: radio.value, knobs };
}

export const takesHints = () => chosenRadio()?.hasAttribute("data-hints") ?? false;

// The title by which a strategy is called here.
const titleOf = (name) => radioOf(name)?.labels[0].textContent ?? name;

// What is being done to a photograph; once it is colored, by whom, and with which knobs turned.
export const stateOf = (image) =>
  image.status === "done" ? `${state(image.status)} · ${wayOf(image)}` : state(image.status);

function wayOf(image) {
  const usual = turned({ ...image, knobs: {} });
  const own = [...turned(image)].filter(([label, value]) => value !== usual.get(label));
  return [titleOf(image.strategy), ...own.map((setting) => setting.join(" "))].join(" · ");
}

// What tells two colorings of one photograph apart: their strategies, else how the knobs are
// turned, else which comes first.
export function titlesOf(images) {
  const titles = images.map(({ strategy }) => titleOf(strategy));
  if (titles[0] !== titles[1]) return titles;
  const knobs = images.map(turned);
  const labels = differing(...knobs);
  return titles.map((title, index) => {
    const settings = labels.map((label) => `${label} ${knobs[index].get(label)}`);
    const difference = settings.join(", ") || say("version", { number: index + 1 });
    return `${title} · ${difference}`;
  });
}

// The server draws the strategies; while it knows none, its page is asked again.
export async function awaitStrategies() {
  while (!form.elements.strategy) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
    const text = await fetch("/").then((response) => response.text(), () => "");
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("strategies");
    if (fresh?.querySelector("input")) document.getElementById("strategies").replaceWith(fresh);
  }
}

const knobsIn = (element) => element.querySelectorAll("input[data-knob]");

// As the browser writes the number, which may differ from how the server did.
const initial = (knob) => String(Number(knob.dataset.default));
const rounded = (value) => Math.round(value * 1000) / 1000;

// The knobs of a coloring as the page calls and writes them.
function turned({ strategy, knobs }) {
  const own = radioOf(strategy) ? knobsIn(radioOf(strategy).closest(".strategy")) : [];
  return new Map(
    [...own].map((knob) => [
      knob.labels[0].textContent,
      number(Number(knobs[knob.dataset.knob] ?? knob.dataset.default)),
    ]),
  );
}

const differing = (first, second) =>
  [...first.keys()].filter((label) => second.has(label) && second.get(label) !== first.get(label));

const tell = (knob) =>
  (knob.labels[0].nextElementSibling.value = number(Math.round(knob.value * 100) / 100));

form.addEventListener("input", ({ target }) => {
  if (target.matches("input[data-knob]")) tell(target);
});
form.addEventListener("click", ({ target }) => {
  if (!target.matches(".reset")) return;
  for (const knob of knobsIn(target.closest(".advanced"))) {
    knob.value = knob.dataset.default;
    tell(knob);
  }
});
