// Which of the chosen files can be colored, by what the browser knows of them.

import { say } from "./words.js";

const order = document.getElementById("order");
const { kinds, limit } = order.dataset;
const accepted = order.dataset.accept.split(",");
const maxBytes = Number(order.dataset.maxBytes);

// Why a file cannot be taken; null if it can.
export function refusalOf(file) {
  const { name } = file;
  if (!isAccepted(file)) return say("wrong_kind", { name, kinds });
  if (file.size === 0) return say("empty", { name });
  if (file.size > maxBytes) return say("wrong_size", { name, limit });
  return null;
}

// Some systems know no type for a file; then its name must do.
const isAccepted = ({ type, name }) =>
  accepted.includes(type || name.slice(name.lastIndexOf(".")).toLowerCase());
