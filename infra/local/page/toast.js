// Short notes in the corner: mostly what AWS or Slack refused, with its own code and words.

import { el } from "./dom.js";
import { icon } from "./icons.js";

const life = 9000; // ms; long enough to read two sentences

// toast shows a note; pressing it, or waiting, takes it away.
export function toast(code, message) {
  const note = el(
    "div",
    { class: "toast", data: { testid: "toast" } },
    icon("alert"),
    el("div", {}, el("strong", {}, code), el("p", {}, message)),
    el("button", { type: "button", class: "icon-button", "aria-label": "Dismiss", onclick: () => note.remove() }, icon("close")),
  );
  document.getElementById("toasts").append(note);
  setTimeout(() => note.remove(), life);
}

// told runs an action and shows its refusal, if any.
export async function told(action) {
  try {
    await action();
    return true;
  } catch (refusal) {
    toast(refusal.code ?? "Something went wrong", refusal.message);
    return false;
  }
}
