// The page: one state, redrawn whole from each snapshot. Nothing here decides anything; the world does.

import { createMessages, createSidebar } from "./chat.js";
import { createComposer } from "./composer.js";
import { createInstances, createLog } from "./console.js";
import { refreshDates } from "./dates.js";
import { createFaults } from "./faults.js";
import { el, setText } from "./dom.js";
import { createHome } from "./home.js";
import { createKeys } from "./iam.js";
import { icon } from "./icons.js";
import { createMail } from "./mail.js";
import { createModals } from "./modals.js";
import { mrkdwn } from "./mrkdwn.js";
import { createShortcuts } from "./shortcuts.js";
import { createStory } from "./story.js";
import { follow, post } from "./stream.js";
import { createTabs } from "./tabs.js";
import { told } from "./toast.js";
import { createTrail } from "./trail.js";

const $ = (id) => document.getElementById(id);

const state = {
  as: "", // whom we are; the first snapshot says, until somebody chooses
  channel: "",
  home: false, // the app's Home tab is open, and no channel
  snapshot: null,
  lost: false,
  view: null, // what a renderer needs to know about the viewer: {me, zone, now(), people, groups, channels}
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

const ec2 = (body) => told(() => post("ec2", { as: state.as, ...body }));
const pressIn = (view, used) => post("press", { as: state.as, view, ...used });

const renderSidebar = createSidebar($("channels"), $("people"), { channel: openChannel, person: (id) => become(id) });
const renderMessages = createMessages($("messages"), {
  press: (message, { block, action }) => told(() => post("click", { as: state.as, channel: state.channel, message: message.id, block, action })),
  dismiss: (id) => {
    state.dismissed.add(id);
    render();
  },
});
const renderHome = createHome($("home"), (view, used) => told(() => pressIn(view, used)));
const renderModals = createModals({
  submit: (view, values) => post("submit", { as: state.as, view, values }),
  press: pressIn,
  close: (view) => post("close", { as: state.as, view }),
});
const renderShortcuts = createShortcuts($("shortcut-list"), (shortcut) => told(() => post("shortcut", { as: state.as, shortcut })));
const renderInstances = createInstances($("instances"), ec2);
const renderKeys = createKeys($("users"), (body) => told(() => post("iam", body)));
const renderTrail = createTrail($("trail"), $("trail-count"));
const renderMail = createMail($("mails"), $("mail"), $("mail-count"), (mail) => told(() => post("mail/bounce", { mail })));
const renderLog = createLog($("log"));
const renderFaults = createFaults($("fault-list"), $("fault-summary"), (name, on) => told(() => post("fault", { name, on })));
const renderStory = createStory($("steps"), {
  type: (name, text) => {
    openChannel(channelNamed(name));
    composer.write(text);
  },
  open: (name) => openChannel(channelNamed(name)),
  be: (name, channel, then = () => {}) =>
    become(personNamed(name), () => {
      openChannel(channelNamed(channel));
      then();
    }),
  flash,
});
const composer = createComposer($("composer"), {
  send: (text) => told(() => post("command", { as: state.as, channel: state.channel, text })),
  data: () => state.snapshot ?? { commands: [], instances: [] },
});

const openTab = createTabs($("tabs"));
openTab("tab-ec2");
$("nav-home").addEventListener("click", openHome);
$("launch").addEventListener("click", () => ec2({ do: "launch", guarded: true }));
$("keys-sweep").addEventListener("click", () => told(() => post("schedule", { job: "Keys" })));
$("week-passes").addEventListener("click", () => told(() => post("schedule", { job: "Report" })));
document.addEventListener("click", closeMenus);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") closeMenus(event);
});
setInterval(() => state.view && refreshDates(document.body, state.view.now()), 10_000);

let unfollow = () => {};
let arrived = () => {}; // what waits for the first snapshot as somebody else
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
  // Somebody else's direct messages are not ours to look at.
  if (!snapshot.channels.some((channel) => channel.id === state.channel)) state.channel = snapshot.home;
  const people = new Map(snapshot.people.map((person, i) => [person.id, Object.assign(person, { tint: i % 6 })]));
  state.view = {
    me: snapshot.me,
    zone: people.get(snapshot.me).tz,
    now: () => new Date(Date.now() + skew),
    people,
    groups: new Map(snapshot.groups.map((group) => [group.id, group])),
    channels: new Map(snapshot.channels.map((channel) => [channel.id, channel])),
  };
  render();
  const then = arrived;
  arrived = () => {};
  then();
  if (fresh) setText($("announcer"), fresh);
}

function render() {
  if (!state.snapshot) return;
  if (!document.hidden && !state.home) state.seen.set(`${state.as}/${state.channel}`, state.count(state.channel));
  const channel = state.view.channels.get(state.channel);
  const me = state.view.people.get(state.as);
  setText($("workspace"), state.snapshot.workspace);
  const room = `${channel?.direct ? "@" : "#"}${channel?.name ?? ""}`;
  setText($("room-name"), state.home ? state.snapshot.bot.name : room);
  setText($("room-topic"), state.home ? "The app’s Home tab, made for you alone." : channel?.topic ?? "");
  setText($("region"), `${state.snapshot.region}, as ${me.name}`);
  composer.placeholder(`Message ${room} as ${me.realName}`);
  $("home").hidden = !state.home;
  $("messages").hidden = $("composer").hidden = state.home;
  $("nav-home").toggleAttribute("aria-current", state.home);
  renderSidebar(state);
  renderMessages(state);
  renderHome(state);
  renderShortcuts(state);
  renderModals(state);
  renderInstances(state);
  renderKeys(state);
  renderTrail(state);
  renderMail(state);
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
    if (fresh) return `New message in ${channel.name}: ${mrkdwn(fresh.text, state.view).textContent || fresh.files?.map((file) => file.title).join(", ")}`;
  }
  return "";
}

function openChannel(id) {
  if (!id) return;
  state.channel = id;
  state.home = false;
  render();
}

function openHome() {
  state.home = true;
  render();
  return told(() => post("home", { as: state.as }));
}

// channelNamed finds a channel, or with "@" the direct messages with the bot.
function channelNamed(name) {
  return state.snapshot?.channels.find((channel) => (name === "@" ? channel.direct : channel.name === name))?.id;
}

function personNamed(name) {
  return state.snapshot.people.find((person) => person.name === name)?.id;
}

// become looks at everything as somebody else; then is called once it is there.
function become(id, then = () => {}) {
  if (!id || id === state.as) return then();
  state.as = id;
  arrived = () => {
    then();
    if (state.home) openHome(); // the Home tab is each person's own
  };
  connect();
}

// flash points at an instance's row.
function flash(name) {
  const row = document.querySelector(`[data-testid="instance-${CSS.escape(name)}"]`);
  if (!row) return;
  openTab("tab-ec2");
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
