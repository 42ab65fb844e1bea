// Rich text as DOM nodes. https://docs.slack.dev/reference/block-kit/blocks/rich-text-block/

import { dateNode } from "./dates.js";
import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { anchor, channelMention, groupMention, inlineCode, mention, preformatted, safeURL } from "./mrkdwn.js";

// unsupported stands for what is not drawn.
export function unsupported(block) {
  return el("p", { class: "unsupported" }, `This page does not draw “${String(block.type)}” blocks.`);
}

export function richText(block, ctx) {
  return el("div", { class: "block rich-text" }, (block.elements ?? []).map((part) => richPart(part, ctx.view)));
}

function richPart(part, view) {
  switch (part.type) {
    case "rich_text_section":
      return el("p", {}, richInline(part.elements, view));
    case "rich_text_quote":
      return el("blockquote", {}, richInline(part.elements, view));
    case "rich_text_preformatted":
      return preformatted((part.elements ?? []).map((item) => item.text ?? item.url ?? "").join(""));
    case "rich_text_list":
      return el(
        part.style === "ordered" ? "ol" : "ul",
        { class: `indent-${Math.min(Number(part.indent) || 0, 5)}` },
        (part.elements ?? []).map((item) => el("li", {}, richInline(item.elements, view))),
      );
    default:
      return unsupported(part);
  }
}

function richInline(items = [], view) {
  return items.map((item) => {
    switch (item.type) {
      case "text":
        return styled(item);
      case "link": {
        const href = safeURL(item.url ?? "");
        const label = item.text ?? item.url ?? "";
        return href ? anchor(href, label) : label;
      }
      case "user":
        return mention(item.user_id, view);
      case "usergroup":
        return groupMention(item.usergroup_id, view);
      case "channel":
        return channelMention(item.channel_id, view);
      case "broadcast":
        return el("span", { class: "mention me" }, `@${item.range}`);
      case "emoji":
        return emoji(item.name) ?? `:${item.name}:`;
      case "date":
        return dateNode(item.timestamp, item.format, view);
      default:
        return item.text ?? item.fallback ?? "";
    }
  });
}

function styled(item) {
  const style = item.style ?? {};
  if (style.code) return inlineCode(item.text ?? "");
  let node = el("span", { class: "rich" }, item.text ?? "");
  if (style.strike) node = el("s", {}, node);
  if (style.italic) node = el("em", {}, node);
  if (style.bold) node = el("strong", {}, node);
  return node;
}
