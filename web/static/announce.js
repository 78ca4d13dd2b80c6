// Tells people what happens: those who listen, and those who look.

const KEPT = 8;
const TOAST_MILLISECONDS = 7000;

const announcer = document.getElementById("announcer");
const line = document.getElementById("toast");
let timer;

export function announce(sentence) {
  const entry = document.createElement("p");
  entry.textContent = sentence;
  announcer.append(entry);
  while (announcer.childElementCount > KEPT) announcer.firstElementChild.remove();
}

export function toast(sentence) {
  line.textContent = sentence;
  clearTimeout(timer);
  timer = setTimeout(() => (line.textContent = ""), TOAST_MILLISECONDS);
}
