// What can be done with a photograph that is there: download it, pass it on, delete it.

import { announce, toast } from "./announce.js";
import { deleteImage, readImage } from "./api.js";
import { confirmDeletion } from "./confirm.js";
import { say } from "./words.js";

// Signed addresses last an hour; older ones are asked for anew.
const FRESH_MILLISECONDS = 50 * 60 * 1000;

// Lets a link download whatever the photograph's newest view says.
export class Download {
  constructor(link) {
    this.link = link;
    link.addEventListener("click", (event) => this.#refreshStale(event));
  }

  offer(image) {
    this.id = image.id;
    this.signed = Date.now();
    this.link.href = image.download_url;
    this.link.hidden = false;
    this.link.setAttribute("aria-label", `${this.link.textContent.trim()} ${image.filename}`);
  }

  withdraw() {
    this.link.hidden = true;
  }

  async #refreshStale(event) {
    if (Date.now() - this.signed < FRESH_MILLISECONDS) return;
    event.preventDefault();
    await telling(async () => {
      this.offer(await readImage(this.id));
      this.link.click();
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
