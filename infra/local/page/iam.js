// The IAM console: users and their access keys, and what time and people do to them.

import { ask } from "./dialog.js";
import { dateNode } from "./dates.js";
import { el, reconcile, setText } from "./dom.js";
import { icon } from "./icons.js";

const tooOld = 90; // days, as the Config rule has it

// createKeys draws the table's bodies, one for each user. act({do, user, key}) performs one action.
export function createKeys(table, act) {
  return function render(state) {
    reconcile(table, state.snapshot.users, {
      key: (user) => user.name,
      create: (user) => createUser(user, act),
      update: (node, user) => updateUser(node, user, state.view, act),
    });
  };
}

function createUser({ name, path }, act) {
  return el(
    "tbody",
    { data: { testid: `user-${name}` } },
    el(
      "tr",
      { class: "user" },
      el(
        "th",
        { colspan: 5, scope: "rowgroup" },
        el(
          "div",
          { class: "user-line" },
          el("span", { class: "user-name" }, name),
          path === "/" ? null : el("code", { class: "user-path", title: "Path" }, path),
          el("span", { class: "no-keys" }, "no access key"),
          el("button", { type: "button", class: "link", "aria-label": `Create key for ${name}`, data: { testid: `key-create-${name}` }, onclick: () => act({ do: "create", user: name }) }, icon("plus"), " Create key"),
        ),
      ),
    ),
  );
}

function updateUser(node, user, view, act) {
  const [head] = node.rows;
  head.querySelector(".no-keys").hidden = user.keys.length > 0;
  head.querySelector("button").disabled = user.keys.length >= 2; // IAM allows no third
  reconcile(node, user.keys, {
    key: (key) => key.id,
    create: (key) => createKey(key, user.name, act),
    update: (row, key) => updateKey(row, key, view),
  });
}

// short is a key's id as people tell keys apart.
export function short(id) {
  return `…${id.slice(-4)}`;
}

function createKey({ id }, user, act) {
  const last4 = id.slice(-4);
  const does = (what, label, props = {}) =>
    el(
      "button",
      { type: "button", class: "button small", "aria-label": `${label}: key ${last4} of ${user}`, data: { testid: `key-${what}-${last4}` }, onclick: () => act({ do: what, user, key: id }), ...props },
      label,
    );
  return el(
    "tr",
    { class: "key", data: { testid: `key-${last4}` } },
    el("th", { scope: "row", class: "key-id" }, el("code", { title: id }, short(id))),
    el("td", { class: "key-state" }),
    el("td", { class: "key-age" }, el("span", { class: "days" }), icon("alert"), el("span", { class: "unseen old-word" }, ` (older than ${tooOld} days)`)),
    el("td", { class: "key-used" }),
    el(
      "td",
      { class: "key-actions" },
      el(
        "div",
        { class: "key-buttons" },
        el("div", {}, does("age", "Age 100 days"), does("use", "Use it now")),
        el(
          "div",
          {},
          does("deactivate", "Deactivate", { class: "link quiet" }),
          does("activate", "Activate", { class: "link quiet" }),
          does("delete", "Delete", { class: "link quiet", onclick: () => remove(id, user, act) }),
        ),
      ),
    ),
  );
}

async function remove(id, user, act) {
  const sure = await ask({
    title: `Delete the key ${short(id)}?`,
    body: el("p", {}, `It is one of ${user}’s, and a deleted key does not come back.`),
    yes: "Delete",
    no: "Keep it",
    danger: true,
  });
  if (sure) await act({ do: "delete", user, key: id });
}

function updateKey(row, key, view) {
  const print = JSON.stringify([key, view.zone]);
  if (row.dataset.print === print) return;
  row.dataset.print = print;
  const state = key.active ? "active" : "inactive";
  row.dataset.state = state;
  row.querySelector(".key-state").replaceChildren(el("span", { class: "state" }, icon(state), el("span", { class: "state-word" }, key.active ? "Active" : "Inactive")));
  row.classList.toggle("old", key.days > tooOld);
  for (const mark of row.querySelectorAll(".key-age .icon, .old-word")) mark.toggleAttribute("hidden", key.days <= tooOld);
  setText(row.querySelector(".days"), key.days === 1 ? "1 day" : `${key.days} days`);
  row.querySelector(".key-used").replaceChildren(...(key.used ? [el("span", { class: "service" }, key.service), " ", dateNode(Date.parse(key.used) / 1000, "{ago}", view)] : ["never"]));
  row.querySelector("[data-testid^=key-use-]").disabled = !key.active;
  row.querySelector("[data-testid^=key-deactivate-]").hidden = !key.active;
  row.querySelector("[data-testid^=key-activate-]").hidden = key.active;
}
