// Building the page out of elements; text is always text, never markup.

/** el("a.btn", { href: "#" }, "text", child, null): functions become listeners, null is left out. */
export function el(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(key, value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export function toast(text, bad = false) {
  const node = el(bad ? ".toast.bad" : ".toast", {}, text);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), bad ? 9000 : 4000);
}

/** Put `nodes` (each with a data-key) into `parent`, keeping those whose signature is the same. */
export function reconcile(parent, items, keyOf, make, update) {
  const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  const wanted = items.map((item) => {
    const key = String(keyOf(item));
    const node = known.get(key) ?? make(item);
    node.dataset.key = key;
    update(node, item);
    return node;
  });
  wanted.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] ?? null);
  });
  while (parent.children.length > wanted.length) parent.lastElementChild.remove();
}

const WHEN = new Intl.DateTimeFormat("cs", { day: "numeric", month: "numeric", hour: "2-digit", minute: "2-digit" });
export const when = (time) => WHEN.format(new Date(time));
