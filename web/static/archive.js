// All photographs in color as one archive, made here, picture by picture.

import { announce, toast } from "./announce.js";
import { Problem, readAlbum, readImage } from "./api.js";
import { telling } from "./deeds.js";
import { say } from "./words.js";
import { ArchiveFullError, Zip } from "./zip.js";

// The button shows how far it is.
export async function downloadAll(button) {
  if (button.disabled) return; // pressed twice before this part had arrived
  const label = button.querySelector("span");
  const before = label.textContent;
  button.disabled = true;
  await telling(async () => {
    const images = await colored();
    if (!images.length) throw new Problem(say("zip_none"), 0);
    const { archive, gone } = await pack(images, (done) => {
      label.textContent = say("zipping", { done, total: images.length });
    });
    const total = images.length - gone.length;
    if (total) save(archive, say("zip_name"));
    const sentences = [
      total ? say("zip_done", { total }) : say("zip_none"),
      gone.length ? say("zip_gone", { names: gone.join(", ") }) : "",
    ];
    const sentence = sentences.filter(Boolean).join(" ");
    toast(sentence);
    announce(sentence);
  });
  label.textContent = before;
  button.disabled = false;
}

async function colored() {
  const images = [];
  let after = null;
  do {
    const page = await readAlbum(after);
    images.push(...page.images.filter((image) => image.status === "done"));
    after = page.next;
  } while (after);
  return images;
}

// The archive, and the names of the photographs whose colors are no longer kept.
//
// A browser keeps large Blobs on its disk, so the archive need not fit into memory.
async function pack(images, onProgress) {
  const zip = new Zip();
  const gone = [];
  try {
    for (const [index, image] of images.entries()) {
      onProgress(index + 1);
      const blob = (await picture(image.download_url)) ?? (await pictureAnew(image.id));
      if (blob) await zip.add(filename(image), blob, new Date(image.created));
      else gone.push(image.filename);
    }
    return { archive: zip.finish(), gone };
  } catch (error) {
    if (error instanceof ArchiveFullError) throw new Problem(say("zip_too_large"), 0);
    throw error;
  }
}

// Null when there is none: the storage says 404, or 403 where it does not tell. Not from the cache:
// what an <img> left there may lack the leave to be read.
async function picture(url) {
  const response = await fetch(url, { cache: "no-store" }).catch(() => null);
  if ([403, 404].includes(response?.status)) return null;
  if (!response?.ok) throw new Problem(say("unreachable"), 0);
  return response.blob();
}

// With a fresh address: one whose time is over is answered like one of a picture that is gone.
async function pictureAnew(id) {
  const { download_url: url } = await readImage(id).catch(() => ({}));
  return url ? picture(url) : null;
}

// The name under which the server lets it be downloaded.
function filename({ filename, download_url: url }) {
  const disposition = new URL(url).searchParams.get("response-content-disposition") ?? "";
  const [, name] = disposition.match(/filename\*=UTF-8''(.+)$/) ?? [];
  return name ? decodeURIComponent(name) : filename;
}

function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
