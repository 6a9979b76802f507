import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ListPage } from "@/pages/ListPage";
import { OrderDetail } from "@/pages/order/OrderDetail";
import { FakeEventSource } from "@/test/FakeEventSource";
import { holdRequests, problem, takeRequest, type WaitingRequest } from "@/test/fakeApi";
import { forgetToasts, renderPage } from "@/test/renderPage";
import { sampleImage, sampleOrder, sampleRow } from "@/test/samples";
import type { Order } from "@/types";

const ORDERS = "GET /api/v1/orders";
const FETCH = "POST /api/v1/orders/fetch-from-shopify";
const SYNC = "POST /api/v1/orders/1270/sync";
const URL_AT_SHOP = "https://admin.shopify.com/store/my-shop/orders/5";
const queued = { status: "queued", message: "It is being done." };
let requests: WaitingRequest[];

beforeEach(() => {
  vi.stubGlobal("EventSource", FakeEventSource);
  FakeEventSource.opened = [];
  requests = holdRequests();
});

afterEach(() => {
  vi.unstubAllGlobals();
  forgetToasts();
});

describe("the list with a shop", () => {
  async function showList(shopConfigured: boolean) {
    const { user } = renderPage(<ListPage />, "/");
    const items = [sampleRow("1270", 2, { shop_url: URL_AT_SHOP }), sampleRow("M1000", 1)];
    const answer = { items, next_cursor: null, shop_configured: shopConfigured };
    (await takeRequest(requests, ORDERS)).answer(answer);
    await screen.findByRole("table");
    return user;
  }

  it("marks an order with unreadable fields", async () => {
    renderPage(<ListPage />, "/");
    const unread = { unread_fields: ["email: Input should be a valid string"] };
    const items = [sampleRow("1270", 2, unread), sampleRow("M1000", 1)];
    (await takeRequest(requests, ORDERS)).answer({ items, next_cursor: null, shop_configured: true });
    const sign = await screen.findByRole("img", { name: /nelze přečíst: email: Input should be/ });
    expect(sign.closest("[role=row]")).toHaveTextContent("1270");
    expect(screen.getAllByRole("img", { name: /nelze přečíst/ })).toHaveLength(1);
  });

  it("shows that the shop cancelled an order instead of its payment", async () => {
    renderPage(<ListPage />, "/");
    const items = [sampleRow("1270", 2, { cancelled_at: "2026-01-17T10:00:00+01:00" }), sampleRow("1269", 1)];
    (await takeRequest(requests, ORDERS)).answer({ items, next_cursor: null, shop_configured: true });
    const badge = await screen.findByText("Zrušena");
    expect(badge).toHaveAttribute("title", expect.stringContaining("Objednávku obchod zrušil."));
    const row = badge.closest("[role=row]");
    expect(row).toHaveTextContent("1270");
    expect(row).not.toHaveTextContent("Zaplaceno");
    expect(screen.getAllByText("Zaplaceno")).toHaveLength(1);
  });

  it("has no button if no shop is connected", async () => {
    await showList(false);
    expect(screen.queryByRole("button", { name: "Načíst ze Shopify" })).toBeNull();
  });

  it("fetches once despite several clicks, and shows that it started", async () => {
    const user = await showList(true);
    await user.click(screen.getByRole("button", { name: "Načíst ze Shopify" }));
    const request = await takeRequest(requests, FETCH);
    const busy = await screen.findByRole("button", { name: "Načítání..." });
    expect(busy).toBeDisabled();
    await user.click(busy);
    expect(requests).toHaveLength(0);
    request.answer(queued, 202);
    expect(await screen.findByText("Stahování objednávek ze Shopify...")).toBeVisible();
    await waitFor(() => expect(screen.getByRole("button", { name: "Načíst ze Shopify" })).toBeEnabled());
  });

  it("shows why fetching failed", async () => {
    const user = await showList(true);
    await user.click(screen.getByRole("button", { name: "Načíst ze Shopify" }));
    (await takeRequest(requests, FETCH)).answer(problem(409, "shop_not_configured"), 409);
    expect(await screen.findByText(/Chyba při načítání ze Shopify: Obchod není připojen/)).toBeVisible();
  });

  it("keeps the button while another filter is loading", async () => {
    const user = await showList(true);
    await user.type(screen.getByRole("textbox", { name: "Číslo nebo zákazník" }), "127");
    await takeRequest(requests, ORDERS);
    expect(screen.getByRole("button", { name: "Načíst ze Shopify" })).toBeVisible();
  });

  it("links to the shop only in the rows of its orders", async () => {
    await showList(true);
    const links = screen.getAllByRole("link", { name: "Otevřít ve Shopify" });
    expect(links.map((link) => link.getAttribute("href"))).toEqual([URL_AT_SHOP]);
    expect(links[0]).toHaveAttribute("rel", "noreferrer");
  });
});

describe("an order of the shop", () => {
  async function showOrder(shopUrl?: string) {
    const { user } = renderPage(<OrderDetail orderNumber="1270" />, "/orders/1270");
    const order = sampleOrder("1270", [sampleImage(1, "completed")]);
    const answer = shopUrl === undefined ? order : { ...order, shop_url: shopUrl };
    (await takeRequest(requests, "GET /api/v1/orders/1270")).answer(answer);
    await screen.findByRole("heading", { name: "1270" });
    return user;
  }

  it("is synced on demand", async () => {
    const user = await showOrder(URL_AT_SHOP);
    expect(screen.getByRole("link", { name: "Otevřít ve Shopify" })).toHaveAttribute("href", URL_AT_SHOP);
    await user.click(screen.getByRole("button", { name: "Stáhnout ze Shopify" }));
    (await takeRequest(requests, SYNC)).answer(queued, 202);
    expect(await screen.findByText("Synchronizace spuštěna. Obrázky se stahují na pozadí.")).toBeVisible();
    await waitFor(() => expect(screen.getByRole("button", { name: "Stáhnout ze Shopify" })).toBeEnabled());
  });

  it("shows why syncing failed", async () => {
    const user = await showOrder(URL_AT_SHOP);
    await user.click(screen.getByRole("button", { name: "Stáhnout ze Shopify" }));
    (await takeRequest(requests, SYNC)).answer(problem(409, "order_not_of_shop"), 409);
    expect(
      await screen.findByText("Chyba při synchronizaci: Objednávka vznikla ručně, v obchodě neexistuje."),
    ).toBeVisible();
  });

  async function showWithdrawn(changes: Partial<Order>) {
    const { user } = renderPage(<OrderDetail orderNumber="1270" />, "/orders/1270");
    const order = { ...sampleOrder("1270", [sampleImage(1, "completed")]), ...changes };
    (await takeRequest(requests, "GET /api/v1/orders/1270")).answer(order);
    await screen.findByRole("heading", { name: "1270" });
    return user;
  }

  it("that was cancelled shows that, and offers neither to generate nor to download", async () => {
    await showWithdrawn({ cancelled_at: "2026-01-17T10:00:00+01:00" });
    const badge = screen.getByText("Zrušena v obchodě");
    expect(badge).toHaveAttribute("data-shop", "cancelled");
    expect(screen.getByText(/^Objednávku obchod zrušil\./)).toBeVisible();
    for (const name of ["Vygenerovat omalovánky", "Vygenerovat SVG", /^Nová omalovánka/, "Export"])
      expect(screen.queryByRole("button", { name })).toBeNull();
  });

  it("shows which item was removed, and counts and generates only for the others", async () => {
    const [kept] = sampleOrder("1270", [sampleImage(1, "completed")]).line_items;
    const gone = {
      ...kept,
      id: 2,
      title: "Druhá kniha",
      removed: true,
      images: [sampleImage(2, "completed")],
    };
    const user = await showWithdrawn({ line_items: [kept, gone] as Order["line_items"] });
    const book = within(screen.getByRole("region", { name: "Druhá kniha" }));
    expect(book.getByText("Odebráno z objednávky")).toHaveAttribute("data-shop", "removed");
    expect(screen.getByText(/^Položku obchod z objednávky odebral\./)).toBeVisible();
    const cards = screen.getAllByRole("article");
    expect(
      cards.map((card) => within(card).queryByRole("button", { name: /^Nová omalovánka/ }) !== null),
    ).toEqual([true, false]);
    await waitFor(() => expect(screen.getByRole("button", { name: "Vygenerovat omalovánky" })).toBeEnabled());
    screen.getByRole("button", { name: "Export" }).focus();
    await user.keyboard("{Enter}");
    const exports = await screen.findAllByRole("menuitem");
    expect(exports.map((item) => item.textContent.replace(/\D/g, ""))).toEqual(["0", "0", "0", "1"]);
    expect(screen.getByRole("menuitem", { name: /Fotky/ })).toHaveTextContent("1");
  });

  it("has neither control if the shop is unknown", async () => {
    await showOrder();
    expect(screen.queryByRole("button", { name: "Stáhnout ze Shopify" })).toBeNull();
    expect(screen.queryByRole("link", { name: "Otevřít ve Shopify" })).toBeNull();
  });
});
