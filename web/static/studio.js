// One photograph's own page: compare, color again in another way, guide the colors by hand.

import { announce } from "./announce.js";
import { Problem, readImage, recolorImage } from "./api.js";
import { Comparison } from "./comparison.js";
import { copyLink, Download, remove } from "./deeds.js";
import { Guide } from "./guide.js";
import { openZoom } from "./later.js";
import { isColoringWorthRetrying, needsAnotherFile } from "./retry.js";
import { awaitStrategies, ordered, stateOf, takesHints, titlesOf } from "./strategies.js";
import { isFinal, watch } from "./watch.js";
import { failure, say } from "./words.js";

const studio = document.getElementById("studio");
const part = (selector) => studio.querySelector(selector);
const form = document.getElementById("order");
const trouble = document.getElementById("order-problem");

let image = JSON.parse(document.getElementById("view").textContent);
let other = null; // another coloring of the same photograph, to compare with
let watching = new AbortController();
const name = image.filename;

const comparison = new Comparison(part(".comparison"), renew);
const download = new Download(part(".download"));
const guide = new Guide(comparison, image.hints, () => recolor());

function show(news) {
  image = news;
  tell(image);
  const isDone = image.status === "done";
  for (const deed of [".zoom-in", ".copy"]) part(deed).hidden = !isDone;
  part(".again").hidden = !isColoringWorthRetrying(image);
  form.hidden = needsAnotherFile(image);
  for (const each of form.querySelectorAll(".keeping")) each.hidden = image.status === "failed";
  if (isDone) download.offer(image);
  else download.withdraw();
  draw();
}

async function renew() {
  if (other) other = await readImage(other.id);
  show(await readImage(image.id));
}

function tell(news) {
  const { status, error } = news;
  studio.dataset.status = status;
  part(".state").textContent = error ? failure(error) : stateOf(news);
  comparison.busy = !isFinal({ status });
}

function draw() {
  const versions = [image, other].map((each) => each?.timings?.times.done);
  if (other) {
    const titles = titlesOf([image, other]);
    const [before, after] = titles.map((title) => say("colored_by", { name, title }));
    const valueText = (percent) => say("split_two", { percent, title: titles[0] });
    comparison.describe({ before, after, range: say("comparison_two", { name }), valueText, buttons: titles });
    if (image.colored_url) comparison.show(comparison.before, image.colored_url, versions[0]);
    if (other.colored_url) comparison.show(comparison.after, other.colored_url, versions[1]);
    introduce(titles);
  } else {
    const before = say("original_of", { name });
    const range = say("comparison_of", { name });
    comparison.describe({ before, after: say("colored_of", { name }), range });
    if (image.original_url) comparison.show(comparison.before, image.original_url);
    if (image.colored_url) comparison.show(comparison.after, image.colored_url, versions[0]);
  }
  offerGuide();
}

// Two versions are seen, but only one can be meant by what is done here.
function introduce(titles) {
  part("#subject").textContent = say("subject", { title: titles[0] });
  const [open, alone] = part("#beside").querySelectorAll("a");
  open.href = `/photographs/${other.id}`;
  open.textContent = say("beside_open", { title: titles[1] });
  alone.textContent = say("beside_alone", { title: titles[0] });
  part("#beside").hidden = part("#subject").hidden = false;
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

function retell(change) {
  change();
  announce(say("announcement", { name, state: part(".state").textContent }));
}

// One that cannot be asked for any more, such as one deleted elsewhere, will never be colored.
async function follow(signal) {
  try {
    await watch(image.id, (news) => retell(() => show(news)), signal);
  } catch (problem) {
    retell(() => tell({ status: "failed", error: { message: sentenceOf(problem) } }));
    if (!(problem instanceof Problem)) throw problem;
  }
}

async function compare() {
  await ordering(async () => {
    const beside = await recolorImage(image.id, { ...order(), beside: true });
    remember(beside);
    await setBeside(beside);
  });
}

// In the address, and in those of the page in other languages.
function remember(beside) {
  history.replaceState(null, "", `?beside=${beside.id}`);
  for (const link of document.querySelectorAll(".masthead a[hreflang]")) {
    link.search = new URLSearchParams({ beside: beside.id, lang: link.hreflang });
  }
}

async function setBeside(beside) {
  if (!isFinal(beside)) beside = await finished(beside);
  if (beside.error) throw new Problem(failure(beside.error), 0);
  other = beside;
  draw();
  comparison.split(50);
  announce(`${say("beside_ready")} ${comparison.titles.join(", ")}`);
}

// While another version is colored, the page tells of that one.
async function finished(beside) {
  try {
    tell({ ...beside, error: null });
    await watch(beside.id, (news) => {
      tell(news);
      beside = news;
    });
    return beside;
  } finally {
    tell(image);
  }
}

async function ordering(work) {
  trouble.hidden = true;
  try {
    await work();
  } catch (problem) {
    trouble.textContent = sentenceOf(problem);
    trouble.hidden = false;
    trouble.scrollIntoView({ block: "nearest" });
    if (!(problem instanceof Problem)) throw problem;
  }
}

const sentenceOf = (problem) => (problem instanceof Problem ? problem.message : say("unexpected"));

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
    guide.draw();
  });
}
part(".zoom-in").addEventListener("click", () => openZoom(name, comparison));
part(".copy").addEventListener("click", () => copyLink(image.id));
part(".again").addEventListener("click", () => {
  const { strategy, knobs, hints } = image;
  recolor({ strategy, knobs, hints });
});
part(".delete").addEventListener("click", async () => {
  const meant = other ? `${name} (${comparison.titles[0]})` : name;
  if (await remove(image.id, meant)) location.assign("/#album");
});

show(image);
document.getElementById("unstarted").remove();
const beside = new URLSearchParams(location.search).get("beside");
await Promise.all([
  isFinal(image) ? null : follow(watching.signal),
  beside ? ordering(async () => setBeside(await readImage(beside))) : null,
  awaitStrategies(),
]);
