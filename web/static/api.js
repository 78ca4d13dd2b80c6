// The API of this site.

import { refusal, say } from "./words.js";

// Its message is a sentence for the visitor; status is 0 when no answer came, and the code is that
// of the API's problem, if it is one.
export class Problem extends Error {
  constructor(message, status, code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export const createImage = (wish) => ask("/api/images", asJson(wish));
export const readImage = (id) => ask(`/api/images/${id}`);
export const readImages = (ids) => ask(`/api/images?ids=${ids}`);
export const readAlbum = (after) => ask(after ? `/api/images?after=${after}` : "/api/images");
export const recolorImage = (id, order) => ask(`/api/images/${id}/recolor`, asJson(order));

// Also what is gone already, perhaps by another tab.
export async function deleteImage(id) {
  try {
    await ask(`/api/images/${id}`, { method: "DELETE" });
  } catch (problem) {
    if (problem.status !== 404) throw problem;
  }
}

const asJson = (data) => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(data),
});

// What answers before the site itself is reached says no more than its status.
const GATEWAY_CODES = { 429: "too-many-requests" };

async function ask(url, options) {
  let response;
  try {
    response = await fetch(url, options);
  } catch {
    throw new Problem(say("unreachable"), 0);
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const code = answer.type?.split(":").at(-1) ?? GATEWAY_CODES[response.status];
  throw new Problem(refusal(code, answer.detail), response.status, code);
}
