// The line to type on, with what can be typed shown above it as soon as it starts with "/".

import { el } from "./dom.js";

// createComposer wires the form. send(text) posts a line and says whether it went; data() is {commands, instances}.
export function createComposer(form, { send, data }) {
  const field = form.querySelector("textarea");
  const popover = form.querySelector(".hints");
  let options = []; // [{insert, …}]: what Tab or a press would write
  let chosen = -1;

  function suggest() {
    const text = field.value;
    options = text.startsWith("/") ? completions(text, data()) : [];
    chosen = -1;
    draw();
  }

  function draw() {
    popover.hidden = options.length === 0;
    field.setAttribute("aria-expanded", String(!popover.hidden));
    popover.replaceChildren(
      ...options.map((option, i) =>
        el(
          "li",
          {
            id: `hint-${i}`,
            role: "option",
            "aria-selected": String(i === chosen),
            data: { testid: "hint" },
            // Not click: the field must not lose the caret first.
            onpointerdown: (event) => {
              event.preventDefault();
              take(i);
            },
          },
          el("span", { class: "hint-line" }, el("strong", {}, option.title), option.usage ? el("span", { class: "hint-usage" }, ` ${option.usage}`) : null),
          option.help ? el("span", { class: "hint-help" }, option.help) : null,
        ),
      ),
    );
    if (chosen >= 0) field.setAttribute("aria-activedescendant", `hint-${chosen}`);
    else field.removeAttribute("aria-activedescendant");
  }

  function take(i) {
    field.value = options[i].insert;
    field.focus();
    suggest();
  }

  function move(step) {
    chosen = (chosen + step + options.length) % options.length;
    draw();
  }

  async function submit() {
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    suggest();
    if (!(await send(text)) && field.value === "") field.value = text;
  }

  field.addEventListener("input", suggest);
  field.addEventListener("blur", () => {
    popover.hidden = true;
  });
  field.addEventListener("focus", suggest);
  // A soft keyboard may send the line break without a key that could be stopped.
  let shift = false;
  field.addEventListener("beforeinput", (event) => {
    if (event.inputType === "insertLineBreak" && !shift) event.preventDefault();
  });
  field.addEventListener("keydown", (event) => {
    shift = event.shiftKey;
    if (event.isComposing) return;
    const open = !popover.hidden;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (open && chosen >= 0) take(chosen);
      else submit();
    } else if (open && event.key === "Tab" && !event.shiftKey && options[Math.max(chosen, 0)].insert !== field.value) {
      event.preventDefault();
      take(Math.max(chosen, 0));
    } else if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      if (chosen < 0 && event.key === "ArrowUp") chosen = 0;
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (open && event.key === "Escape") {
      popover.hidden = true;
    }
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });

  return {
    // write puts text on the line, ready to be sent.
    write(text) {
      field.value = text;
      field.focus();
      suggest();
    },
    placeholder(text) {
      field.placeholder = text;
      field.setAttribute("aria-label", text);
    },
  };
}

// completions are the commands that begin as text does; after a command's name, the instances that it could mean.
function completions(text, { commands, instances }) {
  const [name, first, ...rest] = text.split(" ");
  const matching = commands.filter((command) => command.name.startsWith(name));
  if (first === undefined) {
    return matching.map((command) => ({ insert: `${command.name} `, title: command.name, usage: command.usage, help: command.help }));
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (!command) return [];
  const usage = { insert: text, title: command.name, usage: command.usage, help: command.help };
  if (rest.length > 0 || !command.usage.includes("i-…")) return [usage];
  const names = instances.filter((instance) => instance.guarded && instance.name.startsWith(first) && instance.name !== first);
  return names.length > 0
    ? names.map((instance) => ({ insert: `${name} ${instance.name} `, title: instance.name, usage: `${instance.type}, ${instance.state}` }))
    : [usage];
}
