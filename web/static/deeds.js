// What can be done with a photograph that is there: download it, pass it on, delete it.

import { announce, toast } from "./announce.js";
import { deleteImage, Problem, readImage } from "./api.js";
import { confirmDeletion } from "./confirm.js";
import { download } from "./upload.js";
import { say, state } from "./words.js";

// Lets a link download the photograph as it then is: its address lasts an hour, and where nothing
// is any more the storage would put its own page in place of this one.
export class Download {
  constructor(link) {
    this.link = link;
    link.addEventListener("click", (event) => this.#begin(event));
  }

  offer(image) {
    this.id = image.id;
    this.link.href = image.download_url;
    this.link.hidden = false;
    this.link.setAttribute("aria-label", `${this.link.textContent.trim()} ${image.filename}`);
  }

  withdraw() {
    this.link.hidden = true;
  }

  async #begin(event) {
    event.preventDefault();
    await telling(async () => {
      const { download_url: url, filename: name, status } = await readImage(this.id);
      if (!url) throw new Problem(say("announcement", { name, state: state(status) }), 0);
      download(url);
    });
  }
}

// A link to the colored picture itself, for an hour; the page of the photograph is its owner's only.
export const copyLink = (id) =>
  telling(async () => {
    const { colored_url: url } = await readImage(id);
    try {
      await navigator.clipboard.writeText(url);
      toast(say("copied"));
    } catch {
      prompt(say("copy_by_hand"), url); // browsers keep the clipboard to themselves without https
    }
  });

// Whether it is deleted.
export async function remove(id, name) {
  if (!(await confirmDeletion(name))) return false;
  return telling(async () => {
    await deleteImage(id);
    toast(say("deleted", { name }));
    return true;
  });
}

// Does something and says what went wrong, if anything did.
export async function telling(work) {
  try {
    return await work();
  } catch (problem) {
    toast(problem.message);
    announce(problem.message);
    return null;
  }
}
