// The modals that the bot opens for the person looking; only the topmost is seen.
// https://docs.slack.dev/surfaces/modals/

import { renderBlocks } from "./blocks.js";
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { canFill, showErrors } from "./inputs.js";
import { plain } from "./mrkdwn.js";

// createModals draws them. act is {submit(view, values), press(view, {block, action}), close(view)}, with views by id; each
// returns a promise that fails with a Refusal.
export function createModals(act) {
  const drafts = new Map(); // view id → what was entered in it, by block and action
  const closing = new Set(); // view ids that the person has closed and the world still has
  let shown = null;

  return function render(state) {
    const { views } = state.snapshot;
    for (const id of [...drafts.keys(), ...closing]) {
      if (views.some((view) => view.id === id)) continue;
      drafts.delete(id);
      closing.delete(id);
    }
    const top = views.findLast((view) => !closing.has(view.id));
    if (shown && shown.id !== top?.id) {
      shown.leave();
      shown = null;
    }
    if (!top) return;
    if (!drafts.has(top.id)) drafts.set(top.id, new Map());
    shown ??= openModal(top.id, drafts.get(top.id), act, () => {
      closing.add(top.id);
      shown = null;
      act.close(top.id).catch(() => closing.delete(top.id)); // then it is still there, and the next snapshot shows it
    });
    shown.update(top, state.view);
  };
}

// openModal opens the dialog of one view. closed() is called when the person closes it.
function openModal(id, drafts, act, closed) {
  let current = null;
  let busy = false;
  let left = false;

  const title = el("h2", { id: "modal-title" });
  const body = el("div", { class: "modal-body content" });
  const problem = el("p", { class: "field-error", role: "alert", hidden: true, data: { testid: "modal-problem" } });
  const close = el("button", { type: "button", class: "button", data: { testid: "modal-close" }, onclick: () => dialog.close() });
  const send = el("button", { type: "submit", class: "button primary", data: { testid: "modal-submit" } });
  const form = el("form", { class: "modal-form", novalidate: true, autocomplete: "off", onsubmit: submit }, body, problem, el("div", { class: "ask-buttons" }, close, send));
  const dialog = el(
    "dialog",
    { class: "ask modal", "aria-labelledby": "modal-title", data: { testid: "modal" } },
    el(
      "header",
      { class: "modal-head" },
      title,
      el("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close")),
    ),
    form,
  );
  dialog.addEventListener("close", () => {
    dialog.remove();
    // Chromium gives the focus back to a field, but no caret: what is typed then would be lost.
    const field = document.activeElement;
    field?.blur();
    field?.focus();
    if (!left) closed();
  });

  const draftOf = (block) => {
    const key = JSON.stringify([block.block_id, block.element?.action_id]);
    return { get: () => drafts.get(key), set: (entered) => drafts.set(key, entered) };
  };

  // complain is about the whole modal; what is wrong with a field stands under it.
  function complain(text) {
    problem.hidden = !text;
    problem.replaceChildren(...(text ? [icon("alert"), el("span", {}, text)] : []));
  }

  async function attempt(action) {
    complain("");
    try {
      await action();
    } catch (refusal) {
      complain(`${refusal.message} (${refusal.code ?? "not_done"})`);
    }
  }

  async function submit(event) {
    event.preventDefault();
    if (busy) return;
    const fields = current.blocks.filter(canFill);
    const values = Object.fromEntries(fields.map((block) => [block.block_id, { [block.element.action_id]: draftOf(block).get() }]));
    setBusy(true);
    await attempt(() => act.submit(id, values));
    setBusy(false);
  }

  function setBusy(on) {
    busy = on;
    send.disabled = on;
    send.setAttribute("aria-busy", String(on));
    form.setAttribute("aria-busy", String(on));
  }

  function focusFirst(what) {
    body.querySelector(what)?.focus();
  }

  // draw replaces the body; what was entered stays, and so does the place in it.
  function draw(view) {
    const place = body.contains(document.activeElement) ? document.activeElement.dataset.testid : null;
    title.replaceChildren(plain(current.title));
    close.replaceChildren(plain(current.close || (current.submit ? "Cancel" : "Close")));
    send.replaceChildren(plain(current.submit));
    send.hidden = !current.submit;
    body.replaceChildren(...renderBlocks(current.blocks, view, (used) => attempt(() => act.press(id, used)), draftOf));
    if (place) focusFirst(`[data-testid="${CSS.escape(place)}"]`);
  }

  return {
    id,
    update(next, view) {
      const print = JSON.stringify([next.title, next.submit, next.close, next.blocks]);
      const errors = next.errors ?? {};
      const news = JSON.stringify(errors) !== JSON.stringify(current?.errors ?? {});
      current = next;
      if (dialog.dataset.print !== print) {
        dialog.dataset.print = print;
        draw(view);
      }
      showErrors(body, errors);
      if (news) {
        complain(errors[""]);
        focusFirst("[aria-invalid]");
      }
      if (dialog.isConnected) return;
      document.body.append(dialog);
      dialog.showModal();
      focusFirst("input, textarea");
    },
    leave() {
      left = true;
      dialog.close();
    },
  };
}
