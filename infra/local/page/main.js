// The page: one state, redrawn whole from each snapshot. Nothing here decides anything; the world does.

import { createMessages, createSidebar } from "./chat.js";
import { createComposer } from "./composer.js";
import { createInstances, createLog } from "./console.js";
import { refreshDates } from "./dates.js";
import { createFaults } from "./faults.js";
import { el, setText } from "./dom.js";
import { icon } from "./icons.js";
import { mrkdwn } from "./mrkdwn.js";
import { createStory } from "./story.js";
import { follow, post } from "./stream.js";
import { told } from "./toast.js";

const $ = (id) => document.getElementById(id);

const state = {
  as: "", // whom we are; the first snapshot says, until somebody chooses
  channel: "",
  snapshot: null,
  lost: false,
  view: null, // what a renderer needs to know about the viewer: {me, zone, now(), people, channels}
  seen: new Map(), // "person/channel" → how many messages had been looked at
  dismissed: new Set(),

  messages(channel = this.channel) {
    return (this.snapshot.messages[channel] ?? []).filter((message) => !this.dismissed.has(message.id));
  },
  unread(channel) {
    return Math.max(0, this.count(channel) - (this.seen.get(`${this.as}/${channel}`) ?? 0));
  },
  count(channel) {
    return (this.snapshot.messages[channel] ?? []).filter((message) => !message.typed).length;
  },
};

const ec2 = (body) => told(() => post("ec2", body));

const renderSidebar = createSidebar($("channels"), $("people"), { channel: openChannel, person: become });
const renderMessages = createMessages($("messages"), {
  press: (message, { block, action }) => told(() => post("click", { as: state.as, channel: state.channel, message: message.id, block, action })),
  dismiss: (id) => {
    state.dismissed.add(id);
    render();
  },
});
const renderInstances = createInstances($("instances"), ec2);
const renderLog = createLog($("log"));
const renderFaults = createFaults($("fault-list"), $("fault-summary"), (name, on) => told(() => post("fault", { name, on })));
const renderStory = createStory($("steps"), {
  type: (name, text) => {
    openChannel(channelNamed(name));
    composer.write(text);
  },
  open: (name) => openChannel(channelNamed(name)),
  flash,
});
const composer = createComposer($("composer"), {
  send: (text) => told(() => post("command", { as: state.as, channel: state.channel, text })),
  data: () => state.snapshot ?? { commands: [], instances: [] },
});

$("launch").addEventListener("click", () => ec2({ do: "launch", guarded: true }));
document.addEventListener("click", closeMenus);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus(event);
});
setInterval(() => state.view && refreshDates(document.body, state.view.now()), 10_000);

let unfollow = () => {};
connect();

function connect() {
  unfollow();
  unfollow = follow(state.as, {
    onSnapshot: (snapshot) => {
      state.lost = false;
      take(snapshot);
    },
    onLost: () => {
      state.lost = true;
      renderStatus();
    },
  });
}

// take makes a snapshot the page's truth.
function take(snapshot) {
  const skew = Date.parse(snapshot.now) - Date.now();
  const fresh = announce(snapshot);
  state.snapshot = snapshot;
  state.as = snapshot.me;
  state.channel ||= snapshot.home;
  const people = new Map(snapshot.people.map((person, i) => [person.id, Object.assign(person, { tint: i % 6 })]));
  state.view = {
    me: snapshot.me,
    zone: people.get(snapshot.me).tz,
    now: () => new Date(Date.now() + skew),
    people,
    channels: new Map(snapshot.channels.map((channel) => [channel.id, channel])),
  };
  render();
  if (fresh) setText($("announcer"), fresh);
}

function render() {
  if (!state.snapshot) return;
  if (!document.hidden) state.seen.set(`${state.as}/${state.channel}`, state.count(state.channel));
  const channel = state.view.channels.get(state.channel);
  const me = state.view.people.get(state.as);
  setText($("workspace"), state.snapshot.workspace);
  setText($("room-name"), `${channel?.direct ? "@" : "#"}${channel?.name ?? ""}`);
  setText($("room-topic"), channel?.topic ?? "");
  setText($("region"), state.snapshot.region);
  composer.placeholder(`Message #${channel?.name ?? ""} as ${me.realName}`);
  renderSidebar(state);
  renderMessages(state);
  renderInstances(state);
  renderLog(state);
  renderFaults(state);
  const progress = renderStory(state);
  setText($("progress"), `${progress.done} of ${progress.of}`);
  renderStatus();
  document.title = state.snapshot.channels.some((room) => state.unread(room.id) > 0) ? "• Sekisho" : "Sekisho";
  document.body.dataset.ready = state.as; // browser tests wait for this
}

function renderStatus() {
  const [tone, words] = state.lost
    ? ["bad", "The local world has gone"]
    : state.snapshot?.botConnected
      ? ["ok", "Sekisho is on duty"]
      : ["warn", "Sekisho is not connected"];
  const status = $("status");
  if (status.dataset.words === words) return;
  status.dataset.words = words;
  status.className = `status tone-${tone}`;
  status.replaceChildren(icon(tone === "ok" ? "ok" : "alert"), el("span", {}, words));
}

// announce is the sentence for screen readers about a message that has just come, or nothing.
function announce(snapshot) {
  if (state.snapshot?.me !== snapshot.me) return "";
  for (const channel of snapshot.channels) {
    const before = new Set((state.snapshot.messages[channel.id] ?? []).map((message) => message.id));
    const fresh = (snapshot.messages[channel.id] ?? []).findLast((message) => !before.has(message.id) && !message.typed);
    if (fresh) return `New message in ${channel.name}: ${mrkdwn(fresh.text, state.view).textContent}`;
  }
  return "";
}

function openChannel(id) {
  if (!id) return;
  state.channel = id;
  render();
}

function channelNamed(name) {
  return state.snapshot?.channels.find((channel) => channel.name === name)?.id;
}

function become(id) {
  if (id === state.as) return;
  state.as = id;
  connect();
}

// flash points at an instance's row.
function flash(name) {
  const row = document.querySelector(`[data-testid="instance-${CSS.escape(name)}"]`);
  if (!row) return;
  row.scrollIntoView({ block: "nearest" });
  row.classList.remove("flash");
  void row.offsetWidth; // restarts the animation
  row.classList.add("flash");
  row.querySelector(".tag-value").focus({ preventScroll: true });
}

function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.menu-root[open]")) {
    if (event.type === "keydown" || !menu.contains(event.target)) menu.open = false;
  }
}
