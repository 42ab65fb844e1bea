// Block Kit as DOM nodes. https://docs.slack.dev/reference/block-kit/blocks/
//
// A block that is not drawn here says so in place: a message is never silently shorter than it was sent.

import { ask } from "./dialog.js";
import { el } from "./dom.js";
import { picture as filePicture } from "./files.js";
import { canFill, inputBlock } from "./inputs.js";
import { anchor, plain, safeURL, textObject } from "./mrkdwn.js";
import { richText, unsupported } from "./richtext.js";
import { dataTable, table } from "./tables.js";

// renderBlocks draws the blocks of a message or view. press({block, action}) is called, after any confirmation, with what
// the person used, and returns a promise that settles when Slack has delivered it. draftOf(block), where there are fields
// to fill in, keeps what one holds.
export function renderBlocks(blocks, view, press, draftOf) {
  return blocks.map((block, i) => renderBlock(block, { view, press, draftOf, blockID: block.block_id ?? `block-${i}` }));
}

const renderers = { input, section, context, divider, header, actions, image, table, data_table: dataTable, rich_text: richText, markdown };

function renderBlock(block, ctx) {
  const draw = Object.hasOwn(renderers, block.type) ? renderers[block.type] : unsupported;
  return draw(block, ctx);
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

// picture shows files of this workspace and inline data: this page asks nothing of any other host, so a remote image is its
// description.
function picture(item) {
  const url = String(item.image_url ?? "");
  const alt = item.alt_text ?? "image";
  const file = item.slack_file?.id ?? /^https:\/\/files\.slack\.com\/files-pri\/\w+-(F\w+)\//.exec(item.slack_file?.url)?.[1];
  if (file) return filePicture(file, alt);
  if (/^data:image\/(png|gif|jpeg|webp);base64,/.test(url)) return el("img", { src: url, alt });
  return el("span", { class: "picture", role: "img", "aria-label": alt }, alt);
}

function markdown(block) {
  return el("div", { class: "block markdown" }, plain(block.text ?? ""));
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
