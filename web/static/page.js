// The first page: what a visitor chooses, drops, pastes or takes goes into the album.

import { addFiles, restore } from "./album.js";
import { Comparison } from "./comparison.js";
import { refusalOf } from "./files.js";
import { downloadAll } from "./later.js";
import { awaitStrategies, ordered } from "./strategies.js";
import { say } from "./words.js";

const choosers = ["files", "camera"].map((id) => document.getElementById(id));
const refused = document.getElementById("refused");
const archiver = document.getElementById("download-all");

function take(files) {
  refused.replaceChildren();
  const order = ordered();
  const good = files.filter((file) => {
    const sentence = order ? refusalOf(file) : say("not_yet");
    if (sentence) refuse(sentence);
    return !sentence;
  });
  addFiles(good, order);
  if (refused.childElementCount) refused.scrollIntoView();
}

function refuse(sentence) {
  const entry = document.createElement("li");
  entry.textContent = sentence;
  refused.append(entry);
}

for (const chooser of choosers) {
  chooser.addEventListener("change", () => {
    take([...chooser.files]);
    chooser.value = "";
  });
}

addEventListener("paste", (event) => {
  const files = [...event.clipboardData.files];
  if (files.length) take(files);
});

// Anywhere on the page: a photograph dropped beside a zone would otherwise replace the page.
addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.toggle("aimed", event.dataTransfer.types.includes("Files"));
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("aimed");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("aimed");
  take([...event.dataTransfer.files]);
});

archiver.addEventListener("click", () => downloadAll(archiver));

for (const element of document.querySelectorAll(".example .comparison")) new Comparison(element);

// The album that an address points at, or the place in it to which a visitor comes back, is only
// seen once it is there.
function arrive() {
  if (history.state) scrollTo({ top: history.state.top, behavior: "instant" });
  else if (location.hash === "#album") document.getElementById("album").scrollIntoView();
}

addEventListener("pagehide", () => history.replaceState({ top: scrollY }, ""));

const enable = () => choosers.forEach((chooser) => (chooser.disabled = !ordered()));
enable();
document.getElementById("order").addEventListener("change", enable);
document.getElementById("unstarted").remove();
await Promise.all([restore().then(arrive), awaitStrategies()]);
enable();
