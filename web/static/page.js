// The page: what a visitor chooses or drops goes into the album.

import { addFiles, restore } from "./album.js";
import { awaitStrategies, chosen } from "./strategies.js";

const chooser = document.getElementById("files");
const dropzone = document.getElementById("dropzone");

chooser.addEventListener("change", () => {
  addFiles([...chooser.files], chosen());
  chooser.value = "";
});

// Anywhere on the page: a photograph dropped beside the zone would otherwise replace the page.
addEventListener("dragover", (event) => {
  event.preventDefault();
  dropzone.classList.toggle("aimed", event.dataTransfer.types.includes("Files"));
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) dropzone.classList.remove("aimed");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  dropzone.classList.remove("aimed");
  if (!chooser.disabled) addFiles([...event.dataTransfer.files], chosen());
});

chooser.disabled = !chosen();
await Promise.all([restore(), awaitStrategies()]);
chooser.disabled = !chosen();
