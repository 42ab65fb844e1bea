// Files that were shared: pictures are seen, others can be kept.

import { el } from "./dom.js";
import { icon } from "./icons.js";

const shown = ["image/png", "image/jpeg", "image/gif", "image/webp"];

function address(id) {
  return `/world/files/${encodeURIComponent(id)}`;
}

// size is "12 KB", as file managers have it.
export function size(bytes) {
  if (bytes < 1000) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  const kilo = bytes / 1000;
  return kilo < 999.5 ? `${Math.round(kilo)} KB` : `${(kilo / 1000).toFixed(1)} MB`;
}

// picture is an uploaded picture; pressing it opens the whole of it.
export function picture(id, alt) {
  return el("a", { class: "shown", href: address(id), target: "_blank", rel: "noopener" }, el("img", { src: address(id), alt, data: { testid: "picture" } }));
}

// attachment is a file's name and size, and a link that downloads it from href.
export function attachment(href, name, bytes, title = name) {
  return el(
    "div",
    { class: "attachment" },
    icon("file"),
    el("span", { class: "attachment-words" }, el("span", { class: "attachment-title" }, title), el("span", { class: "attachment-about" }, title === name ? size(bytes) : `${name} · ${size(bytes)}`)),
    el("a", { class: "button small", href, download: name, "aria-label": `Download ${name}`, data: { testid: `download-${name}` } }, "Download"),
  );
}

// fileList draws the files of a message.
export function fileList(files) {
  return el(
    "ul",
    { class: "files" },
    files.map((file) =>
      el(
        "li",
        { data: { testid: `file-${file.name}` } },
        shown.includes(file.type) ? picture(file.id, file.title) : null,
        attachment(address(file.id), file.name, file.size, file.title),
      ),
    ),
  );
}
