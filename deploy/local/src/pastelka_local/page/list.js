// The list of orders.
import { call, isNewer, load } from "./api.js";
import { el, reconcile, toast, when } from "./dom.js";

const ORDER_STATUS = {
  pending: ["Nová", "gray"], downloading: ["Stahuje se", "blue"], ready: ["Připravená", "blue"],
  ready_for_review: ["Ke kontrole", "blue"], processing: ["Zpracovává se", "yellow"],
  completed: ["Dokončeno", "green"], error: ["Chyba", "red"],
};

export class ListView {
  #items = [];
  #cursor = null;

  constructor(root) {
    this.list = el(".list");
    this.empty = el(".empty", { hidden: true }, el("b", {}, "Zatím žádná objednávka"), "Přetáhněte sem fotky, nebo je vyberte tlačítkem Přidat fotky.");
    this.more = el("button.btn", { type: "button", hidden: true, click: () => this.loadMore() }, "Načíst starší");
    root.replaceChildren(el("h1", {}, "Objednávky"), this.list, this.empty, el("p", {}, this.more));
    this.refresh();
  }

  refresh() {
    const limit = Math.min(200, Math.max(50, this.#items.length));
    const show = (page, turn) => {
      if (isNewer(this.list, turn)) this.#show(page.items, page.next_cursor);
    };
    return load(`/orders?limit=${limit}`, show).catch((error) => toast(error.message, true));
  }

  async loadMore() {
    try {
      const page = await call("GET", `/orders?limit=50&cursor=${encodeURIComponent(this.#cursor)}`);
      this.#show([...this.#items, ...page.items], page.next_cursor);
    } catch (error) {
      toast(error.message, true);
    }
  }

  onEvent(message) {
    if (message.type !== "image_status") this.#soon();
  }

  #soon() {
    this.timer ??= setTimeout(() => { this.timer = undefined; this.refresh(); }, 250);
  }

  #show(items, cursor) {
    this.#items = items;
    this.#cursor = cursor;
    this.list.hidden = items.length === 0;
    this.empty.hidden = items.length > 0;
    this.more.hidden = !cursor;
    reconcile(this.list, items, (order) => order.order_number, () => el("a.row"), fillRow);
  }
}

function fillRow(row, order) {
  const signature = JSON.stringify(order);
  if (row.signature === signature) return;
  row.signature = signature;
  row.href = `#${order.order_number}`;
  const [label, color] = ORDER_STATUS[order.status] ?? [order.status, "gray"];
  row.replaceChildren(
    el("b", {}, order.order_number),
    el(".who", {}, order.customer_name ?? "Bez jména", el("div.sub", {}, when(order.created_at))),
    strip(order),
    el(".bars", {}, ...bar("Omalovánky", order.coloring_completed, order.image_count, ""), ...bar("SVG", order.svg_completed, order.image_count, ".svg")),
    el(`span.status-badge.${color}`, {}, label),
  );
}

function strip(order) {
  const shown = order.thumbnails.map((url) => el("img", { src: url, alt: "", loading: "lazy", width: 44, height: 44 }));
  const rest = order.image_count - shown.length;
  return el(".strip", {}, shown, rest > 0 ? el("span", {}, `+${rest}`) : null);
}

function bar(label, done, all, kind) {
  const fill = el("i", { style: `width:${all ? (100 * done) / all : 0}%` });
  return [el("span", {}, label), el(`div${kind}`, {}, fill), el("span", {}, `${done}/${all}`)];
}
