// A photograph in its full resolution, one pixel a pixel, to be moved about by scrolling or dragging.

const dialog = document.getElementById("zoom");
const pane = dialog.querySelector(".pane");
const picture = pane.querySelector("img");
const buttons = [".show-before", ".show-after"].map((each) => dialog.querySelector(each));

let shown = [];

// Of the two pictures of a comparison, called as they are there, the second is shown first.
export function openZoom(name, { pictures, titles }) {
  shown = pictures;
  dialog.querySelector(".name").textContent = name;
  buttons.forEach((button, index) => {
    button.textContent = titles[index];
    button.disabled = !pictures[index].naturalWidth;
  });
  show(1);
  dialog.showModal();
  picture.decode().then(center, () => {});
}

function show(index) {
  picture.src = shown[index].src;
  picture.alt = shown[index].alt;
  buttons.forEach((button, each) => button.setAttribute("aria-pressed", each === index));
}

function center() {
  pane.scrollTo({
    left: (pane.scrollWidth - pane.clientWidth) / 2,
    top: (pane.scrollHeight - pane.clientHeight) / 2,
    behavior: "instant",
  });
}

buttons.forEach((button, index) => button.addEventListener("click", () => show(index)));

// Fingers scroll by themselves; a mouse drags.
pane.addEventListener("pointerdown", (event) => {
  if (event.pointerType !== "mouse" || event.button !== 0) return;
  event.preventDefault();
  pane.focus();
  pane.setPointerCapture(event.pointerId);
});
pane.addEventListener("pointermove", (event) => {
  if (!pane.hasPointerCapture(event.pointerId)) return;
  pane.scrollBy({ left: -event.movementX, top: -event.movementY, behavior: "instant" });
});
