// Looks after photographs until they are done or failed, each ever more rarely while nothing
// changes; all that are due are asked for at once.

import { Problem, readImages } from "./api.js";
import { refusal } from "./words.js";

const FIRST_MILLISECONDS = 300;
const LONGEST_MILLISECONDS = 5000;
const GROWTH = 1.3;
const AT_ONCE = 50; // as many as the API takes

const watched = new Set();
let isLooking = false;

export const isFinal = (image) => image.status === "done" || image.status === "failed";

// Calls onChange with what the API says; throws only what asking again cannot cure.
export function watch(id, onChange, signal) {
  return new Promise((resolve, reject) => {
    const pause = FIRST_MILLISECONDS;
    watched.add({ id, onChange, signal, resolve, reject, pause, due: 0, status: null });
    if (!isLooking) lookOnAndOn();
  });
}

async function lookOnAndOn() {
  isLooking = true;
  await null; // whoever begins to watch in the same turn joins the first question
  while (watched.size) {
    const asked = dueNow();
    if (asked.length) await look(asked);
    await new Promise((resolve) => setTimeout(resolve, FIRST_MILLISECONDS));
  }
  isLooking = false;
}

// When one is due, those that soon will be come along, so that they stay together.
function dueNow() {
  for (const each of watched) if (each.signal?.aborted) end(each, each.resolve);
  const now = performance.now();
  const due = [...watched].filter((each) => each.due <= now + each.pause / 2);
  if (!due.some((each) => each.due <= now)) return [];
  return due.sort((one, other) => one.due - other.due).slice(0, AT_ONCE);
}

async function look(asked) {
  let page;
  try {
    page = await patiently(() => readImages(asked.map(({ id }) => id)));
  } catch (problem) {
    for (const each of asked) end(each, () => each.reject(problem));
    return;
  }
  const images = page && new Map(page.images.map((image) => [image.id, image]));
  for (const each of asked) tell(each, images);
}

// `images` are null when no answer came.
function tell(each, images) {
  if (each.signal?.aborted) return;
  const image = images?.get(each.id);
  if (images && !image) {
    end(each, () => each.reject(new Problem(refusal("no-photograph"), 404)));
    return;
  }
  const isNews = image && image.status !== each.status;
  if (isNews) each.pause = FIRST_MILLISECONDS;
  each.due = performance.now() + each.pause;
  each.pause = Math.min(each.pause * GROWTH, LONGEST_MILLISECONDS);
  if (!isNews) return;
  each.status = image.status;
  try {
    each.onChange(image);
    if (isFinal(image)) end(each, each.resolve);
  } catch (error) {
    end(each, () => each.reject(error));
  }
}

function end(each, settle) {
  watched.delete(each);
  settle();
}

async function patiently(read) {
  try {
    return await read();
  } catch (problem) {
    const isHasty = problem.status === 429;
    if (problem.status >= 400 && problem.status < 500 && !isHasty) throw problem;
    return null;
  }
}
