// The card of one photograph in the album: its upload, its state in words, its pictures, its deeds.

import { announce } from "./announce.js";
import { readImage } from "./api.js";
import { Comparison } from "./comparison.js";
import { copyLink, Download, remove } from "./deeds.js";
import { openZoom } from "./later.js";
import { near } from "./near.js";
import { isColoringWorthRetrying, needsAnotherFile } from "./retry.js";
import { stateOf } from "./strategies.js";
import { failure, say, state } from "./words.js";

const BEFORE_ARRIVAL = ["preparing", "uploading"];

const template = document.getElementById("card");

export class Card {
  // onAgain is called with the card when the visitor wants another try.
  constructor(name, onAgain) {
    this.name = name;
    this.gone = new AbortController();
    this.element = template.content.firstElementChild.cloneNode(true);
    this.part = (selector) => this.element.querySelector(selector);
    this.part(".name").textContent = name;
    this.part("progress").setAttribute("aria-label", say("upload_of", { name }));
    this.comparison = new Comparison(this.part(".comparison"), () => this.#renew());
    this.comparison.describe({
      before: say("original_of", { name }),
      after: say("colored_of", { name }),
      range: say("comparison_of", { name }),
    });
    this.download = new Download(this.part(".download"));
    this.#listen(onAgain);
    near(this.element).then(() => {
      this.isNear = true;
      if (this.image) this.#draw();
    });
  }

  // Aborted when the card is taken away.
  get signal() {
    return this.gone.signal;
  }

  // Shows the chosen file itself while it travels.
  preview(file) {
    this.comparison.before.src = URL.createObjectURL(file);
    this.previewed = true;
  }

  state(status, sentence = state(status)) {
    if (this.element.dataset.status) announce(say("announcement", { name: this.name, state: sentence }));
    this.element.dataset.status = status;
    this.part(".state").textContent = sentence;
    this.part("progress").hidden = status !== "uploading";
    this.comparison.busy = !["done", "failed"].includes(status);
    this.part(".again").hidden = true;
    this.#nameDeletion(BEFORE_ARRIVAL.includes(status));
  }

  progress(fraction) {
    this.part("progress").value = fraction;
  }

  fail(sentence, canTryAgain) {
    this.state("failed", sentence);
    this.part(".again").hidden = !canTryAgain;
  }

  focus() {
    const heading = this.part(".name");
    heading.tabIndex = -1;
    heading.focus();
  }

  // What the API says of the photograph.
  show(image) {
    this.image = image;
    this.id = image.id;
    if (this.isNear) this.#draw();
    this.part(".change").href = `/photographs/${image.id}`;
    const isDone = image.status === "done";
    const isMendable = image.error && !needsAnotherFile(image);
    for (const deed of [".zoom-in", ".copy"]) this.part(deed).hidden = !isDone;
    this.part(".change").hidden = !(isDone || isMendable);
    if (isDone) this.download.offer(image);
    if (image.error) this.fail(failure(image.error), isColoringWorthRetrying(image));
    else this.state(image.status, stateOf(image));
  }

  #draw() {
    const { comparison, image } = this;
    if (image.original_url && !this.previewed) comparison.show(comparison.before, image.original_url);
    if (image.status !== "done") return;
    comparison.show(comparison.after, image.colored_url, image.timings.times.done);
  }

  async #renew() {
    this.image = await readImage(this.image.id);
    this.#draw();
  }

  #listen(onAgain) {
    this.#named(".again", () => onAgain(this));
    this.#named(".zoom-in", () => openZoom(this.name, this.comparison));
    this.#named(".copy", () => copyLink(this.image.id));
    this.#named(".delete", async () => {
      if (!this.id || (await remove(this.id, this.name))) this.#leave();
    });
    this.part(".change").setAttribute("aria-label", `${label(this.part(".change"))} (${this.name})`);
  }

  // Buttons of many cards are told apart by the photograph's name.
  #named(selector, onClick) {
    const button = this.part(selector);
    button.setAttribute("aria-label", `${label(button)} (${this.name})`);
    button.addEventListener("click", onClick);
  }

  // What has not arrived needs no deletion, only an end.
  #nameDeletion(isCancel) {
    const button = this.part(".delete");
    button.title = isCancel ? say("cancel_upload") : label(button);
    button.setAttribute("aria-label", `${button.title} (${this.name})`);
  }

  #leave() {
    this.gone.abort();
    const { nextElementSibling: following, previousElementSibling: previous } = this.element;
    const next = following ?? previous;
    const list = this.element.parentElement;
    this.element.remove();
    list.dispatchEvent(new Event("leave"));
    (next?.querySelector(".delete") ?? document.getElementById("files")).focus();
  }
}

const label = (element) => element.textContent.trim();
