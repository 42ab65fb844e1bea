// Every node on this page is built here, from text and attributes. Nothing is ever parsed as HTML,
// so a message can only ever be words, whatever it contains.

const svgNS = "http://www.w3.org/2000/svg";

// el("p", {class: "note", onclick: f, data: {testid: "x"}}, "text", node, …) makes one element.
// Properties that are null, undefined or false are left out; true means an empty attribute.
export function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

// svg is el for SVG elements.
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(svgNS, tag), props, children);
}

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "data") Object.assign(node.dataset, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// reconcile makes root's children the items, in order, keeping the element of an item whose key is
// still there: focus, half-typed text and running animations survive a new snapshot. What has no key, such as a heading,
// stays above them.
export function reconcile(root, items, { key, create, update }) {
  const keyed = [...root.children].filter((node) => node.dataset.key !== undefined);
  const before = new Map(keyed.map((node) => [node.dataset.key, node]));
  let cursor = keyed[0] ?? null;
  for (const item of items) {
    const id = String(key(item));
    let node = before.get(id);
    if (node) {
      before.delete(id);
    } else {
      node = create(item);
      node.dataset.key = id;
    }
    update?.(node, item);
    if (node === cursor) cursor = cursor.nextElementSibling;
    else root.insertBefore(node, cursor);
  }
  for (const gone of before.values()) gone.remove();
}

// setText writes only when something changed, so that screen readers are not told twice.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
