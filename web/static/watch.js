// Looks after a photograph until it is done or failed, ever more rarely while nothing changes.

import { readImage } from "./api.js";

const FIRST_MILLISECONDS = 300;
const LONGEST_MILLISECONDS = 5000;
const GROWTH = 1.3;

export const isFinal = (image) => image.status === "done" || image.status === "failed";

// Calls onChange with what the API says; throws only what asking again cannot cure.
export async function watch(id, onChange, signal) {
  let status = null;
  let pause = FIRST_MILLISECONDS;
  while (!signal?.aborted) {
    const image = await patiently(() => readImage(id));
    if (signal?.aborted) return;
    if (image && image.status !== status) {
      onChange(image);
      if (isFinal(image)) return;
      status = image.status;
      pause = FIRST_MILLISECONDS;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = Math.min(pause * GROWTH, LONGEST_MILLISECONDS);
  }
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
