// The API of this site.

import { sentences } from "./words.js";

// Its message is a sentence for the visitor; status is 0 when no answer came.
export class Problem extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export const createImage = (wish) =>
  ask("/api/images", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(wish),
  });

export const readImage = (id) => ask(`/api/images/${id}`);

export const readAlbum = (after) => ask(after ? `/api/images?after=${after}` : "/api/images");

async function ask(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch {
    throw new Problem(sentences.unreachable, 0);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(answer.detail ?? sentences.unexpected, response.status);
  return answer;
}
