// The Slack side: channels, people, and the messages of one channel.

import { renderBlocks } from "./blocks.js";
import { fullDate, time } from "./dates.js";
import { el, reconcile, setText } from "./dom.js";
import { fileList } from "./files.js";
import { icon } from "./icons.js";
import { mrkdwn } from "./mrkdwn.js";

const groupWithin = 5 * 60; // seconds in which one author's messages share a heading

// initials of a name, for an avatar.
function initials(name) {
  return name.split(/\s+/).map((word) => word[0]).slice(0, 2).join("").toUpperCase();
}

// avatar is a person's coloured initials, or the gate for the bot.
export function avatar(person) {
  if (!person) return el("span", { class: "avatar app", "aria-hidden": "true" }, icon("gate"));
  return el("span", { class: `avatar tint-${person.tint}`, "aria-hidden": "true" }, initials(person.realName));
}

// createSidebar draws channels and people. choose.channel(id) and choose.person(id) are called on a press.
export function createSidebar(channelList, personList, choose) {
  return function render(state) {
    reconcile(channelList, state.snapshot.channels, {
      key: (channel) => channel.id,
      create: (channel) =>
        el(
          "li",
          {},
          el(
            "button",
            { type: "button", class: "channel", data: { testid: `channel-${channel.id}` }, onclick: () => choose.channel(channel.id) },
            el("span", { class: "hash", "aria-hidden": "true" }, channel.direct ? "@" : "#"),
            el("span", { class: "channel-name" }, channel.name),
            el("span", { class: "unread", role: "img" }),
          ),
        ),
      update: (node, channel) => {
        const button = node.firstElementChild;
        const unread = state.unread(channel.id);
        button.toggleAttribute("aria-current", !state.home && channel.id === state.channel);
        button.classList.toggle("has-unread", unread > 0);
        const dot = button.querySelector(".unread");
        setText(dot, unread > 0 ? String(unread) : "");
        if (unread > 0) dot.setAttribute("aria-label", `${unread} new`);
        else dot.removeAttribute("aria-label");
      },
    });
    reconcile(personList, state.snapshot.people, {
      key: (person) => person.id,
      create: (person) =>
        el(
          "li",
          {},
          el(
            "button",
            { type: "button", class: "person", data: { testid: `person-${person.id}` }, title: `See Slack as ${person.realName}`, onclick: () => choose.person(person.id) },
            avatar(person),
            el("span", { class: "person-words" }, el("span", { class: "person-name" }, person.realName), el("span", { class: "person-time" })),
          ),
        ),
      update: (node, person) => {
        const button = node.firstElementChild;
        button.setAttribute("aria-pressed", String(person.id === state.as));
        setText(button.querySelector(".person-time"), `${person.role} · ${time(state.view.now(), person.tz)}`);
      },
    });
  };
}

// createMessages draws a channel into list. press(message, {block, action}) delivers a click; dismiss(id) hides an
// ephemeral message, which is the person's own business and nobody else's.
export function createMessages(list, { press, dismiss }) {
  const folded = new Set(); // threads the person has closed
  let stick = true; // to the newest message, until somebody scrolls up
  let top = 0;
  const stay = () => {
    if (stick) list.scrollTop = list.scrollHeight;
  };
  list.addEventListener("load", stay, true); // a picture has come, and with it its height
  list.addEventListener("scroll", () => {
    stick = list.scrollHeight - list.scrollTop - list.clientHeight < 80 || (stick && list.scrollTop >= top);
    top = list.scrollTop;
  });

  return function render(state) {
    const { view } = state;
    const messages = state.messages();
    const replies = Map.groupBy(messages.filter(isReply), (message) => message.threadTS);
    if (list.dataset.channel !== state.channel) stick = true;
    list.dataset.channel = state.channel;

    let previous = null;
    const rows = messages
      .filter((message) => !isReply(message))
      .map((message) => {
        const row = { message, replies: replies.get(message.ts) ?? [], follows: follows(previous, message) };
        previous = message;
        return row;
      });

    reconcile(list, rows.length > 0 ? rows : [{ empty: true }], {
      key: (row) => (row.empty ? `empty-${state.channel}` : `${state.as}/${row.message.id}`),
      create: () => el("li", {}),
      update: (node, row) => {
        if (row.empty) {
          if (!node.firstChild) node.append(emptyRoom(state));
          return;
        }
        // Redrawn only when its content changed, so that a pressed button or a selection stays.
        const print = JSON.stringify([row, folded.has(row.message.ts)]);
        if (node.dataset.print === print) return;
        node.dataset.print = print;
        draw(node, row);
      },
    });
    stay();

    function draw(node, row) {
      const { message } = row;
      node.className = ["message", message.ephemeral ? "ephemeral" : "", message.typed ? "typed" : "", row.follows ? "follows" : ""].join(" ").trim();
      node.dataset.testid = message.ephemeral ? "ephemeral" : "message";
      node.replaceChildren(messageBody(message, row.follows));
      if (row.replies.length > 0) node.append(thread(row));
    }

    function thread({ message, replies }) {
      const open = !folded.has(message.ts);
      const toggle = el(
        "button",
        {
          type: "button",
          class: "thread-toggle",
          "aria-expanded": String(open),
          onclick: () => {
            if (open) folded.add(message.ts);
            else folded.delete(message.ts);
            render(state);
          },
        },
        replies.length === 1 ? "1 reply" : `${replies.length} replies`,
        icon("chevron"),
      );
      const inside = replies.map((reply) => el("li", { class: "message reply", data: { testid: "reply" } }, messageBody(reply, false)));
      return el("div", { class: "thread" }, toggle, open ? el("ol", { class: "replies" }, inside) : null);
    }

    function messageBody(message, follows) {
      if (message.typed && message.text.startsWith("/")) return typedCommand(message, view);
      const person = view.people.get(message.user);
      const body = el("div", { class: "message-body" });
      if (!follows) {
        body.append(
          el(
            "div",
            { class: "message-head" },
            el("span", { class: "author" }, person?.realName ?? (message.system ? "Slackbot" : state.snapshot.bot.name)),
            person || message.system ? null : el("span", { class: "app-badge" }, "APP"),
            stamp(message, view),
          ),
        );
      }
      if (message.ephemeral) {
        body.append(
          el(
            "p",
            { class: "only-you" },
            icon("eye"),
            "Only visible to you",
            el("button", { type: "button", class: "link", data: { testid: "dismiss" }, onclick: () => dismiss(message.id) }, "Dismiss message"),
          ),
        );
      }
      const content = el("div", { class: "content" });
      if (message.blocks?.length) content.append(...renderBlocks(message.blocks, view, (used) => press(message, used)));
      else if (message.text) content.append(el("div", { class: "block section-text" }, mrkdwn(message.text, view)));
      if (message.files?.length) content.append(fileList(message.files));
      if (message.edited) content.append(el("span", { class: "edited" }, "(edited)"));
      body.append(content);
      return el("article", { class: "message-row" }, follows ? el("span", { class: "avatar-gap" }) : avatar(person), body);
    }
  };
}

function isReply(message) {
  return Boolean(message.threadTS) && message.threadTS !== message.ts;
}

// follows says whether a message may go under the heading of the one before it.
function follows(previous, message) {
  return Boolean(
    previous &&
      previous.user === message.user &&
      !previous.typed &&
      !message.typed &&
      !message.system &&
      !message.ephemeral &&
      !previous.ephemeral &&
      !message.blocks?.length && // a card stands alone
      Date.parse(message.at) - Date.parse(previous.at) < groupWithin * 1000,
  );
}

function stamp(message, view) {
  const at = new Date(message.at);
  return el("time", { class: "stamp", datetime: at.toISOString(), title: fullDate(at / 1000, view.zone) }, time(at, view.zone));
}

// typedCommand is a small line for what the person ran: Slack shows a command to nobody, not even to them,
// but on this page it makes the story readable.
function typedCommand(message, view) {
  return el("p", { class: "typed-command" }, icon("command"), "You ran ", el("code", {}, message.text), stamp(message, view));
}

function emptyRoom(state) {
  const channel = state.view.channels.get(state.channel);
  return el(
    "div",
    { class: "empty" },
    el("span", { class: "empty-mark", "aria-hidden": "true" }, channel?.direct ? "@" : "#"),
    el("h3", {}, channel?.name ?? ""),
    el("p", {}, channel?.topic || "Nothing has been said here yet."),
  );
}
