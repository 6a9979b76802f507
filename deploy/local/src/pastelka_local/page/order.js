// One order: its photos, coloring pages and SVGs, live.
import { call, isNewer, load } from "./api.js";
import { el, reconcile, toast, when } from "./dom.js";
import { KINDS, display, isFinal, step } from "./statuses.js";

export class OrderView {
  #grids = new Map();

  constructor(root, number) {
    this.number = number;
    this.path = `/orders/${encodeURIComponent(number)}`;
    this.head = el(".head");
    this.items = el("div");
    root.replaceChildren(this.head, this.items);
    this.refresh();
    this.clock = setInterval(() => this.#tick(), 1000);
  }

  close() {
    clearInterval(this.clock);
  }

  refresh() {
    return load(this.path, (order, turn) => this.#show(order, turn)).catch((error) => this.#failed(error));
  }

  onEvent(message) {
    if (message.order_number !== this.number) return;
    if (message.type === "image_status") this.#refreshImage(message.image_id);
    else this.refresh();
  }

  #refreshImage(id) {
    const show = (image, turn) => {
      for (const grid of this.#grids.values()) {
        const card = grid.querySelector(`[data-key="${image.id}"]`);
        if (card) this.#fill(card, image, turn);
      }
    };
    load(`${this.path}/images/${id}`, show).catch((error) => toast(error.message, true));
  }

  #show(order, turn) {
    if (!isNewer(this.items, turn)) return;
    this.#showHead(order);
    reconcile(this.items, order.line_items, (item) => item.id, () => el("section", {}, el("h2"), el(".grid")), (section, item) => {
      const [title, grid] = section.children;
      title.textContent = [item.title, item.dedication && `Věnování: „${item.dedication}“`].filter(Boolean).join(" · ");
      this.#grids.set(item.id, grid);
      reconcile(grid, item.images, (image) => image.id, makeCard, (card, image) => this.#fill(card, image, turn));
    });
  }

  #showHead(order) {
    const count = order.line_items.reduce((sum, item) => sum + item.images.length, 0);
    const signature = JSON.stringify([order.customer_name, order.shipping_method, count]);
    if (this.head.signature === signature) return;
    this.head.signature = signature;
    const fact = (label, value) => (value ? el("span", {}, `${label} `, el("b", {}, value)) : null);
    this.head.replaceChildren(
      el("div", {},
        el("a.sub", { href: "#" }, "← Objednávky"),
        el(".title", {}, el("h1", {}, order.order_number)),
        el(".meta", {}, fact("Zákazník", order.customer_name), fact("Doručení", order.shipping_method), fact("Fotky", String(count)), fact("Vytvořeno", when(order.created_at)))),
      el(".actions", {},
        this.#button("Vygenerovat omalovánky", () => call("POST", `${this.path}/generate-coloring`, {})),
        this.#button("Vygenerovat SVG", () => call("POST", `${this.path}/generate-svg`, {})),
        this.#button("Smazat", () => this.#delete())),
    );
  }

  async #delete() {
    if (!confirm(`Smazat objednávku ${this.number} i s fotkami?`)) return;
    await call("DELETE", this.path);
    location.hash = "";
  }

  /** A button that does `action` once at a time and says what went wrong. */
  #button(label, action, style = "button.btn") {
    const click = async (event) => {
      const button = event.currentTarget;
      button.disabled = true;
      try {
        await action();
        await this.refresh();
      } catch (error) {
        toast(error.message, true);
      } finally {
        button.disabled = false;
      }
    };
    return el(style, { type: "button", click }, label);
  }

  #fill(card, image, turn) {
    const signature = JSON.stringify(image);
    if (!isNewer(card, turn) || card.signature === signature) return;
    card.signature = signature;
    const [trip, foot] = card.children;
    this.#figure(trip.children[0], photoSignature(image), () => photo(image));
    for (const [index, kind] of Object.keys(KINDS).entries()) {
      this.#figure(trip.children[index + 1], panelSignature(image, kind), () => this.#panel(image, kind));
    }
    this.#fillFoot(foot, image);
  }

  #figure(node, signature, make) {
    if (node.signature === signature) return;
    node.signature = signature;
    const { paper, children } = make();
    node.classList.toggle("paper", paper);
    node.replaceChildren(...children);
  }

  #panel(image, kind) {
    const shown = current(image, kind);
    if (shown && !isFinal(shown.status)) return { paper: false, children: [this.#working(kind, shown), caption(kind, shown)] };
    if (shown?.status === "error") return { paper: false, children: [this.#failedPanel(kind, shown), caption(kind, shown)] };
    if (shown) return { paper: true, children: [link(shown.url, `${KINDS[kind].title} ${image.position}`), caption(kind, shown)] };
    return { paper: false, children: [this.#nothing(image, kind), el("figcaption", {}, KINDS[kind].title)] };
  }

  #working(kind, version) {
    const [done, all] = step(kind, version.status);
    const steps = Array.from({ length: all }, (_, index) => el(index < done ? "i.done" : index === done ? "i.now" : "i"));
    return el(".work.busy", {},
      el("b", {}, display(kind, version.status).label),
      el(".steps", {}, steps),
      el("span", { "data-since": version.created_at }, elapsed(version.created_at)),
      this.#button("Zrušit", () => call("POST", `/${kind}-versions/${version.id}/cancel`), "button.btn.sm"));
  }

  #failedPanel(kind, version) {
    return el(".work.bad", {},
      el("b", {}, `${KINDS[kind].title}: nepodařilo se`),
      el("span", {}, version.error?.message ?? "Příčina není známa."),
      this.#button("Zkusit znovu", () => call("POST", `/${kind}-versions/${version.id}/retry`), "button.btn.sm"));
  }

  #nothing(image, kind) {
    const possible = kind === "coloring" ? image.url : image.versions.coloring.some((version) => version.status === "completed");
    if (!possible) return el(".work", {}, kind === "coloring" ? "Čeká na fotku" : "Nejprve vygenerujte omalovánku");
    return el(".work", {}, this.#button(KINDS[kind].verb, () => call("POST", `/images/${image.id}/generate-${kind}`, {}), "button.btn.sm"));
  }

  #fillFoot(foot, image) {
    const [versions, badges] = foot.children;
    versions.replaceChildren(...Object.keys(KINDS).flatMap((kind) => image.versions[kind].map((version) => this.#version(image, kind, version))));
    const latest = Object.keys(KINDS).filter((kind) => image.versions[kind].length).map((kind) => [kind, image.versions[kind].at(-1)]);
    reconcile(badges, latest, ([kind]) => kind, () => el("span"), fillBadge);
  }

  #version(image, kind, version) {
    const chosen = image.selected_version_ids[kind] === version.id;
    const options = kind === "coloring" ? `${version.options.megapixels} MP / ${version.options.steps}` : `z omalovánky v${numberOf(image, version)}`;
    const choose = this.#button("", () => call("POST", `/images/${image.id}/select-${kind}/${version.id}`), "button.ver");
    choose.append(`${KINDS[kind].badge} v${version.version}`, el("small", {}, options));
    choose.setAttribute("aria-pressed", chosen);
    choose.disabled = version.status !== "completed" || chosen;
    return choose;
  }

  #tick() {
    for (const node of this.items.querySelectorAll("[data-since]")) node.textContent = elapsed(node.dataset.since);
  }

  #failed(error) {
    if (this.items.children.length) return toast(error.message, true);
    const text = error.status === 404 ? "Taková objednávka tu není." : error.message;
    this.head.replaceChildren(el("a.sub", { href: "#" }, "← Objednávky"));
    this.items.replaceChildren(el(".empty", {}, el("b", {}, text), el("button.btn", { type: "button", click: () => this.refresh() }, "Zkusit znovu")));
  }
}

/** The version a panel shows: one in hand, else the chosen one, else the newest. */
function current(image, kind) {
  const versions = image.versions[kind];
  const newest = versions.at(-1);
  if (newest && newest.status !== "completed") return newest;
  return versions.find((version) => version.id === image.selected_version_ids[kind]) ?? newest;
}

const makeCard = () => el("article.card", {}, el(".trip", {}, el("figure"), el("figure"), el("figure")), el(".foot", {}, el("div"), el(".badges")));
const photoSignature = (image) => `${image.url}`;
const panelSignature = (image, kind) => JSON.stringify([current(image, kind), Boolean(image.url), image.versions.coloring.some((version) => version.status === "completed")]);
const numberOf = (image, svg) => image.versions.coloring.find((version) => version.id === svg.coloring_version_id)?.version ?? "?";
const caption = (kind, version) => el("figcaption", {}, `${KINDS[kind].title} v${version.version}`);
const link = (url, alt) => el("a", { href: url, target: "_blank", rel: "noopener" }, el("img", { src: url, alt, loading: "lazy" }));

function photo(image) {
  const label = el("figcaption", {}, `Fotka ${image.position}`);
  if (image.url) return { paper: false, children: [link(image.url, `Fotka ${image.position}`), label] };
  return { paper: false, children: [el(image.error ? ".work.bad" : ".work", {}, image.error?.message ?? "Čeká na stažení"), label] };
}

function fillBadge(badge, [kind, version]) {
  const { label, color } = display(kind, version.status);
  const text = `${KINDS[kind].badge}: ${label}`;
  if (badge.textContent === text) return;
  const fresh = badge.textContent !== "";
  badge.className = `status-badge ${color}`;
  badge.textContent = text;
  if (!fresh) return;
  badge.classList.add("fresh");
  badge.addEventListener("animationend", () => badge.classList.remove("fresh"), { once: true });
}

function elapsed(since) {
  const seconds = Math.max(0, Math.round((Date.now() - new Date(since)) / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
