// The mail that SES took: a list, and one that was opened, as it came.

import { dateNode } from "./dates.js";
import { el, reconcile, setText } from "./dom.js";
import { attachment, size } from "./files.js";
import { icon } from "./icons.js";
import { load, read } from "./stream.js";
import { told } from "./toast.js";

const longest = 200_000; // characters of a source that are shown; a picture is long, and nobody reads it

// createMail draws the list and, in its place, an open mail; it counts them beside the tab's name. bounce(id) has a mail come back.
export function createMail(list, reader, count, bounce) {
  let open = null; // id
  let mails = new Map(); // by id

  async function show(id) {
    open = id;
    await told(async () => {
      const letter = await load(`mail/${id}`);
      if (open === id) draw(id, letter);
    });
  }

  function leave() {
    const row = list.querySelector(`[data-key="${CSS.escape(open)}"] .mail-open`);
    open = null;
    reader.hidden = true;
    reader.replaceChildren();
    list.hidden = false;
    row?.focus();
  }

  function draw(id, letter) {
    const body = el("div", { class: "mail-body" });
    const back = el("button", { type: "button", class: "link", data: { testid: "mail-back" }, onclick: leave }, "← All mail");
    const ways = [
      { name: "html", label: "As sent", there: letter.html, node: () => frame(id) },
      { name: "text", label: "Plain text", there: letter.text !== null, node: () => text(letter.text) },
      { name: "source", label: "Source", there: true, node: () => source(id) },
    ].filter((way) => way.there);
    const switches = ways.map((way) => el("button", { type: "button", class: "button small", data: { testid: `mail-${way.name}` }, onclick: () => choose(way) }, way.label));

    async function choose(chosen) {
      ways.forEach((way, i) => switches[i].setAttribute("aria-pressed", String(way === chosen)));
      await told(async () => body.replaceChildren(await chosen.node()));
    }

    reader.replaceChildren(
      el("div", { class: "mail-tools" }, back, bounceButton(id, "mail-bounce")),
      el("h3", { class: "mail-subject" }, letter.subject || "(no subject)"),
      el("p", { class: "mail-people" }, `${letter.from} → ${letter.to} · ${size(letter.size)}`),
      letter.problem ? el("p", { class: "mail-problem", role: "alert" }, icon("alert"), el("span", {}, letter.problem)) : "",
      letter.attachments.length > 0
        ? el(
            "ul",
            { class: "files", "aria-label": "Attachments" },
            letter.attachments.map((file) => el("li", { data: { testid: "mail-attachment" } }, attachment(`/world/mail/${id}/part/${file.part}`, file.name, file.size))),
          )
        : "",
      el("div", { class: "mail-ways", role: "group", "aria-label": "Show the mail" }, switches),
      body,
    );
    list.hidden = true;
    reader.hidden = false;
    choose(ways[0]);
    update();
    back.focus();
  }

  function bounceButton(id, testid) {
    const title = "The recipient’s server refuses it; SES sends the event of that";
    return el("button", { type: "button", class: "button small bounce", title, data: { testid, mail: id }, onclick: () => bounce(id) });
  }

  // update says on each button whether its mail came back.
  function update() {
    for (const button of document.querySelectorAll(".bounce")) {
      const bounced = mails.get(button.dataset.mail)?.bounced ?? false;
      if (button.disabled === bounced && button.firstChild) continue;
      button.disabled = bounced;
      button.replaceChildren(...(bounced ? [icon("no"), "Bounced"] : ["Bounce"]));
    }
  }

  return function render({ snapshot, view }) {
    mails = new Map(snapshot.mails.map((mail) => [mail.id, mail]));
    if (open && !mails.has(open)) leave(); // SES keeps a number of them
    reconcile(list, snapshot.mails.toReversed(), {
      key: (mail) => mail.id,
      create: (mail) =>
        el(
          "li",
          { class: "mail", data: { testid: "mail" } },
          el(
            "button",
            { type: "button", class: "mail-open", data: { testid: "mail-open" }, onclick: () => show(mail.id) },
            el("span", { class: "mail-subject" }, mail.subject || "(no subject)"),
            el("span", { class: "mail-people" }, `${mail.from} → ${mail.to}`),
            el("span", { class: "mail-time" }),
          ),
          bounceButton(mail.id, "mail-row-bounce"),
        ),
      update: (row, mail) => {
        const when = row.querySelector(".mail-time");
        if (when.dataset.zone === view.zone) return;
        when.dataset.zone = view.zone;
        when.replaceChildren(dateNode(Date.parse(mail.at) / 1000, "{date_short_pretty} at {time}", view));
      },
    });
    update();
    list.classList.toggle("is-empty", mails.size === 0);
    setText(count, mails.size > 0 ? String(mails.size) : "");
  };
}

// frame shows the HTML where no script runs and nothing of this page can be reached: see letterPolicy in mail.go.
function frame(id) {
  const node = el("iframe", {
    class: "mail-frame",
    src: `/world/mail/${id}/html`,
    sandbox: "allow-popups allow-popups-to-escape-sandbox",
    referrerpolicy: "no-referrer",
    title: "The mail as it was sent",
    data: { testid: "mail-frame" },
  });
  node.addEventListener("load", () => {
    node.dataset.loaded = ""; // browser tests wait for this
  });
  return node;
}

function text(words) {
  return el("pre", { class: "mail-text", tabindex: "0", data: { testid: "mail-words" } }, words);
}

async function source(id) {
  const raw = await (await read(`mail/${id}/source`)).text();
  return el(
    "div",
    {},
    el("pre", { class: "mail-text", tabindex: "0", data: { testid: "mail-words" } }, raw.slice(0, longest)),
    raw.length > longest ? el("p", { class: "mail-people" }, `… and ${size(raw.length - longest)} more`) : null,
    el("a", { class: "link", href: `/world/mail/${id}/source`, download: "mail.eml", data: { testid: "mail-download" } }, "Download all of it"),
  );
}
