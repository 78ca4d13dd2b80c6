// Two pictures in one frame, and a line between them that a native range input moves.

import { say } from "./words.js";

const ENDS = [100, 0]; // where only the picture before is seen, and only the one after

export class Comparison {
  #stage;
  #range;
  #buttons;
  #renew;
  #renewed = new Set();
  #valueText = (percent) => say("split", { percent });

  // `renew` shows the pictures at fresh addresses, where signed ones can expire.
  constructor(element, renew = async () => {}) {
    this.element = element;
    this.#renew = renew;
    const part = (selector) => element.querySelector(selector);
    this.#stage = part(".stage");
    this.#range = part(".range");
    this.before = part(".before");
    this.after = part(".after");
    this.note = part(".unshown");
    for (const picture of this.pictures) {
      picture.addEventListener("load", () => this.#appear(picture));
      picture.addEventListener("error", () => this.#miss(picture));
      picture.addEventListener("dragstart", (event) => event.preventDefault());
      if (failed(picture)) this.#miss(picture);
      else if (picture.getAttribute("src")) this.#appear(picture);
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

  #appear(picture) {
    this.#renewed.delete(picture);
    if (picture.naturalWidth) {
      const ratio = picture.naturalWidth / picture.naturalHeight;
      this.element.style.setProperty("--ratio", ratio);
    }
    this.#arrange(picture, true);
  }

  // A picture that is not there where it was said to be is asked for once at a fresh address.
  async #miss(picture) {
    this.#arrange(picture, false);
    const { src } = picture;
    const isThere = await canBeFetched(src);
    if (!isThere && !this.#renewed.has(picture)) {
      this.#renewed.add(picture);
      await this.#renew().catch(() => {}); // which leaves the old address, and so the sentence below
    }
    if (picture.src !== src) return;
    this.note.textContent = isThere ? say("undisplayable") : say("unfetched");
  }

  #arrange(picture, isShown) {
    picture.hidden = !isShown;
    const [before, after] = this.pictures.map((each) => !each.hidden);
    this.element.toggleAttribute("data-whole", before && after);
    this.note.hidden = before || after;
  }
}

const failed = (picture) =>
  picture.hasAttribute("src") && picture.complete && picture.naturalWidth === 0;

// Why an <img> shows nothing only another question tells; what it left in the cache may lack the
// leave to be read. A file that was just chosen is here.
async function canBeFetched(url) {
  if (url.startsWith("blob:")) return true;
  const response = await fetch(url, { cache: "no-store" }).catch(() => null);
  response?.body?.cancel();
  return response?.ok ?? false;
}
