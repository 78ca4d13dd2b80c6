// Which strategy the visitor chose, once there are any to choose from.

const RETRY_MILLISECONDS = 2000;

const form = document.getElementById("order");

// The chosen strategy's name; null while there is none.
export const chosen = () => new FormData(form).get("strategy");

// The server draws the strategies; while it knows none, its page is asked again.
export async function awaitStrategies() {
  while (!form.elements.strategy) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MILLISECONDS));
    const text = await fetch("/").then((response) => response.text(), () => "");
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("strategies");
    if (fresh?.querySelector("input")) document.getElementById("strategies").replaceWith(fresh);
  }
}
