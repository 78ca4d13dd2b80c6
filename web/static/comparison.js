// Two pictures in one frame, and a line between them that a native range input moves.

import { say } from "./words.js";

const ENDS = [100, 0]; // where only the picture before is seen, and only the one after

export class Comparison {
  #stage;
  #range;
  #buttons;
  #valueText = (percent) => say("split", { percent });

  constructor(element) {
    this.element = element;
    const part = (selector) => element.querySelector(selector);
    this.#stage = part(".stage");
    this.#range = part(".range");
    this.before = part(".before");
    this.after = part(".after");
    this.note = part(".unshown");
    this.note.textContent = say("undisplayable");
    for (const picture of [this.before, this.after]) {
      picture.addEventListener("load", () => this.#arrange(picture, true));
      picture.addEventListener("error", () => this.#arrange(picture, false));
      picture.addEventListener("dragstart", (event) => event.preventDefault());
      if (picture.getAttribute("src")) this.#arrange(picture, !failed(picture));
    }
    this.#range.addEventListener("input", () => {
      this.#stage.classList.remove("gliding");
      this.split(this.#range.value);
    });
    this.#buttons = [".show-before", ".show-after"].map(part).filter(Boolean);
    this.#buttons.forEach((button, index) =>
      button.addEventListener("click", () => this.glide(ENDS[index])),
    );
    this.split(50);
  }

  get pictures() {
    return [this.before, this.after];
  }

  get titles() {
    return this.#buttons.map((button) => button.textContent);
  }

  // What the parts are called: alternative texts, the range's name and its value in words.
  describe({ before, after, range, valueText, buttons }) {
    this.before.alt = before;
    this.after.alt = after;
    this.#range.setAttribute("aria-label", range);
    if (valueText) this.#valueText = valueText;
    if (buttons) this.#buttons.forEach((button, index) => (button.textContent = buttons[index]));
    this.split(this.#range.value);
  }

  // A picture is kept as long as its address means the same: only the signature would differ.
  show(picture, url, version = "") {
    const meaning = `${url.split("?")[0]} ${version}`;
    if (picture.dataset.meaning === meaning && !failed(picture)) return;
    picture.dataset.meaning = meaning;
    picture.src = url;
  }

  split(percent) {
    this.#range.value = percent;
    this.#stage.style.setProperty("--split", `${percent}%`);
    this.#range.setAttribute("aria-valuetext", this.#valueText(Math.round(percent)));
    this.#buttons.forEach((button, index) =>
      button.setAttribute("aria-pressed", Number(percent) === ENDS[index]),
    );
  }

  glide(percent) {
    this.#stage.classList.add("gliding");
    this.split(percent);
  }

  // Whether the colors are being made: the picture before then stands alone, under a sheen.
  set busy(is) {
    this.element.classList.toggle("busy", is);
  }

  #arrange(picture, isShown) {
    picture.hidden = !isShown;
    if (isShown && picture.naturalWidth) {
      const ratio = picture.naturalWidth / picture.naturalHeight;
      this.element.style.setProperty("--ratio", ratio);
    }
    const [before, after] = [this.before, this.after].map((each) => !each.hidden);
    this.element.toggleAttribute("data-whole", before && after);
    this.note.hidden = before || after;
  }
}

const failed = (picture) => picture.complete && picture.naturalWidth === 0;
