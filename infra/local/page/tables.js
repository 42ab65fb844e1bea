// Tables as DOM nodes. In both kinds the first row is the heading.

import { el, setText } from "./dom.js";
import { icon } from "./icons.js";
import { plain } from "./mrkdwn.js";
import { richText } from "./richtext.js";

// table: https://docs.slack.dev/reference/block-kit/blocks/table-block
export function table(block, ctx) {
  const [head = [], ...rows] = block.rows ?? [];
  const settings = block.column_settings ?? [];
  const cell = (tag) => (content, column) => {
    const { align = content.type === "raw_number" ? "right" : "left", is_wrapped: wrapped } = settings[column] ?? {};
    return el(tag, { class: `${alignment(align)}${wrapped ? " wrapped" : ""}`, scope: tag === "th" ? "col" : null }, cellContent(content, ctx));
  };
  return scroller(
    "Table",
    el("thead", {}, el("tr", {}, head.map(cell("th")))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map(cell("td"))))),
  );
}

const defaultPageSize = 5;
const longWords = 28; // characters; more may take several lines

// dataTable is sorted by a press on a heading and shows a page at a time.
// https://docs.slack.dev/reference/block-kit/blocks/data-table-block
export function dataTable(block, ctx) {
  const [head = [], ...rows] = block.rows ?? [];
  const pageSize = block.page_size ?? defaultPageSize;
  const numeric = head.map((_, column) => rows.every((row) => row[column]?.type === "raw_number"));
  let sorted = { column: -1, down: false }; // at first as it was sent
  let first = 0; // of the rows that are shown

  const body = el("tbody");
  const headings = head.map((content, column) =>
    el(
      "th",
      { scope: "col", class: alignment(numeric[column] ? "right" : "left") },
      el("button", { type: "button", class: "sort", data: { testid: `sort-${column}` }, onclick: () => sortBy(column) }, cellContent(content, ctx), icon("sort")),
    ),
  );
  const turn = (label, testid, step) => el("button", { type: "button", class: "button small", data: { testid }, onclick: () => move(step) }, label);
  const back = turn("Previous", "table-previous", -pageSize);
  const on = turn("Next", "table-next", pageSize);
  const range = el("span", { role: "status", data: { testid: "table-range" } });

  function sortBy(column) {
    sorted = { column, down: sorted.column === column && !sorted.down };
    first = 0;
    draw();
  }

  function move(step) {
    first += step;
    draw();
  }

  function draw() {
    const { column, down } = sorted;
    const compare = (a, b) => (numeric[column] ? a[column].value - b[column].value : words(a[column], ctx).localeCompare(words(b[column], ctx)));
    const order = column < 0 ? rows : rows.toSorted((a, b) => (down ? compare(b, a) : compare(a, b)));
    headings.forEach((heading, i) => heading.setAttribute("aria-sort", i !== column ? "none" : down ? "descending" : "ascending"));
    body.replaceChildren(...order.slice(first, first + pageSize).map(rowNode));
    const last = Math.min(first + pageSize, rows.length);
    setText(range, `${first + 1}–${last} of ${rows.length}`);
    back.disabled = first === 0;
    on.disabled = last === rows.length;
  }

  function rowNode(row) {
    return el(
      "tr",
      {},
      row.map((content, column) => {
        const names = column === (block.row_header_column_index ?? 0);
        const wrapped = words(content, ctx).length > longWords ? " wrapped" : "";
        return el(names ? "th" : "td", { scope: names ? "row" : null, class: alignment(numeric[column] ? "right" : "left") + wrapped }, cellContent(content, ctx));
      }),
    );
  }

  draw();
  return el(
    "div",
    { class: "block data-table", data: { testid: "data-table" } },
    scroller(block.caption ?? "Table", el("caption", {}, block.caption ?? ""), el("thead", {}, el("tr", {}, headings)), body),
    rows.length > pageSize ? el("div", { class: "pager" }, back, range, on) : null,
  );
}

// scroller holds a table that may be wider than there is room.
function scroller(label, ...parts) {
  return el("div", { class: "block table", tabindex: "0", role: "region", "aria-label": label }, el("table", {}, parts));
}

function alignment(align) {
  return `align-${{ center: "center", right: "right" }[align] ?? "left"}`;
}

function cellContent(content, ctx) {
  return content.type === "rich_text" ? richText(content, ctx) : plain(words(content, ctx));
}

// words is what a cell says.
function words(content, ctx) {
  if (content.type === "rich_text") return richText(content, ctx).textContent;
  return String(content.text ?? content.value ?? "");
}
