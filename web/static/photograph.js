// The card of one photograph: its upload, its state in words, the two pictures, the download.

import { readImage } from "./api.js";
import * as words from "./words.js";

const template = document.getElementById("photograph");
const announcer = document.getElementById("announcer");

const ANNOUNCED = 8;
// Signed addresses last an hour; older ones are asked for anew.
const FRESH_MILLISECONDS = 50 * 60 * 1000;

export class Card {
  constructor(name) {
    this.name = name;
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part = (selector) => this.element.querySelector(selector);
    this.part(".name").textContent = name;
    this.part("progress").setAttribute("aria-label", words.uploadOf(name));
    this.part("a .unseen").textContent = ` ${name}`;
    this.part("a").addEventListener("click", (event) => this.#refreshStale(event));
    for (const picture of this.element.querySelectorAll(".frame img")) {
      const note = picture.nextElementSibling;
      note.textContent = words.sentences.undisplayable;
      picture.addEventListener("load", () => toggle(picture, note));
      picture.addEventListener("error", () => toggle(note, picture));
    }
  }

  // Shows the chosen file itself while it travels.
  preview(file) {
    this.#showOriginal(URL.createObjectURL(file));
  }

  state(status, sentence = words.states[status]) {
    if (this.element.dataset.status) announce(`${this.name}: ${sentence}`);
    this.element.dataset.status = status;
    this.part(".state").textContent = sentence;
    this.part("progress").hidden = status !== "uploading";
  }

  progress(fraction) {
    this.part("progress").value = fraction;
  }

  fail(sentence) {
    this.state("failed", sentence);
  }

  // What the API says of the photograph.
  show(image) {
    this.image = image;
    if (image.original_url && !this.part(".original").src) this.#showOriginal(image.original_url);
    if (image.status === "done") this.#showColored(image);
    this.state(image.status, image.error?.message);
  }

  #showOriginal(url) {
    const picture = this.part(".original");
    picture.alt = words.original(this.name);
    picture.src = url;
    this.part(".colored").src = url; // faintly, until there is color
    this.part(".pair").hidden = false;
  }

  #showColored(image) {
    const picture = this.part(".colored");
    picture.alt = words.colored(this.name);
    for (const each of this.element.querySelectorAll(".frame img")) {
      if (image.width) each.width = image.width;
      if (image.height) each.height = image.height;
    }
    picture.src = image.colored_url;
    this.#offerDownload(image.download_url);
  }

  #offerDownload(url) {
    const link = this.part("a");
    link.href = url;
    link.hidden = false;
    this.signed = Date.now();
  }

  async #refreshStale(event) {
    if (Date.now() - this.signed < FRESH_MILLISECONDS) return;
    event.preventDefault();
    try {
      this.#offerDownload((await readImage(this.image.id)).download_url);
      this.part("a").click();
    } catch (problem) {
      this.part(".state").textContent = problem.message;
    }
  }
}

function announce(sentence) {
  const line = document.createElement("p");
  line.textContent = sentence;
  announcer.append(line);
  while (announcer.childElementCount > ANNOUNCED) announcer.firstElementChild.remove();
}

function toggle(shown, hidden) {
  shown.hidden = false;
  hidden.hidden = true;
}
