// The visitor's photographs: those of earlier visits, and those just chosen.

import { Problem, readAlbum, recolorImage } from "./api.js";
import { arrive, knowCookieKept } from "./arrival.js";
import { Card } from "./card.js";
import { isRequestWorthRetrying } from "./retry.js";
import { inOrder } from "./upload.js";
import { isFinal, watch } from "./watch.js";
import { say } from "./words.js";

const EMPTY_PAGES = 3; // that are passed over before the visitor is asked whether to go on

const section = document.getElementById("album");
const way = document.getElementById("to-album");
const list = document.getElementById("photographs");
const earlier = document.getElementById("earlier");
const trouble = document.getElementById("album-problem");

const listed = new Set(); // the ids of all that have a card

export function addFiles(files, order) {
  for (const file of files) {
    const card = new Card(file.name, () => begin());
    const begin = () => guarded(card, () => send(card, file, order));
    list.prepend(card.element);
    begin();
  }
  reveal();
  if (files.length) section.scrollIntoView();
}

// Shows a page of the album, the newest photographs first. A photograph that is chosen meanwhile
// is created after that, lest the album list it, too.
export async function restore(after = null) {
  earlier.disabled = true;
  trouble.hidden = true;
  let page;
  try {
    page = await inOrder(() => readPage(after));
  } catch (problem) {
    trouble.textContent = problem.message;
    trouble.hidden = section.hidden = false;
  }
  earlier.disabled = false;
  const cards = page ? extend(page) : [];
  if (!after) return;
  (cards[0] ?? earlier).focus(); // which a disabled button has lost
  trouble.scrollIntoView({ block: "nearest" });
}

// The cards of those that had none.
function extend({ images, next }) {
  if (images.length) knowCookieKept();
  const cards = images.filter(({ id }) => !listed.has(id)).map(append);
  earlier.hidden = !next;
  earlier.onclick = () => restore(next);
  reveal();
  return cards;
}

function append(image) {
  const card = new Card(image.filename, again);
  listed.add(image.id);
  list.append(card.element);
  card.show(image);
  if (!isFinal(image)) follow(card, image.id);
  return card;
}

// Pages whose photographs all never arrived are empty: a few of them are passed over.
async function readPage(after) {
  let page = await readAlbum(after);
  for (let passed = 0; passed < EMPTY_PAGES && page.next && !page.images.length; passed += 1) {
    page = await readAlbum(page.next);
  }
  return page;
}

async function send(card, file, order) {
  if (card.image) return again(card); // it arrived, and failed only later
  card.state("preparing");
  card.id = await arrive(card, file, order);
  listed.add(card.id);
  await watch(card.id, (image) => card.show(image));
}

// The same order once more, for a photograph that is there and failed.
const again = (card) =>
  guarded(card, async () => {
    const { id, strategy, knobs, hints } = card.image;
    card.show(await recolorImage(id, { strategy, knobs, hints }));
    await watch(id, (image) => card.show(image));
  });

const follow = (card, id) => guarded(card, () => watch(id, (image) => card.show(image)));

async function guarded(card, work) {
  try {
    await work();
  } catch (problem) {
    if (!card.element.isConnected) return; // deleted meanwhile
    const isKnown = problem instanceof Problem;
    card.fail(isKnown ? problem.message : say("unexpected"), isRequestWorthRetrying(problem));
    if (!isKnown) throw problem;
  }
}

function reveal() {
  section.hidden = way.hidden = !list.childElementCount && earlier.hidden;
}

list.addEventListener("leave", reveal);
