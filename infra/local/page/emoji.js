// The emoji that a checkpoint's messages use, by Slack's names. Those that matter are drawn (see icons.js);
// the rest are left to the system's font. A name that is not here stays as it was typed, colons and all.

import { el } from "./dom.js";
import { icon } from "./icons.js";

// name → [shape in icons.js, tone]; a tone is a colour of style.css.
const drawn = {
  lock: ["lock", "quiet"], closed_lock_with_key: ["lock", "quiet"], unlock: ["unlock", "ok"], key: ["key", "warn"], old_key: ["key", "warn"],
  ticket: ["ticket", "quiet"], admission_tickets: ["ticket", "quiet"],
  white_check_mark: ["ok", "ok"], heavy_check_mark: ["check", "ok"], ballot_box_with_check: ["ok", "ok"],
  x: ["no", "bad"], negative_squared_cross_mark: ["no", "bad"], no_entry: ["no_entry", "bad"], no_entry_sign: ["no_entry", "bad"],
  octagonal_sign: ["no_entry", "bad"], rotating_light: ["alert", "bad"], warning: ["alert", "warn"], hourglass: ["hourglass", "quiet"],
  hourglass_flowing_sand: ["hourglass", "quiet"], information_source: ["info", "quiet"], bell: ["bell", "warn"], shield: ["shield", "quiet"],
  eyes: ["eye", "quiet"], passport_control: ["gate", "quiet"], shinto_shrine: ["gate", "bad"], zap: ["bolt", "warn"], label: ["tag", "quiet"],
  wastebasket: ["trash", "quiet"], large_green_circle: ["running", "ok"], white_square_button: ["stopped", "quiet"],
};

const written = {
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", wave: "👋", raised_hand: "✋", tada: "🎉", rocket: "🚀", bulb: "💡", memo: "📝", mag: "🔍",
  robot_face: "🤖", question: "❓", exclamation: "❗", stopwatch: "⏱", clipboard: "📋", computer: "💻", package: "📦", fire: "🔥", point_right: "👉",
  arrow_right: "➡", repeat: "🔁", red_circle: "🔴", large_yellow_circle: "🟡", large_blue_circle: "🔵", white_circle: "⚪",
  bust_in_silhouette: "👤", busts_in_silhouette: "👥", mailbox: "📫", chart_with_upwards_trend: "📈", page_facing_up: "📄", snowflake: "❄",
};

// emoji is a node for a name without its colons, or null when it is not one we know.
export function emoji(name) {
  if (Object.hasOwn(drawn, name)) {
    const [shape, tone] = drawn[name];
    return el("span", { class: `emoji tone-${tone}`, role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, icon(shape));
  }
  if (Object.hasOwn(written, name)) return el("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " ") }, written[name]);
  return null;
}
