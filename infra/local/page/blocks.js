// Block Kit as DOM nodes. https://docs.slack.dev/reference/block-kit/blocks/
//
// A block that is not drawn here says so in place: a message is never silently shorter than it was sent.

import { dateNode } from "./dates.js";
import { ask } from "./dialog.js";
import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { canFill, inputBlock } from "./inputs.js";
import { anchor, channelMention, groupMention, inlineCode, mention, plain, preformatted, safeURL, textObject } from "./mrkdwn.js";

// renderBlocks draws the blocks of a message or view. press({block, action}) is called, after any confirmation, with what
// the person used, and returns a promise that settles when Slack has delivered it. draftOf(block), where there are fields
// to fill in, keeps what one holds.
export function renderBlocks(blocks, view, press, draftOf) {
  return blocks.map((block, i) => renderBlock(block, { view, press, draftOf, blockID: block.block_id ?? `block-${i}` }));
}

const renderers = { input, section, context, divider, header, actions, image, table, data_table: table, rich_text: richText, markdown };

function renderBlock(block, ctx) {
  const draw = Object.hasOwn(renderers, block.type) ? renderers[block.type] : unsupported;
  return draw(block, ctx);
}

function unsupported(block) {
  return el("p", { class: "unsupported" }, `This page does not draw “${String(block.type)}” blocks.`);
}

function input(block, ctx) {
  return ctx.draftOf && canFill(block) ? inputBlock(block, ctx.view, ctx.draftOf(block)) : unsupported(block);
}

function section(block, ctx) {
  const body = el("div", { class: "section-body" });
  if (block.text) body.append(el("div", { class: "section-text" }, textObject(block.text, ctx.view)));
  if (block.fields?.length) {
    body.append(el("div", { class: "fields" }, block.fields.map((field) => el("div", { class: "field" }, textObject(field, ctx.view)))));
  }
  return el("div", { class: "block section" }, body, block.accessory ? el("div", { class: "accessory" }, element(block.accessory, ctx)) : null);
}

function context(block, ctx) {
  return el(
    "div",
    { class: "block context" },
    (block.elements ?? []).map((item) => (item.type === "image" ? picture(item) : el("span", {}, textObject(item, ctx.view)))),
  );
}

function divider() {
  return el("hr", { class: "block" });
}

function header(block, ctx) {
  return el("h3", { class: "block header" }, textObject(block.text, ctx.view));
}

function actions(block, ctx) {
  return el("div", { class: "block actions" }, (block.elements ?? []).map((item) => element(item, ctx)));
}

function image(block, ctx) {
  return el("figure", { class: "block image" }, block.title ? el("figcaption", {}, textObject(block.title, ctx.view)) : null, picture(block));
}

// picture shows inline data only: this page asks nothing of any other host, so a remote image is its description.
function picture(item) {
  const url = String(item.image_url ?? "");
  const alt = item.alt_text ?? "image";
  if (/^data:image\/(png|gif|jpeg|webp);base64,/.test(url)) return el("img", { src: url, alt });
  return el("span", { class: "picture", role: "img", "aria-label": alt }, alt);
}

function markdown(block) {
  return el("div", { class: "block markdown" }, plain(block.text ?? ""));
}

// table: the first row is the heading. https://docs.slack.dev/reference/block-kit/blocks/table-block/
function table(block, ctx) {
  const [head = [], ...body] = block.rows ?? [];
  const settings = block.column_settings ?? [];
  const cell = (tag) => (content, column) => {
    const align = { center: "center", right: "right" }[settings[column]?.align] ?? (content.type === "raw_number" ? "right" : "left");
    return el(tag, { class: `align-${align}`, scope: tag === "th" ? "col" : null }, cellContent(content, ctx));
  };
  const caption = typeof block.caption === "string" ? block.caption : block.caption?.text;
  return el(
    "div",
    { class: "block table", tabindex: "0", role: "region", "aria-label": caption ?? "Table" },
    el(
      "table",
      {},
      caption ? el("caption", {}, caption) : null,
      el("thead", {}, el("tr", {}, head.map(cell("th")))),
      el("tbody", {}, body.map((row) => el("tr", {}, row.map(cell("td"))))),
    ),
  );
}

function cellContent(content, ctx) {
  if (content.type === "rich_text") return richText(content, ctx);
  if (content.type === "raw_number") return String(content.text ?? content.value ?? content.number ?? "");
  return plain(content.text ?? "");
}

// ---- interactive elements ----

const elements = { button, static_select: menu, overflow: menu, image: picture };

function element(item, ctx) {
  const draw = Object.hasOwn(elements, item.type) ? elements[item.type] : unsupported;
  return draw(item, ctx);
}

// confirmed asks the element's question, if it has one.
async function confirmed(item, view) {
  const question = item.confirm;
  if (!question) return true;
  return ask({
    title: question.title?.text ?? "Are you sure?",
    body: el("p", {}, textObject(question.text, view)),
    yes: question.confirm?.text ?? "Yes",
    no: question.deny?.text ?? "Cancel",
    danger: question.style === "danger" || (!question.style && item.style === "danger"),
  });
}

// use is one press: confirm, deliver, and hold the control still meanwhile.
async function use(control, item, ctx) {
  if (!(await confirmed(item, ctx.view))) return;
  control.disabled = true;
  control.setAttribute("aria-busy", "true");
  try {
    await ctx.press({ block: ctx.blockID, action: item.action_id });
  } finally {
    control.disabled = false;
    control.removeAttribute("aria-busy");
  }
}

function button(item, ctx) {
  const href = item.url && safeURL(item.url);
  const node = href ? anchor(href, textObject(item.text, ctx.view)) : el("button", { type: "button" }, textObject(item.text, ctx.view));
  node.className = { primary: "button primary", danger: "button danger" }[item.style] ?? "button";
  node.dataset.testid = `btn-${item.action_id ?? ""}`;
  if (item.accessibility_label) node.setAttribute("aria-label", item.accessibility_label);
  // Slack tells the app about a press of a link button too.
  node.addEventListener("click", () => use(node, item, ctx));
  return node;
}

// menu draws a select or an overflow with its choices, but cannot deliver one: the local Slack only knows buttons.
function menu(item) {
  const label = item.placeholder?.text ?? item.initial_option?.text?.text ?? "More actions";
  return el(
    "select",
    { class: "select", "aria-label": label, title: "Menus can be looked at here, but not used" },
    el("option", {}, label),
    (item.options ?? []).map((option) => el("option", { disabled: true }, option.text?.text ?? "")),
  );
}

// ---- rich text: https://docs.slack.dev/reference/block-kit/blocks/rich-text-block/ ----

function richText(block, ctx) {
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
