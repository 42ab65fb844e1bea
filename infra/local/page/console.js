// The EC2 console: instances, their tags, and what happened to them.

import { clock } from "./dates.js";
import { copyButton } from "./copy.js";
import { ask } from "./dialog.js";
import { el, reconcile } from "./dom.js";
import { icon } from "./icons.js";

const startable = ["stopped", "stopping"]; // starting a stopping one is refused by EC2, and worth seeing
const stoppable = ["running", "pending"]; // stopping a first launch that is pending is refused, too

// createInstances draws the list. act({do, id, …}) performs one action and says whether EC2 accepted it.
export function createInstances(list, act) {
  return function render(state) {
    reconcile(list, state.snapshot.instances, {
      key: (instance) => instance.id,
      create: (instance) => createRow(instance, state.snapshot.passTag, act),
      update: (node, instance) => updateRow(node, instance, act),
    });
  };
}

function createRow(instance, passTag, act) {
  const { id, name } = instance;
  const button = (label, shape, testid, onclick) =>
    el("button", { type: "button", class: "button small", data: { testid }, "aria-label": `${label} ${name}`, onclick }, icon(shape), label);

  const key = el("input", { class: "tag-key", value: passTag, "aria-label": `Tag key for ${name}`, maxlength: 128, spellcheck: "false", autocomplete: "off", data: { testid: `tag-key-${name}` } });
  const value = el("input", { class: "tag-value", placeholder: "paste value", "aria-label": `Tag value for ${name}`, maxlength: 256, spellcheck: "false", autocomplete: "off", data: { testid: `tag-value-${name}` } });
  const set = el("button", { type: "submit", class: "button small", "aria-label": `Set the tag on ${name}`, data: { testid: `tag-set-${name}` } }, "Set tag");
  const form = el("form", { class: "tag-form", "aria-label": `Set a tag on ${name}` }, key, el("span", { class: "equals", "aria-hidden": "true" }, "="), value, set);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (await act({ do: "tag", id, key: key.value.trim(), value: value.value.trim() })) value.value = "";
  });

  return el(
    "li",
    { class: "instance", data: { testid: `instance-${name}` } },
    el(
      "div",
      { class: "instance-main" },
      el("div", { class: "instance-name" }, el("strong", {}, name), el("span", { class: "badge" }, icon("shield"), "Guarded")),
      el("div", { class: "instance-meta" }, el("code", {}, id), copyButton(id, `Copy the id of ${name}`), el("span", {}, [instance.type, ...instance.traits].join(" · "))),
    ),
    el("div", { class: "state", data: { testid: `state-${name}` } }),
    el(
      "div",
      { class: "instance-actions" },
      button("Start", "play", `start-${name}`, () => act({ do: "start", id })),
      button("Stop", "stop", `stop-${name}`, () => act({ do: "stop", id })),
      el("button", { type: "button", class: "icon-button", title: "Terminate…", "aria-label": `Terminate ${name}`, data: { testid: `terminate-${name}` }, onclick: () => terminate(instance, act) }, icon("trash")),
    ),
    el("div", { class: "instance-tags" }, el("ul", { class: "chips", "aria-label": `Tags of ${name}` }), form),
  );
}

async function terminate(instance, act) {
  const sure = await ask({
    title: `Terminate ${instance.name}?`,
    body: el("p", {}, "A terminated instance does not come back. (This one is made of nothing, so feel free.)"),
    yes: "Terminate",
    no: "Keep it",
    danger: true,
  });
  if (sure) await act({ do: "terminate", id: instance.id });
}

function updateRow(node, instance, act) {
  const state = node.querySelector(".state");
  if (node.dataset.state !== instance.state) {
    // The first drawing is not a change.
    node.classList.toggle("changed", node.dataset.state !== undefined);
    node.dataset.state = instance.state;
    state.replaceChildren(icon(instance.state), el("span", { class: "state-word" }, instance.state));
  }
  node.classList.toggle("gone", instance.state === "terminated");
  node.querySelector("[data-testid^=start-]").disabled = !startable.includes(instance.state);
  node.querySelector("[data-testid^=stop-]").disabled = !stoppable.includes(instance.state);
  node.querySelector("[data-testid^=terminate-]").disabled = ["terminated", "shutting-down"].includes(instance.state);

  node.querySelector(".badge").hidden = !instance.guarded;
  reconcile(node.querySelector(".chips"), instance.tags, {
    key: (tag) => `${tag.key}=${tag.value}`,
    create: (tag) =>
      el(
        "li",
        { class: "chip", data: { testid: `tag-${instance.name}-${tag.key}` }, title: `${tag.key} = ${tag.value}` },
        el("span", { class: "chip-key" }, tag.key),
        el("span", { class: "chip-value" }, tag.value),
        tag.key.startsWith("aws:")
          ? null // EC2 reserves these
          : el(
              "button",
              { type: "button", class: "chip-remove", "aria-label": `Remove the tag ${tag.key} from ${instance.name}`, data: { testid: `untag-${instance.name}-${tag.key}` }, onclick: () => act({ do: "untag", id: instance.id, key: tag.key }) },
              icon("close"),
            ),
      ),
  });
}

// createLog draws what happened, newest first, in the viewer's time zone.
export function createLog(list) {
  return function render(state) {
    const entries = state.snapshot.log.toReversed();
    reconcile(list, entries, {
      key: (entry) => `${entry.seq}/${state.view.zone}`,
      create: (entry) =>
        el(
          "li",
          { class: `log-entry log-${entry.kind} ${entry.code ? "refused" : ""}`, data: { testid: "log-entry" } },
          el("time", { datetime: entry.at }, clock(new Date(entry.at), state.view.zone)),
          el("span", { class: "log-name" }, entry.name ?? ""),
          el("span", { class: "log-what" }, what(entry)),
        ),
    });
    list.classList.toggle("is-empty", entries.length === 0);
  };
}

// what happened, in a few words.
function what(entry) {
  switch (entry.kind) {
    case "state":
      return [stateMark(entry.from), el("span", { class: "arrow", "aria-label": "to" }, "→"), stateMark(entry.to)];
    case "tag":
      return [icon("tag"), el("span", {}, entry.detail)];
    case "call":
      return [icon("gate"), el("span", {}, "Sekisho called ", el("code", {}, entry.detail)), entry.code ? el("span", { class: "code-word" }, entry.code) : null];
    case "bounce":
      return [icon("mail"), el("span", {}, "A mail bounced; SES sent the event")];
    case "schedule":
      return [icon("hourglass"), el("span", {}, `The schedule sent “${entry.detail}”`)];
    default:
      return [icon("alert"), el("span", {}, entry.detail), entry.code ? el("span", { class: "code-word" }, entry.code) : null];
  }
}

function stateMark(state) {
  return state ? el("span", { class: "state mini", data: { state } }, icon(state), el("span", { class: "state-word" }, state)) : el("span", { class: "state mini" }, "new");
}
