// "Try this": the story in a few steps, which tick themselves off as the world shows that they happened.

import { el, reconcile } from "./dom.js";
import { icon } from "./icons.js";

const hero = "web-1"; // the instance that anybody may have a pass for
const prize = "gpu-1"; // the one that needs a second pair of eyes
const alerts = "checkpoint-alerts";
const approvals = "approvals";
const reports = "security-reports";

// admitted says whether an instance was started with a pass, which was spent.
function admitted({ log, passTag }, name) {
  const tagged = log.findIndex((entry) => entry.kind === "tag" && entry.name === name && entry.detail === `tag ${passTag} set`);
  if (tagged < 0) return false;
  const after = log.slice(tagged).filter((entry) => entry.name === name);
  const ran = after.findIndex((entry) => entry.kind === "state" && entry.to === "running");
  const spent = after.some((entry) => entry.kind === "tag" && entry.detail === `tag ${passTag} removed`);
  return ran >= 0 && spent && !after.slice(0, ran).some((entry) => entry.to === "stopping");
}

// cards are what the bot asks approvers with. An open one has buttons; a decided one has none.
function cards({ all }) {
  return all.filter((message) => message.channelName === approvals && !message.typed && message.blocks?.length);
}

// Each step: what to do, a button that helps, and done(world), which reads snapshots and nothing else.
const steps = [
  {
    id: "ask",
    title: "Ask for a pass",
    body: () => ["In #ops, run ", el("code", {}, `/ec2-pass ${hero}`), ". Only you see the answer."],
    help: { label: "Type it for me", run: (page) => page.type("ops", `/ec2-pass ${hero}`) },
    done: ({ all }) => all.some((message) => message.ephemeral && message.channelName === "ops" && message.text?.includes("pass")),
  },
  {
    id: "show",
    title: "Show it",
    body: (world) => ["Paste it as ", el("code", {}, world.passTag), ` on ${hero} and press Start. It runs, and the tag goes: spent.`],
    help: { label: `Show me ${hero}`, run: (page) => page.flash(hero) },
    done: (world) => admitted(world, hero),
  },
  {
    id: "sneak",
    title: "Try without",
    body: () => [`Stop ${hero}, then Start it again with no pass. Watch its state.`],
    help: { label: `Show me ${hero}`, run: (page) => page.flash(hero) },
    done: ({ log }) => log.some((entry) => entry.kind === "call" && entry.detail === "StopInstances" && !entry.code),
  },
  {
    id: "read",
    title: "Read the alert",
    body: () => ["A channel was told what happened, and what was done about it."],
    help: { label: `Open #${alerts}`, run: (page) => page.open(alerts) },
    done: ({ open, all, ticked }) => ticked.has("sneak") && open === alerts && all.some((message) => message.channelName === alerts && !message.typed),
  },
  {
    id: "request",
    title: "Ask for more",
    body: () => [`${prize} needs somebody’s approval: as Hana, say what it is for.`],
    help: { label: "Type it for me", run: (page) => page.be("hana", "ops", () => page.type("ops", `/ec2-pass ${prize} for the nightly training`)) },
    done: (world) => cards(world).length > 0,
  },
  {
    id: "approve",
    title: "Approve it",
    body: () => ["Nobody approves their own request: be Ben, and press Approve."],
    help: { label: `Be Ben, in #${approvals}`, run: (page) => page.be("ben", approvals) },
    done: (world) => cards(world).some((card) => !card.blocks.some((block) => block.type === "actions")),
  },
  {
    id: "collect",
    title: "Collect it",
    body: (world) => ["As Hana again, press Show my pass; paste it as ", el("code", {}, world.passTag), ` on ${prize} and press Start.`],
    help: { label: "Be Hana, where the bot writes to her", run: (page) => page.be("hana", "@") },
    done: (world) => admitted(world, prize),
  },
  {
    id: "report",
    title: "A week passes",
    body: () => ["Under Mail, press A week passes: the report arrives by itself, here and by mail."],
    help: { label: `Open #${reports}`, run: (page) => page.open(reports) },
    done: ({ all }) => all.some((message) => message.channelName === reports && !message.typed),
  },
];

// createStory draws the steps into list. page is {type(channel, text), flash(instance), open(channel), be(person, channel, then)}.
export function createStory(list, page) {
  let world = null;
  let ticked = new Set();

  // Ticks last as long as this world: a reload keeps them, a new run starts over.
  function remember(id) {
    if (world !== id) {
      world = id;
      const [kept, names] = (sessionStorage.getItem("story") ?? "").split("|");
      ticked = new Set(kept === id && names ? names.split(",") : []);
    }
    sessionStorage.setItem("story", `${id}|${[...ticked].join(",")}`);
  }

  return function render(state) {
    const { snapshot } = state;
    remember(snapshot.world);
    const all = snapshot.channels.flatMap((channel) => (snapshot.messages[channel.id] ?? []).map((message) => ({ ...message, channelName: channel.name })));
    const open = state.view.channels.get(state.channel)?.name;
    for (const step of steps) {
      if (!ticked.has(step.id) && step.done({ ...snapshot, all, open, ticked })) ticked.add(step.id);
    }
    remember(snapshot.world);

    const next = steps.find((step) => !ticked.has(step.id));
    reconcile(list, steps, {
      key: (step) => step.id,
      create: (step) =>
        el(
          "li",
          { class: "step", data: { testid: `step-${step.id}` } },
          el("span", { class: "step-mark", "aria-hidden": "true" }),
          el(
            "div",
            { class: "step-words" },
            el("h3", {}, step.title, el("span", { class: "unseen step-state" })),
            el("p", {}, step.body(snapshot)),
            el("button", { type: "button", class: "link", onclick: () => step.help.run(page) }, step.help.label),
          ),
        ),
      update: (node, step) => {
        const done = ticked.has(step.id);
        const mark = done ? "done" : step === next ? "next" : "later";
        if (node.dataset.progress === mark) return;
        node.dataset.progress = mark;
        node.querySelector(".step-mark").replaceChildren(done ? icon("check") : String(steps.indexOf(step) + 1));
        node.querySelector(".step-state").textContent = done ? " (done)" : "";
      },
    });
    return { done: steps.filter((step) => ticked.has(step.id)).length, of: steps.length };
  };
}
