// Line icons drawn by hand on a 16×16 grid. They carry no meaning alone: a word always stands beside
// them, or an aria-label on the button around them.

import { svg } from "./dom.js";

const stroke = { fill: "none", stroke: "currentColor", "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round" };
const path = (d, props = {}) => ["path", { ...stroke, d, ...props }];
const disc = (r, props = {}) => ["circle", { ...stroke, cx: 8, cy: 8, r, ...props }];
const solid = { fill: "currentColor", stroke: "none" };

const shapes = {
  // EC2 states: each has its own outline, so that colour is never the only difference.
  stopped: [["rect", { ...stroke, x: 3.5, y: 3.5, width: 9, height: 9, rx: 1.5 }]],
  running: [disc(6.2, { ...solid, opacity: 0.18 }), path("M6.2 4.9v6.2l5-3.1z", solid)],
  pending: [disc(5.6, { "stroke-dasharray": "9 4" })],
  stopping: [["rect", { ...stroke, x: 3.5, y: 3.5, width: 9, height: 9, rx: 1.5, "stroke-dasharray": "4 2.6" }], ["rect", { ...solid, x: 6, y: 6, width: 4, height: 4 }]],
  "shutting-down": [path("M4 4l8 8M12 4l-8 8", { "stroke-dasharray": "3 2.4" })],
  terminated: [path("M4 4l8 8M12 4l-8 8")],

  // An access key's: full and empty.
  active: [disc(6.2, { ...solid, opacity: 0.18 }), disc(3, solid)],
  inactive: [disc(5.6), path("M4.2 11.8l7.6-7.6")],

  gate: [path("M1.5 4.2c4.3 1 8.7 1 13 0M3.2 7.3h9.6M4.6 4.8V14M11.4 4.8V14M8 4.9v2.3")],
  shield: [path("M8 1.8l5 1.8v3.9c0 3-2 5.3-5 6.7-3-1.4-5-3.7-5-6.7V3.6z")],
  eye: [path("M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8z"), disc(1.9)],
  copy: [["rect", { ...stroke, x: 5.5, y: 5.5, width: 8, height: 8, rx: 1.5 }], path("M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5")],
  check: [path("M3 8.6l3.2 3.2L13 4.8", { "stroke-width": 2 })],
  close: [path("M4 4l8 8M12 4l-8 8")],
  chevron: [path("M4 6l4 4 4-4")],
  send: [path("M2.2 8L13.8 2.6 10.6 13.6 7.8 9z"), path("M7.8 9l6-6.4")],
  plus: [path("M8 3.2v9.6M3.2 8h9.6")],
  play: [path("M5 3.6v8.8L12 8z")],
  stop: [["rect", { ...stroke, x: 4, y: 4, width: 8, height: 8, rx: 1 }]],
  trash: [path("M2.8 4.4h10.4M6.2 4.2V2.6h3.6v1.6M4.2 4.6l.6 8.8h6.4l.6-8.8M6.8 7v4M9.2 7v4")],
  bolt: [path("M9 1.8L3.6 9h3.6L6.8 14.2 12.4 7H8.6z")],
  tag: [path("M2.4 2.6v4.8l6.2 6.2 5-5L7.4 2.4z"), ["circle", { ...solid, cx: 5.2, cy: 5.2, r: 1 }]],
  app: [path("M5.4 4.6L2.2 8l3.2 3.4M10.6 4.6L13.8 8l-3.2 3.4")],
  alert: [path("M8 2.2L14.4 13.4H1.6zM8 6.4v3.4M8 11.6v.1")],
  mail: [["rect", { ...stroke, x: 2, y: 3.6, width: 12, height: 8.8, rx: 1.5 }], path("M2.6 4.6L8 8.8l5.4-4.2")],
  file: [path("M4 2h5l3.4 3.4V14H4zM9 2v3.4h3.4")],
  sort: [path("M5 6.4L8 3.2l3 3.2", { class: "up" }), path("M5 9.6l3 3.2 3-3.2", { class: "down" })],
  command: [path("M3 4.2l3.6 3.8L3 11.8M8.4 12h4.8")],

  // The emoji a checkpoint uses. Drawn, because not every machine has an emoji font.
  lock: [["rect", { ...stroke, x: 3, y: 7, width: 10, height: 7, rx: 1.5 }], path("M5.2 7V5a2.8 2.8 0 0 1 5.6 0v2")],
  unlock: [["rect", { ...stroke, x: 3, y: 7, width: 10, height: 7, rx: 1.5 }], path("M5.2 7V4.6a2.8 2.8 0 0 1 5.4-1")],
  ticket: [path("M2 5.2A1.2 1.2 0 0 1 3.2 4h9.6A1.2 1.2 0 0 1 14 5.2v1.3a1.5 1.5 0 0 0 0 3v1.3a1.2 1.2 0 0 1-1.2 1.2H3.2A1.2 1.2 0 0 1 2 10.8V9.5a1.5 1.5 0 0 0 0-3zM9.6 4.4v7.2", { "stroke-width": 1.5 })],
  key: [disc(2.8, { cx: 5, cy: 11 }), path("M7 9l6-6M10.6 5.4l2 2")],
  no_entry: [disc(6), path("M5 8h6", { "stroke-width": 2.2 })],
  hourglass: [path("M4 2h8M4 14h8M5 2v2.6L8 8l3-3.4V2M5 14v-2.6L8 8l3 3.4V14")],
  info: [disc(6), path("M8 7.4v3.4M8 5v.1")],
  bell: [path("M3.4 11.4h9.2L11.4 9.6V6.8a3.4 3.4 0 0 0-6.8 0v2.8zM6.8 13.4h2.4")],
  ok: [disc(6), path("M5.2 8.2l2 2 3.6-4")],
  no: [disc(6), path("M5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4")],
};

// icon draws one of the shapes above at the size of the text around it.
export function icon(name, props = {}) {
  const parts = (shapes[name] ?? shapes.info).map(([tag, attributes]) => svg(tag, attributes));
  return svg("svg", { viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true", focusable: "false", ...props }, parts);
}
