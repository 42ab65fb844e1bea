// Slack's mrkdwn as DOM nodes. https://docs.slack.dev/messaging/formatting-message-text/
//
// Text arrives with &, < and > escaped; a bare < opens a link, a mention or a date. Entities are therefore
// undone last, in the words that remain, so that an escaped "<" can never become a token.

import { dateNode } from "./dates.js";
import { copyable } from "./copy.js";
import { el } from "./dom.js";
import { emoji } from "./emoji.js";

const fence = /```\n?([\s\S]+?)\n?```/g;
const quoted = /^(?:&gt;|>) ?/;

// mrkdwn renders a text object's text for the person in view: {zone, now(), people, groups, channels, me}.
export function mrkdwn(text, view) {
  const out = document.createDocumentFragment();
  let last = 0;
  for (const match of text.matchAll(fence)) {
    out.append(lines(text.slice(last, match.index), view));
    out.append(preformatted(unescape(match[1])));
    last = match.index + match[0].length;
  }
  out.append(lines(text.slice(last), view));
  return out;
}

// preformatted is a block of code with a button that copies all of it.
export function preformatted(text) {
  return copyable(el("pre", {}, el("code", { data: { testid: "code" } }, text)), text, "copy-block");
}

// textObject renders a text composition object.
// https://docs.slack.dev/reference/block-kit/composition-objects/text-object/
export function textObject(object, view) {
  if (!object) return document.createDocumentFragment();
  return object.type === "mrkdwn" ? mrkdwn(object.text ?? "", view) : plain(object.text ?? "");
}

// plain renders a plain_text object: no markup, but emoji names and line breaks.
export function plain(text) {
  const out = document.createDocumentFragment();
  text.split("\n").forEach((line, i) => {
    if (i > 0) out.append(el("br"));
    out.append(...words(line));
  });
  return out;
}

// unescape undoes the three entities Slack asks for, &amp; last so that "&amp;lt;" stays "&lt;".
export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

// safeURL is the address if following it is harmless, else null: javascript:, data:, file: and relative ones are not links.
export function safeURL(raw) {
  let url;
  try {
    url = new URL(unescape(raw));
  } catch {
    return null;
  }
  return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
}

// anchor opens elsewhere and tells that page nothing about this one.
export function anchor(href, ...label) {
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...label);
}

// mention is "@Hana Mori", and stands out when it is the viewer.
export function mention(id, view, fallback) {
  const name = view.people.get(id)?.realName ?? fallback ?? id;
  return el("span", { class: id === view.me ? "mention me" : "mention" }, `@${name}`);
}

// groupMention is "@leads", and stands out when the viewer is one of them.
export function groupMention(id, view, fallback) {
  const group = view.groups.get(id);
  const mine = group?.members.includes(view.me);
  return el("span", { class: mine ? "mention me" : "mention" }, `@${group?.handle ?? fallback?.replace(/^@/, "") ?? id}`);
}

export function channelMention(id, view, fallback) {
  return el("span", { class: "mention" }, `#${view.channels.get(id)?.name ?? fallback ?? id}`);
}

function lines(text, view) {
  const out = document.createDocumentFragment();
  let quote = null;
  let fresh = true;
  // The line breaks around a fence belong to the fence.
  for (const line of text.replace(/^\n|\n$/g, "").split("\n")) {
    if (quoted.test(line)) {
      if (quote) quote.append(el("br"));
      else out.append((quote = el("blockquote")));
      quote.append(inline(line.replace(quoted, ""), view));
      fresh = true;
      continue;
    }
    quote = null;
    if (!fresh) out.append(el("br"));
    out.append(inline(line, view));
    fresh = false;
  }
  return out;
}

// What can stand between a pair of markers: anything but the marker, and tokens and code as wholes.
const between = (marker) => `((?:[^${marker}\\n<\`]|<[^<>\\n]*>|\`[^\`\\n]*\`)+?)`;
const emphasis = (marker) => `(?<![\\w${marker}])\\${marker}(?=\\S)${between(`\\${marker}`)}(?<=\\S)\\${marker}(?![\\w${marker}])`;

const markup = new RegExp(
  ["`([^`\\n]+)`", "<([^<>\\n]+)>", emphasis("*"), emphasis("_"), emphasis("~")].join("|"),
  "g",
);

function inline(text, view) {
  const out = document.createDocumentFragment();
  let last = 0;
  for (const match of text.matchAll(markup)) {
    const [whole, code, token, bold, italic, struck] = match;
    out.append(...words(unescape(text.slice(last, match.index))));
    if (code !== undefined) out.append(inlineCode(unescape(code)));
    else if (token !== undefined) out.append(tokenNode(token, view));
    else if (bold !== undefined) out.append(el("strong", {}, inline(bold, view)));
    else if (italic !== undefined) out.append(el("em", {}, inline(italic, view)));
    else out.append(el("s", {}, inline(struck, view)));
    last = match.index + whole.length;
  }
  out.append(...words(unescape(text.slice(last))));
  return out;
}

export function inlineCode(text) {
  return copyable(el("code", { data: { testid: "code" } }, text), text, "copy-inline");
}

// words splits emoji names out of what is otherwise text.
function words(text) {
  const nodes = [];
  let last = 0;
  for (const match of text.matchAll(/:([a-z0-9_+-]+):/g)) {
    const node = emoji(match[1]);
    if (!node) continue;
    if (match.index > last) nodes.push(text.slice(last, match.index));
    nodes.push(node);
    last = match.index + match[0].length;
  }
  if (last < text.length) nodes.push(text.slice(last));
  return nodes;
}

// tokenNode renders what stood between < and >.
function tokenNode(token, view) {
  const bar = token.indexOf("|");
  const target = bar < 0 ? token : token.slice(0, bar);
  const label = bar < 0 ? null : unescape(token.slice(bar + 1));

  const date = /^!date\^(-?\d{1,12})\^([^^]+)(?:\^(.+))?$/.exec(target);
  if (date) {
    const node = dateNode(Number(date[1]), unescape(date[2]), view);
    const href = date[3] && safeURL(date[3]);
    return href ? anchor(href, node) : node;
  }
  if (target.startsWith("@")) return mention(target.slice(1), view, label);
  if (target.startsWith("#")) return channelMention(target.slice(1), view, label);
  if (/^!(here|channel|everyone)$/.test(target)) return el("span", { class: "mention me" }, `@${target.slice(1)}`);
  if (target.startsWith("!subteam^")) return groupMention(target.slice("!subteam^".length), view, label);
  if (target.startsWith("!")) return el("span", { class: "mention" }, label ?? unescape(target));

  const href = safeURL(target);
  return href ? anchor(href, label ?? unescape(target)) : document.createTextNode(`<${unescape(token)}>`);
}
