// How light a photograph is at a place.

import { Problem } from "./api.js";
import { lightness } from "./lab.js";
import { say } from "./words.js";

const LONGEST_SIDE = 1024; // enough to know how light a place is

// Reads a picture; gives a function from fractions of its width and height to L*, the mean of
// 3 by 3 pixels.
export async function readLightness(url) {
  // Not from the cache: what an <img> left there may lack the leave to be read.
  const response = await fetch(url, { cache: "no-store" }).catch(() => null);
  if (!response?.ok) throw new Problem(say("unreachable"), 0);
  const bitmap = await createImageBitmap(await response.blob());
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const within = (value, last) => Math.min(Math.max(value, 0), last);
  return (across, down) => {
    const left = within(Math.floor(across * width) - 1, Math.max(0, width - 3));
    const top = within(Math.floor(down * height) - 1, Math.max(0, height - 3));
    const { data } = context.getImageData(left, top, Math.min(3, width), Math.min(3, height));
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) sum += lightness(...data.subarray(at, at + 3));
    return sum / (data.length / 4);
  };
}
