// A file on its way into the bucket, a few at a time.

import { Problem } from "./api.js";
import { failure, say } from "./words.js";

const AT_ONCE = 3;

let running = 0;
const turns = [];

// Runs `work` when fewer than AT_ONCE others run.
export async function inTurn(work) {
  if (running >= AT_ONCE) await new Promise((resolve) => turns.push(resolve));
  else running += 1;
  try {
    return await work();
  } finally {
    const next = turns.shift();
    if (next) next();
    else running -= 1;
  }
}

let latest = Promise.resolve();

// Runs `work` after all that came here before it.
export function inOrder(work) {
  const turn = latest.then(work);
  latest = turn.catch(() => {});
  return turn;
}

// XMLHttpRequest, because fetch tells nothing of an upload's progress.
export function upload({ url, fields }, file, onProgress) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status < 300) resolve();
      else reject(new Problem(refusal(request.responseText), request.status));
    });
    request.addEventListener("error", () => reject(new Problem(say("interrupted"), 0)));
    request.open("POST", url);
    request.send(form);
  });
}

const refusal = (text) =>
  text.includes("EntityTooLarge") ? failure({ code: "too_large" }) : say("refused");
