// Slack's date tokens, written out in the time zone of the person who looks.
// https://docs.slack.dev/messaging/formatting-message-text/#date-formatting

import { el } from "./dom.js";

const locale = "en-US";

// parts of a moment in a zone, as words and numbers: {year, month, day, …}.
function parts(date, zone, options) {
  const format = new Intl.DateTimeFormat(locale, { timeZone: zone, ...options });
  return Object.fromEntries(format.formatToParts(date).map(({ type, value }) => [type, value]));
}

function ordinal(day) {
  const n = Number(day);
  const suffix = n % 100 >= 11 && n % 100 <= 13 ? "th" : { 1: "st", 2: "nd", 3: "rd" }[n % 10] ?? "th";
  return `${n}${suffix}`;
}

function dayNumber(date, zone) {
  const { year, month, day } = parts(date, zone, { year: "numeric", month: "numeric", day: "numeric" });
  return Date.UTC(Number(year), Number(month) - 1, Number(day)) / 86400000;
}

// pretty is "yesterday", "today" or "tomorrow" as the calendar of that zone has it, or nothing.
function pretty(date, zone, now) {
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[dayNumber(date, zone) - dayNumber(now, zone)];
}

function dateNum(date, zone) {
  const { year, month, day } = parts(date, zone, { year: "numeric", month: "2-digit", day: "2-digit" });
  return `${year}-${month}-${day}`;
}

function dateWords(date, zone) {
  const { month, day, year } = parts(date, zone, { year: "numeric", month: "long", day: "numeric" });
  return `${month} ${ordinal(day)}, ${year}`;
}

function dateShort(date, zone) {
  const { month, day, year } = parts(date, zone, { year: "numeric", month: "short", day: "numeric" });
  return `${month} ${day}, ${year}`;
}

function dateLong(date, zone) {
  return `${parts(date, zone, { weekday: "long" }).weekday}, ${dateWords(date, zone)}`;
}

// time is "6:39 PM"; with options.second, "6:39:42 PM".
export function time(date, zone, options = {}) {
  const { hour, minute, second, dayPeriod } = parts(date, zone, { hour: "numeric", minute: "2-digit", hour12: true, ...options });
  return `${hour}:${minute}${second ? `:${second}` : ""} ${dayPeriod}`;
}

// clock is "18:39:42", for logs.
export function clock(date, zone) {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(date);
}

function ago(date, now) {
  const seconds = Math.round((date - now) / 1000);
  const size = Math.abs(seconds);
  const [unit, length] = [["day", 86400], ["hour", 3600], ["minute", 60]].find(([, length]) => size >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(locale, { numeric: "always" }).format(Math.trunc(seconds / length), unit);
}

const tokens = {
  date_num: dateNum,
  date: dateWords,
  date_short: dateShort,
  date_long: dateLong,
  date_pretty: (date, zone, now) => pretty(date, zone, now) ?? dateWords(date, zone),
  date_short_pretty: (date, zone, now) => pretty(date, zone, now) ?? dateShort(date, zone),
  date_long_pretty: (date, zone, now) => pretty(date, zone, now) ?? dateLong(date, zone),
  time: (date, zone) => time(date, zone),
  time_secs: (date, zone) => time(date, zone, { second: "2-digit" }),
  ago: (date, _zone, now) => ago(date, now),
};

// slackDate fills in a format such as "{date_short_pretty} at {time}". An unknown token is left as it stands.
export function slackDate(seconds, format, zone, now) {
  const date = new Date(seconds * 1000);
  return format.replace(/\{(\w+)\}/g, (whole, token) => (Object.hasOwn(tokens, token) ? tokens[token](date, zone, now) : whole));
}

// dateNode is a <time> that keeps itself right: "today" becomes "yesterday", "{ago}" grows (see refreshDates).
export function dateNode(seconds, format, view) {
  const iso = new Date(seconds * 1000).toISOString();
  const node = el("time", { datetime: iso, title: fullDate(seconds, view.zone), data: { seconds, format, zone: view.zone } });
  node.textContent = slackDate(seconds, format, view.zone, view.now());
  return node;
}

// fullDate is what the tooltip says, the zone by name included.
export function fullDate(seconds, zone) {
  const date = new Date(seconds * 1000);
  return `${dateLong(date, zone)} at ${time(date, zone, { second: "2-digit" })} (${zone})`;
}

// refreshDates rewrites every date on the page as of now.
export function refreshDates(root, now) {
  for (const node of root.querySelectorAll("time[data-format]")) {
    const text = slackDate(Number(node.dataset.seconds), node.dataset.format, node.dataset.zone, now);
    if (node.textContent !== text) node.textContent = text;
  }
}
