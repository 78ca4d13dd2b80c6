// Asks before a photograph is deleted.

import { say } from "./words.js";

const dialog = document.getElementById("confirm");

// Whether the visitor wants it.
export function confirmDeletion(name) {
  document.getElementById("confirm-title").textContent = say("confirm_named", { name });
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "delete"), {
      once: true,
    }),
  );
}
