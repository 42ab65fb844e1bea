// Input blocks, to be filled in. https://docs.slack.dev/reference/block-kit/blocks/input-block/

import { el } from "./dom.js";
import { icon } from "./icons.js";
import { plain, textObject } from "./mrkdwn.js";

const longest = 3000; // characters in a plain_text_input that names no limit

let drawn = 0; // for ids that labels can point at

// canFill says whether an input block's element is one of those below.
export function canFill(block) {
  return Object.hasOwn(controls, block.element?.type);
}

// inputBlock draws one. draft keeps what was entered: get() and set({value}, {selected} or {date}) of this field.
export function inputBlock(block, view, draft) {
  const { element } = block;
  const id = `input-${++drawn}`;
  const field = {
    id,
    block,
    view,
    draft,
    describedBy: block.hint ? `${id}-error ${id}-hint` : `${id}-error`,
    label: [plain(block.label?.text ?? ""), block.optional ? el("span", { class: "optional" }, " (optional)") : null],
  };
  return el(
    "div",
    { class: "block input", data: { block: block.block_id } },
    ...controls[element.type](element, field),
    el("p", { class: "field-error", id: `${id}-error`, role: "alert", hidden: true, data: { testid: `error-${block.block_id}` } }),
    block.hint ? el("p", { class: "hint", id: `${id}-hint` }, plain(block.hint.text ?? "")) : null,
  );
}

// showErrors puts each sentence under its field: block_id → what is wrong.
export function showErrors(root, errors) {
  for (const node of root.querySelectorAll(".block.input")) {
    const wrong = Object.hasOwn(errors, node.dataset.block) ? errors[node.dataset.block] : "";
    const place = node.querySelector(".field-error");
    if (place.dataset.wrong === wrong) continue;
    place.dataset.wrong = wrong;
    place.hidden = !wrong;
    place.replaceChildren(...(wrong ? [icon("alert"), el("span", {}, wrong)] : []));
    for (const control of node.querySelectorAll("input, textarea")) {
      if (wrong) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  }
}

// A control is drawn with its label, as nodes.
const controls = { plain_text_input: textInput, static_select: select, radio_buttons: radios, datepicker: datePicker };

// start is what a field holds at first: what was entered before a redraw, else what the bot proposes.
function start(field, proposed) {
  if (!field.draft.get()) field.draft.set(proposed);
  return field.draft.get();
}

function labelFor(field) {
  return el("label", { for: field.id }, field.label);
}

// textInput: https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element/
function textInput(element, field) {
  const most = element.max_length ?? longest;
  const { value } = start(field, { value: element.initial_value ?? "" });
  const box = el(element.multiline ? "textarea" : "input", {
    id: field.id,
    class: "text-input",
    rows: element.multiline ? 3 : null,
    maxlength: most,
    placeholder: element.placeholder?.text,
    autocomplete: "off",
    "aria-describedby": field.describedBy,
    "aria-required": String(!field.block.optional),
    data: { testid: `field-${field.block.block_id}` },
  });
  box.value = value;
  const left = el("span", { class: "left", "aria-hidden": "true" });
  const count = () => {
    left.textContent = element.max_length ? String(most - box.value.length) : "";
  };
  box.addEventListener("input", () => {
    field.draft.set({ value: box.value });
    count();
  });
  count();
  return [el("div", { class: "label-line" }, labelFor(field), left), box];
}

// datePicker: https://docs.slack.dev/reference/block-kit/block-elements/date-picker-element/
function datePicker(element, field) {
  const { date } = start(field, { date: element.initial_date ?? "" });
  const box = el("input", {
    id: field.id,
    class: "text-input date-input",
    type: "date",
    max: "9999-12-31", // or it takes years of six digits
    title: element.placeholder?.text,
    "aria-describedby": field.describedBy,
    "aria-required": String(!field.block.optional),
    data: { testid: `field-${field.block.block_id}` },
  });
  box.value = date;
  box.addEventListener("input", () => field.draft.set({ date: box.value }));
  return [labelFor(field), box];
}

// radios: https://docs.slack.dev/reference/block-kit/block-elements/radio-button-group-element/
function radios(element, field) {
  const { selected } = start(field, { selected: element.initial_option?.value ?? "" });
  const choice = (option) => {
    const radio = el("input", {
      type: "radio",
      name: field.id,
      checked: option.value === selected,
      data: { testid: `option-${option.value}` },
      onchange: () => field.draft.set({ selected: option.value }),
    });
    const about = option.description ? el("span", { class: "choice-about" }, textObject(option.description, field.view)) : null;
    return el("label", { class: "radio" }, radio, el("span", {}, textObject(option.text, field.view), about));
  };
  return [
    el(
      "fieldset",
      { class: "radios", "aria-describedby": field.describedBy, data: { testid: `field-${field.block.block_id}` } },
      el("legend", {}, field.label),
      (element.options ?? []).map(choice),
    ),
  ];
}

// select can be searched by typing. https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element/
function select(element, field) {
  const groups = element.option_groups ?? [{ options: element.options ?? [] }];
  const choices = groups.flatMap((group) =>
    group.options.map((option) => ({ text: option.text.text, about: option.description?.text, value: option.value, group: group.label?.text })),
  );
  const { selected } = start(field, { selected: element.initial_option?.value ?? "" });
  let picked = choices.find((choice) => choice.value === selected);
  let found = []; // the choices in the open list
  let at = -1; // which of them Enter takes

  const box = el("input", {
    id: field.id,
    class: "text-input",
    role: "combobox",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: element.placeholder?.text ?? "Select an option",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": `${field.id}-list`,
    "aria-describedby": field.describedBy,
    "aria-required": String(!field.block.optional),
    data: { testid: `field-${field.block.block_id}` },
  });
  const list = el("ul", { class: "choices", id: `${field.id}-list`, role: "listbox", "aria-label": field.block.label?.text ?? "", hidden: true });

  function open(query) {
    found = choices.filter((choice) => choice.text.toLowerCase().includes(query.toLowerCase()));
    at = query ? 0 : found.indexOf(picked);
    list.hidden = false;
    draw();
  }

  function draw() {
    list.replaceChildren(
      ...found.flatMap((choice, i) => [
        choice.group && choice.group !== found[i - 1]?.group ? el("li", { class: "choice-group", role: "presentation" }, choice.group) : null,
        el(
          "li",
          {
            id: `${field.id}-${i}`,
            class: "choice",
            role: "option",
            "aria-selected": String(i === at),
            data: { testid: `option-${choice.value}` },
            // Not click: the field would lose the caret first.
            onpointerdown: (event) => {
              event.preventDefault();
              take(choice);
            },
          },
          el("span", {}, plain(choice.text), choice.about ? el("span", { class: "choice-about" }, plain(choice.about)) : null),
          choice === picked ? icon("check") : null,
        ),
      ]).filter(Boolean),
      ...(found.length === 0 ? [el("li", { class: "choice-group", role: "presentation" }, "Nothing matches.")] : []),
    );
    box.setAttribute("aria-expanded", String(!list.hidden));
    if (!list.hidden && at >= 0 && at < found.length) box.setAttribute("aria-activedescendant", `${field.id}-${at}`);
    else box.removeAttribute("aria-activedescendant");
    if (!list.hidden) (list.querySelector('[aria-selected="true"]') ?? list).scrollIntoView({ block: "nearest" });
  }

  function pick(choice) {
    picked = choice;
    field.draft.set({ selected: choice?.value ?? "" });
  }

  function take(choice) {
    pick(choice);
    shut();
  }

  // shut leaves the field saying what is picked, whatever was typed.
  function shut() {
    box.value = picked?.text ?? "";
    list.hidden = true;
    draw();
  }

  box.value = picked?.text ?? "";
  box.addEventListener("click", () => {
    box.select();
    if (list.hidden) open("");
  });
  box.addEventListener("input", () => {
    if (box.value === "") pick(undefined);
    open(box.value);
  });
  box.addEventListener("blur", shut);
  // Not every keyboard lets a stopped keydown stop the keypress, which is what would submit.
  let picking = false;
  box.addEventListener("keypress", (event) => {
    if (picking && event.key === "Enter") event.preventDefault();
  });
  box.addEventListener("keydown", (event) => {
    picking = !list.hidden && event.key === "Enter";
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (list.hidden) return open("");
      if (found.length > 0) at = (Math.max(at, step > 0 ? -1 : 0) + step + found.length) % found.length;
      draw();
    } else if (picking) {
      event.preventDefault(); // Enter picks, and does not submit
      if (found[at]) take(found[at]);
    } else if (!list.hidden && event.key === "Escape") {
      event.preventDefault(); // shuts the list, and not the modal
      event.stopPropagation();
      shut();
    }
  });
  return [labelFor(field), el("div", { class: "select-field" }, box, icon("chevron"), list)];
}
