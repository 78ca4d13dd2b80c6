// A file on its way into the bucket, a few at a time.

import { Problem } from "./api.js";
import { failure, say } from "./words.js";

const AT_ONCE = 3;
const STALLED_MILLISECONDS = 60_000; // without any progress

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

let isDownload = false;

// Who leaves now would lose what has not arrived.
addEventListener("beforeunload", (event) => {
  if (running && !isDownload) event.preventDefault();
  isDownload = false;
});

// To the browser it begins like leaving the page.
export function download(url) {
  isDownload = true;
  location.assign(url);
}

let latest = Promise.resolve();

// Runs `work` after all that came here before it.
export function inOrder(work) {
  const turn = latest.then(work);
  latest = turn.catch(() => {});
  return turn;
}

// XMLHttpRequest, because fetch tells nothing of an upload's progress.
export function upload({ url, fields }, file, onProgress, signal) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    let stalled;
    const wait = () => {
      clearTimeout(stalled);
      stalled = setTimeout(stop, STALLED_MILLISECONDS);
    };
    signal.addEventListener("abort", stop);
    request.upload.addEventListener("progress", (event) => {
      wait();
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    request.addEventListener("load", () => {
      if (request.status < 300) resolve();
      else reject(refusal(request));
    });
    for (const end of ["error", "abort"]) {
      request.addEventListener(end, () => reject(new Problem(say("interrupted"), 0)));
    }
    request.addEventListener("loadend", () => clearTimeout(stalled));
    request.open("POST", url);
    request.send(form);
    wait();
  });
}

const refusal = ({ responseText, status }) =>
  responseText.includes("EntityTooLarge")
    ? new Problem(failure({ code: "too_large" }), 413)
    : new Problem(say("refused"), status);
