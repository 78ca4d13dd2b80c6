// Brings a chosen file to where it is colored, and leaves no trace of one that did not arrive.

import { createImage, deleteImage, Problem, readImage } from "./api.js";
import { inOrder, inTurn, upload } from "./upload.js";
import { say } from "./words.js";

// Whether the browser keeps the cookie by which it finds its photographs; null: not known yet.
let keepsCookie = null;
export const knowCookieKept = () => (keepsCookie = true);

const abandoned = new Set(); // ids of uploads that failed, while the site may still know of them

// The id under which the photograph is there; its card can be taken away meanwhile.
export const arrive = (card, file, order) =>
  inTurn(async () => {
    card.signal.throwIfAborted();
    forgetAbandoned();
    const wish = { filename: file.name, content_type: file.type, size: file.size, ...order };
    const created = await inOrder(() => create(wish)); // as the album will list them
    try {
      card.signal.throwIfAborted();
      card.preview(file);
      card.state("uploading");
      await upload(created.upload, file, (fraction) => card.progress(fraction), card.signal);
      return created.id;
    } catch (problem) {
      abandoned.add(created.id);
      forgetAbandoned();
      throw problem;
    }
  });

// The first that is created shows whether it could be found again, before anything travels.
async function create(wish) {
  requireCookie();
  const created = await createImage(wish);
  keepsCookie ??= await isFound(created.id);
  requireCookie();
  return created;
}

function requireCookie() {
  if (keepsCookie === false) throw new Problem(say("no_cookie"), 404);
}

// Null when that cannot be told just now.
const isFound = (id) =>
  readImage(id).then(
    () => true,
    ({ status }) => (status === 404 ? false : null),
  );

function forgetAbandoned() {
  for (const id of abandoned) deleteImage(id).then(() => abandoned.delete(id), () => {});
}

addEventListener("online", forgetAbandoned);
