// A button that copies the whole of a piece of code, and says that it did.

import { el } from "./dom.js";
import { icon } from "./icons.js";

// copyable wraps node with a copy button for text.
export function copyable(node, text, className) {
  return el("span", { class: `copyable ${className}` }, node, copyButton(text, "Copy"));
}

// copyButton copies text when pressed; label names it for people who cannot see the icon.
export function copyButton(text, label) {
  const button = el("button", { type: "button", class: "copy", title: label, "aria-label": label }, icon("copy"));
  button.addEventListener("click", async () => {
    await copy(text);
    button.replaceChildren(icon("check"));
    button.classList.add("copied");
    button.setAttribute("aria-label", "Copied");
    setTimeout(() => {
      button.replaceChildren(icon("copy"));
      button.classList.remove("copied");
      button.setAttribute("aria-label", label);
    }, 1400);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // The clipboard API can be switched off by policy; a selected field still copies.
    const field = el("textarea", { class: "unseen", readonly: true });
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}
