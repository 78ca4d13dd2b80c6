// One photograph's own page: compare, color again in another way, guide the colors by hand.

import { announce } from "./announce.js";
import { Problem, readImage, recolorImage } from "./api.js";
import { Comparison } from "./comparison.js";
import { copyLink, Download, remove, telling } from "./deeds.js";
import { Guide } from "./guide.js";
import { openZoom } from "./later.js";
import { isColoringWorthRetrying } from "./retry.js";
import { awaitStrategies, ordered, takesHints, titleOf } from "./strategies.js";
import { isFinal, watch } from "./watch.js";
import { failure, say, state } from "./words.js";

const studio = document.getElementById("studio");
const part = (selector) => studio.querySelector(selector);
const form = document.getElementById("order");
const trouble = document.getElementById("order-problem");

let image = JSON.parse(document.getElementById("view").textContent);
let other = null; // another coloring of the same photograph, to compare with
let watching = new AbortController();
const name = image.filename;

const comparison = new Comparison(part(".comparison"));
const download = new Download(part(".download"));
const guide = new Guide(comparison, image.hints, () => recolor());

function show(news) {
  image = news;
  tell(image);
  const isDone = image.status === "done";
  for (const deed of [".zoom-in", ".copy"]) part(deed).hidden = !isDone;
  part(".again").hidden = !isColoringWorthRetrying(image);
  if (isDone) download.offer(image);
  else download.withdraw();
  draw();
}

function tell({ status, error, strategy }) {
  studio.dataset.status = status;
  const sentence = error ? failure(error) : state(status);
  part(".state").textContent = status === "done" ? `${sentence} · ${titleOf(strategy)}` : sentence;
  comparison.busy = !isFinal({ status });
}

function draw() {
  const versions = [image, other].map((each) => each?.timings?.times.done);
  if (other) {
    const titles = [image, other].map(({ strategy }) => titleOf(strategy));
    const [before, after] = titles.map((title) => say("colored_by", { name, title }));
    const valueText = (percent) => say("split_two", { percent, title: titles[0] });
    comparison.describe({ before, after, range: say("comparison_two", { name }), valueText, buttons: titles });
    if (image.colored_url) comparison.show(comparison.before, image.colored_url, versions[0]);
    if (other.colored_url) comparison.show(comparison.after, other.colored_url, versions[1]);
  } else {
    const before = say("original_of", { name });
    const range = say("comparison_of", { name });
    comparison.describe({ before, after: say("colored_of", { name }), range });
    if (image.original_url) comparison.show(comparison.before, image.original_url);
    if (image.colored_url) comparison.show(comparison.after, image.colored_url, versions[0]);
  }
  offerGuide();
}

function offerGuide() {
  const isShown = [comparison.before, comparison.after].some((each) => each.naturalWidth);
  guide.isOffered = takesHints() && !other && isShown;
}

const order = () => ({ ...ordered(), hints: takesHints() ? guide.hints : [] });

// Colors this photograph once more; a newer wish overtakes the one that is being watched.
async function recolor(wish = order()) {
  await ordering(async () => {
    watching.abort();
    watching = new AbortController();
    const { signal } = watching;
    const asked = await recolorImage(image.id, wish);
    if (signal.aborted) return;
    show(asked);
    await follow(signal);
  });
}

async function follow(signal) {
  await watch(
    image.id,
    (news) => {
      show(news);
      announce(say("announcement", { name, state: part(".state").textContent }));
    },
    signal,
  );
}

async function compare() {
  await ordering(async () => {
    const beside = await recolorImage(image.id, { ...order(), beside: true });
    history.replaceState(null, "", `?beside=${beside.id}`);
    await setBeside(beside);
  });
}

async function setBeside(beside) {
  const { strategy } = beside;
  if (!isFinal(beside)) {
    tell({ ...beside, error: null });
    await watch(beside.id, (news) => {
      tell(news);
      beside = news;
    });
  }
  tell(image);
  if (beside.error) throw new Problem(failure(beside.error), 0);
  other = beside;
  draw();
  comparison.split(50);
  const link = document.querySelector("#beside a");
  link.href = `/photographs/${beside.id}`;
  link.textContent = say("beside_open");
  document.getElementById("beside").hidden = false;
  announce(`${say("beside_ready")} ${titleOf(image.strategy)}, ${titleOf(strategy)}`);
}

async function ordering(work) {
  trouble.hidden = true;
  try {
    await work();
  } catch (problem) {
    trouble.textContent = problem instanceof Problem ? problem.message : say("unexpected");
    trouble.hidden = false;
    if (!(problem instanceof Problem)) throw problem;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  comparison.element.scrollIntoView({ block: "nearest" });
  if (event.submitter?.name === "beside") compare();
  else recolor();
});
form.addEventListener("change", offerGuide);
for (const picture of [comparison.before, comparison.after]) {
  picture.addEventListener("load", () => {
    offerGuide();
    guide.redraw();
  });
}
part(".zoom-in").addEventListener("click", () =>
  openZoom(name, [comparison.before, comparison.after]),
);
part(".copy").addEventListener("click", () => copyLink(image.id));
part(".again").addEventListener("click", () => {
  const { strategy, knobs, hints } = image;
  recolor({ strategy, knobs, hints });
});
part(".delete").addEventListener("click", async () => {
  if (await remove(image.id, name)) location.assign("/");
});

show(image);
document.getElementById("unstarted").remove();
const beside = new URLSearchParams(location.search).get("beside");
await Promise.all([
  isFinal(image) ? null : telling(() => follow(watching.signal)),
  beside ? ordering(async () => setBeside(await readImage(beside))) : null,
  awaitStrategies(),
]);
