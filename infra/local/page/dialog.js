// One modal question at a time, as Slack's confirmation dialog has it.
// https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object/

import { el } from "./dom.js";

// ask shows the question and resolves to true for yes, false for no, Escape or a click outside.
// title, yes and no are strings; body is a node or a string; danger colours the yes button.
export function ask({ title, body, yes, no, danger }) {
  return new Promise((resolve) => {
    const dialog = el("dialog", { class: "ask", "aria-labelledby": "ask-title" });
    const answer = (value) => () => dialog.close(value);
    dialog.append(
      el("h2", { id: "ask-title" }, title),
      el("div", { class: "ask-body" }, body),
      el(
        "div",
        { class: "ask-buttons" },
        el("button", { type: "button", class: "button", data: { testid: "confirm-cancel" }, onclick: answer("no") }, no),
        el("button", { type: "button", class: danger ? "button danger" : "button primary", data: { testid: "confirm-ok" }, onclick: answer("yes") }, yes),
      ),
    );
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close("no");
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
