// "Break something": switches for what really goes wrong between a bot, Slack and AWS.

import { el, reconcile } from "./dom.js";

// createFaults draws a switch per fault. flip(name, on) asks the world.
export function createFaults(list, summary, flip) {
  return function render(state) {
    const { faults } = state.snapshot;
    const broken = faults.filter((fault) => fault.on).length;
    summary.textContent = broken === 0 ? "Break something" : `${broken} broken`;
    summary.closest("details").classList.toggle("is-broken", broken > 0);
    reconcile(list, faults, {
      key: (fault) => fault.name,
      create: (fault) => {
        const box = el("input", { type: "checkbox", role: "switch", data: { testid: `fault-${fault.name}` } });
        box.addEventListener("change", () => flip(fault.name, box.checked));
        return el("li", {}, el("label", { class: "fault" }, box, el("span", {}, el("strong", {}, fault.label), el("span", { class: "fault-help" }, fault.help))));
      },
      update: (node, fault) => {
        node.querySelector("input").checked = fault.on;
      },
    });
  };
}
