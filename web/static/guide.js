// Color hints: a visitor points at a place of the photograph and says which color belongs there.

import { announce } from "./announce.js";
import { telling } from "./deeds.js";
import { nameOf, pickColor } from "./palette.js";
import { readLightness } from "./pixels.js";
import { say } from "./words.js";

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const STEP = 0.01; // of the photograph's width or height; five times as far with Shift
const QUIET_MILLISECONDS = 500;

export class Guide {
  #history = [];
  #cross = [0.5, 0.5];
  #lightness = null;
  #timer;

  // onChange is called after each change of `hints`.
  constructor(comparison, hints, onChange) {
    this.comparison = comparison;
    this.hints = hints;
    this.onChange = onChange;
    this.section = document.getElementById("guide");
    this.place = this.section.querySelector(".place");
    this.placed = this.section.querySelector(".placed");
    this.limit = Number(document.getElementById("studio").dataset.maxHints);
    this.surface = this.#makeSurface();
    comparison.element.querySelector(".stage").append(this.surface);
    this.place.addEventListener("click", () => (this.isPlacing = !this.isPlacing));
    this.#button(".undo").addEventListener("click", () => this.#undo());
    this.#button(".clear").addEventListener("click", () => this.#change([]));
    this.draw();
  }

  get isPlacing() {
    return !this.surface.hidden;
  }

  set isPlacing(is) {
    this.surface.hidden = !is;
    this.place.setAttribute("aria-pressed", is);
    this.place.textContent = is ? this.place.dataset.stop : this.place.dataset.start;
    if (is) {
      this.comparison.glide(0);
      this.surface.focus();
    }
  }

  // Whether there is a picture to point at, and a strategy that listens.
  set isOffered(is) {
    this.section.hidden = !is;
    if (!is && this.isPlacing) this.isPlacing = false;
  }

  // Before there are colors, the original is pointed at.
  get #picture() {
    const { before, after } = this.comparison;
    return after.naturalWidth ? after : before;
  }

  #makeSurface() {
    const surface = document.createElement("div");
    surface.className = "pointing";
    surface.hidden = true;
    surface.tabIndex = 0;
    surface.setAttribute("role", "application");
    surface.setAttribute("aria-label", say("cross"));
    this.mark = document.createElement("span");
    this.mark.className = "cross";
    surface.append(this.mark);
    surface.addEventListener("click", (event) => {
      const frame = surface.getBoundingClientRect();
      const across = (event.clientX - frame.left) / frame.width;
      this.#ask(across, (event.clientY - frame.top) / frame.height);
    });
    surface.addEventListener("keydown", (event) => this.#key(event));
    return surface;
  }

  #key(event) {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#ask(...this.#cross);
    }
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const far = event.shiftKey ? 5 * STEP : STEP;
    this.#cross = this.#cross.map((at, axis) => Math.min(Math.max(at + far * step[axis], 0), 1));
    this.draw();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => announce(say("cross_at", percent(...this.#cross))), QUIET_MILLISECONDS);
  }

  #ask = (across, down) =>
    telling(async () => {
      if (this.hints.length >= this.limit) throw new Error(say("hints_full", { limit: this.limit }));
      this.#cross = [across, down];
      this.draw();
      this.surface.classList.add("asking");
      const picked = await this.#pick(across, down);
      this.surface.classList.remove("asking");
      this.surface.focus({ preventScroll: true });
      if (!picked) return;
      const { naturalWidth: width, naturalHeight: height } = this.#picture;
      const x = Math.min(Math.floor(across * width), width - 1);
      const y = Math.min(Math.floor(down * height), height - 1);
      const hint = { x, y, color: picked };
      this.#change([...this.hints, hint]);
      announce(this.#described(hint));
    });

  async #pick(across, down) {
    this.#lightness ??= await readLightness(this.#picture.src);
    return pickColor(this.#lightness(across, down), this.mark);
  }

  #undo() {
    this.hints = this.#history.pop() ?? this.hints.slice(0, -1);
    this.#changed();
  }

  #change(hints) {
    this.#history.push(this.hints);
    this.hints = hints;
    this.#changed();
  }

  #changed() {
    this.draw();
    this.onChange();
  }

  // Again once the picture is there: the markers stand at fractions of it.
  draw() {
    const focused = document.activeElement;
    const index = this.#chips.indexOf(focused);
    const wasHere = this.placed.contains(focused);
    this.#drawHints();
    if (!wasHere) return;
    // What had the focus may be gone, which would then begin anew at the top of the page.
    const heirs = [this.#chips[index], focused, this.#button(".undo"), this.place];
    heirs.find((each) => each?.checkVisibility())?.focus({ preventScroll: true });
  }

  get #chips() {
    return [...this.placed.querySelectorAll(".chip")];
  }

  #drawHints() {
    const { naturalWidth: width, naturalHeight: height } = this.#picture;
    position(this.mark, ...this.#cross);
    for (const marker of this.surface.querySelectorAll(".marker")) marker.remove();
    for (const { x, y, color } of this.hints) {
      const marker = document.createElement("span");
      marker.className = "marker";
      marker.style.setProperty("--color", color);
      position(marker, (x + 0.5) / width, (y + 0.5) / height);
      this.surface.append(marker);
    }
    this.placed.querySelector("ul").replaceChildren(...this.hints.map((hint) => this.#chip(hint)));
    this.#button(".clear").hidden = !this.hints.length;
    this.placed.hidden = !this.hints.length && !this.#history.length;
  }

  #chip(hint) {
    const entry = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    button.title = say("hint_remove", { hint: this.#described(hint) });
    button.setAttribute("aria-label", button.title);
    button.style.setProperty("--color", hint.color);
    button.append(this.#button(".clear .icon").cloneNode(true));
    button.addEventListener("click", () => this.#change(this.hints.filter((each) => each !== hint)));
    entry.append(button);
    return entry;
  }

  #described({ x, y, color }) {
    const { naturalWidth: width, naturalHeight: height } = this.#picture;
    return say("hint_at", { color: nameOf(color), ...percent(x / width, y / height) });
  }

  #button(selector) {
    return this.placed.querySelector(selector);
  }
}

function position(element, across, down) {
  element.style.setProperty("--across", `${across * 100}%`);
  element.style.setProperty("--down", `${down * 100}%`);
}

const percent = (across, down) => ({
  across: Math.round(across * 100),
  down: Math.round(down * 100),
});
