// The app's global shortcuts, beside the line to type on. https://docs.slack.dev/interactivity/implementing-shortcuts/

import { el, reconcile } from "./dom.js";

// createShortcuts draws them into list, which stands in a details menu. choose(id) runs one.
export function createShortcuts(list, choose) {
  const menu = list.closest("details");
  return function render(state) {
    menu.hidden = state.snapshot.shortcuts.length === 0;
    reconcile(list, state.snapshot.shortcuts, {
      key: (shortcut) => shortcut.id,
      create: (shortcut) =>
        el(
          "li",
          {},
          el(
            "button",
            {
              type: "button",
              class: "shortcut",
              data: { testid: `shortcut-${shortcut.id}` },
              onclick: () => {
                menu.open = false;
                choose(shortcut.id);
              },
            },
            el("strong", {}, shortcut.name),
            el("span", { class: "choice-about" }, shortcut.about),
          ),
        ),
    });
  };
}
