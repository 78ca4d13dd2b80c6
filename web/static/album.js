// The visitor's photographs: those of earlier visits, and those just chosen.

import { createImage, Problem, readAlbum } from "./api.js";
import { Card } from "./photograph.js";
import { inTurn, upload } from "./upload.js";
import { watch } from "./watch.js";
import { sentences } from "./words.js";

const section = document.getElementById("album");
const list = document.getElementById("photographs");
const earlier = document.getElementById("earlier");
const trouble = document.getElementById("album-problem");

export function addFiles(files, strategy) {
  for (const file of files) {
    const card = new Card(file.name);
    list.prepend(card.element);
    section.hidden = false;
    card.state("preparing");
    guarded(card, () => color(card, file, strategy));
  }
  if (files.length) section.scrollIntoView();
}

// Shows a page of the album, the newest photographs first.
export async function restore(after = null) {
  let page;
  try {
    page = await readAlbum(after);
  } catch (problem) {
    trouble.textContent = problem.message;
    trouble.hidden = section.hidden = false;
    return;
  }
  for (const image of page.images) {
    const card = new Card(image.filename);
    list.append(card.element);
    section.hidden = false;
    card.show(image);
    if (!isFinal(image)) guarded(card, () => watch(image.id, (news) => card.show(news)));
  }
  earlier.hidden = !page.next;
  earlier.onclick = () => restore(page.next);
}

async function color(card, file, strategy) {
  const id = await inTurn(async () => {
    const wish = { filename: file.name, content_type: file.type, size: file.size, strategy };
    const created = await createImage(wish);
    card.preview(file);
    card.state("uploading");
    await upload(created.upload, file, (fraction) => card.progress(fraction));
    return created.id;
  });
  await watch(id, (image) => card.show(image));
}

const isFinal = (image) => image.status === "done" || image.status === "failed";

async function guarded(card, work) {
  try {
    await work();
  } catch (problem) {
    card.fail(problem instanceof Problem ? problem.message : sentences.unexpected);
    if (!(problem instanceof Problem)) throw problem;
  }
}
