// Parts of the page that few visits need, loaded when they are first used.

import { Problem } from "./api.js";
import { telling } from "./deeds.js";
import { say } from "./words.js";

export const openZoom = (name, comparison) =>
  using(import("./zoom.js"), (zoom) => zoom.openZoom(name, comparison));

export const downloadAll = (button) =>
  using(import("./archive.js"), (archive) => archive.downloadAll(button));

const using = (module, use) =>
  telling(async () => {
    const part = await module.catch(() => {
      throw new Problem(say("unexpected"), 0);
    });
    use(part);
  });
