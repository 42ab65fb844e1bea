// The app's Home tab, as the bot published it for the person looking. https://docs.slack.dev/surfaces/app-home/

import { renderBlocks } from "./blocks.js";
import { el } from "./dom.js";
import { icon } from "./icons.js";

// createHome draws it into root. press(view, {block, action}) delivers a click.
export function createHome(root, press) {
  return function render(state) {
    const view = state.snapshot.appHome;
    const print = JSON.stringify([state.as, view]);
    if (root.dataset.print === print) return;
    root.dataset.print = print;
    root.replaceChildren(...(view ? renderBlocks(view.blocks ?? [], state.view, (used) => press(view.id, used)) : [empty(state)]));
  };
}

function empty(state) {
  return el(
    "div",
    { class: "empty" },
    el("span", { class: "empty-mark", "aria-hidden": "true" }, icon("gate")),
    el("h3", {}, state.snapshot.bot.name),
    el("p", {}, "The app has not published its Home tab."),
  );
}
