// The trail as the bot writes it: who decided what, why, and how it came out.

import { clock, fullDate } from "./dates.js";
import { el, reconcile, setText } from "./dom.js";
import { short } from "./iam.js";
import { icon } from "./icons.js";

// createTrail draws it, newest first, in the viewer's time zone, and counts it beside the tab's name.
export function createTrail(list, count) {
  return function render(state) {
    const entries = state.snapshot.trail.toReversed();
    reconcile(list, entries, {
      key: (entry) => `${entry.seq}/${entry.time}/${state.view.zone}`,
      create: (entry) => draw(entry, state),
    });
    list.classList.toggle("is-empty", entries.length === 0);
    setText(count, entries.length > 0 ? String(entries.length) : "");
  };
}

function draw(entry, { snapshot, view }) {
  const seconds = Date.parse(entry.time) / 1000;
  const person = (id) => view.people.get(id)?.realName ?? id;
  const done = entry.outcome === "done";
  const who = entry.decided_by || entry.submitted_by;
  return el(
    "li",
    { class: "trail-entry", data: { testid: "trail-entry", outcome: entry.outcome } },
    el("time", { datetime: entry.time, title: fullDate(seconds, view.zone) }, clock(new Date(entry.time), view.zone)),
    el("span", { class: `trail-outcome tone-${done ? "ok" : "bad"}` }, icon(done ? "ok" : "no"), el("span", {}, entry.outcome)),
    el("span", { class: "trail-act" }, entry.act),
    el(
      "div",
      { class: "trail-words" },
      el("span", { class: "trail-who" }, who ? person(who) : snapshot.bot.name),
      entry.decided_by && entry.submitted_by && entry.submitted_by !== entry.decided_by ? el("span", {}, `for ${person(entry.submitted_by)}`) : null,
      what(entry, snapshot).map((text) => el("code", {}, text)),
      entry.reason ? el("span", { class: "trail-why" }, entry.reason) : null,
      entry.note ? el("span", { class: "trail-note" }, entry.note) : null,
    ),
  );
}

// what it was about: the instance by name, the key by its end, the request by its id.
function what({ instance, key, iam_user: user, request }, { instances }) {
  return [
    instance ? instances.find(({ id }) => id === instance)?.name ?? instance : "",
    user ? (key ? `${user} ${short(key)}` : user) : key ? short(key) : "",
    request ? `request ${request}` : "",
  ].filter(Boolean);
}
