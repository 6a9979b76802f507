import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEventSource } from "@/test/FakeEventSource";
import { holdRequests, problem, takeRequest, type WaitingRequest } from "@/test/fakeApi";
import { holdUploads } from "@/test/fakeUpload";
import { forgetToasts, renderPage } from "@/test/renderPage";
import { estimate, sampleRow } from "@/test/samples";
import type { OrderListItem } from "@/types";
import { ListPage } from "./ListPage";

const ORDERS = "GET /api/v1/orders";
const ESTIMATE = "POST /api/v1/orders/estimate";
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

/** Rows numbered from `newest` down. */
function rows(newest: number, count: number): OrderListItem[] {
  return Array.from({ length: count }, (_, index) => sampleRow(String(newest - index), newest - index));
}

async function showList(items: OrderListItem[], address = "/", cursor: string | null = null) {
  const { user } = renderPage(<ListPage />, address);
  (await takeRequest(requests, ORDERS)).answer({ items, next_cursor: cursor });
  if (items.length > 0) await screen.findByRole("table");
  return user;
}

const row = (number: string): HTMLElement => {
  const found = screen.getByRole("link", { name: number }).closest<HTMLElement>("[role=row]");
  if (!found) throw new Error(`the link to ${number} is in no row`);
  return found;
};
const numbers = () =>
  screen
    .getAllByRole("link")
    .filter((link) => link.dataset["order"])
    .map((link) => link.textContent);
const box = (number: string) => screen.getByRole("checkbox", { name: `Vybrat objednávku ${number}` });
const address = () => screen.getByTestId("address").textContent;

describe("pages of orders", () => {
  it("fetches the next page near the end, and renders only visible rows", async () => {
    await showList(rows(1300, 100), "/", "after-100");
    expect(screen.getByRole("table")).toHaveAttribute("aria-rowcount", "101");
    expect(screen.getAllByRole("link").length).toBeLessThan(40);
    expect(requests).toHaveLength(0);
    act(() => {
      window.scrollTo(0, 100 * 172);
      window.dispatchEvent(new Event("scroll"));
    });
    const next = await takeRequest(requests, ORDERS);
    expect(next.path).toContain("cursor=after-100");
    next.answer({ items: rows(1200, 30), next_cursor: null });
    await waitFor(() => expect(screen.getByRole("table")).toHaveAttribute("aria-rowcount", "131"));
    window.scrollTo(0, 0);
  });

  it("offers a retry after the next page failed, and keeps the loaded rows", async () => {
    const user = await showList(rows(1300, 5), "/", "after-5");
    (await takeRequest(requests, ORDERS)).answer(problem(503, "database_unavailable"), 503);
    const notice = await screen.findByRole("alert");
    expect(notice).toHaveTextContent("Další objednávky se nepodařilo načíst.");
    expect(numbers()).toHaveLength(5);
    await user.click(within(notice).getByRole("button", { name: "Zkusit znovu" }));
    (await takeRequest(requests, ORDERS)).answer({ items: rows(1295, 2), next_cursor: null });
    await waitFor(() => expect(numbers()).toHaveLength(7));
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("shows that the load failed, not an empty list, and retries", async () => {
    const { user } = renderPage(<ListPage />, "/");
    expect(screen.getByRole("status", { name: "Načítání objednávek" })).toBeVisible();
    (await takeRequest(requests, ORDERS)).answer(problem(503, "database_unavailable"), 503);
    expect(await screen.findByText("Objednávky se nepodařilo načíst")).toBeVisible();
    expect(screen.queryByText("Zatím žádná objednávka")).toBeNull();
    await user.click(screen.getByRole("button", { name: "Zkusit znovu" }));
    (await takeRequest(requests, ORDERS)).answer({ items: rows(1300, 1), next_cursor: null });
    expect(await screen.findByRole("link", { name: "1300" })).toBeVisible();
  });
});

describe("a row", () => {
  it("shows customer, number of photos, progress and payment", async () => {
    const counts = { image_count: 5, coloring_completed: 3, payment_status: "PARTIALLY_PAID" };
    await showList([sampleRow("1270", 1, counts)]);
    const shown = within(row("1270"));
    for (const text of ["Jana Nováková", "jana@example.cz", "5 fotek", "Částečně zaplaceno", "Ke kontrole"])
      expect(shown.getByText(text)).toBeInTheDocument();
    expect(shown.getByText("1 ke kontrole")).toBeInTheDocument();
    expect(shown.getByRole("progressbar", { name: "Omalovánky" })).toHaveAttribute(
      "aria-valuetext",
      "3 z\u00a05",
    );
  });

  it.each([
    ["PENDING", "Čeká na platbu"],
    ["AUTHORIZED", "Autorizováno"],
    ["PARTIALLY_PAID", "Částečně zaplaceno"],
    ["PAID", "Zaplaceno"],
    ["PARTIALLY_REFUNDED", "Částečně vráceno"],
    ["REFUNDED", "Vráceno"],
    ["VOIDED", "Zrušeno"],
    ["EXPIRED", "Vypršelo"],
    ["BARTERED", "BARTERED"],
  ])("shows %s as %s", async (status, label) => {
    await showList([sampleRow("1270", 1, { payment_status: status })]);
    expect(within(row("1270")).getByText(label)).toBeInTheDocument();
  });

  it("has a dash for missing values, and uses the Czech plural for photos", async () => {
    const missing = { customer_name: null, customer_email: null, payment_status: null };
    await showList([
      sampleRow("1270", 2, { ...missing, image_count: 0 }),
      sampleRow("1269", 1, { image_count: 1 }),
    ]);
    expect(within(row("1270")).getAllByText("—").length).toBeGreaterThanOrEqual(3);
    expect(within(row("1270")).getByText("0 fotek")).toBeInTheDocument();
    expect(within(row("1269")).getByText("1 fotka")).toBeInTheDocument();
  });
});

describe("search and filter", () => {
  it("are read from the URL", async () => {
    renderPage(<ListPage />, "/?q=dvo&stage=attention");
    expect((await takeRequest(requests, ORDERS)).path).toMatch(/q=dvo&stage=attention$/);
    expect(screen.getByRole("textbox", { name: "Číslo nebo zákazník" })).toHaveValue("dvo");
    expect(screen.getByRole("button", { name: /^Vyžaduje zásah/ })).toHaveAttribute("aria-pressed", "true");
  });

  it("are stored in the URL", async () => {
    const user = await showList(rows(1300, 2));
    await user.keyboard("/");
    await user.keyboard("nov");
    (await takeRequest(requests, `${ORDERS}?limit=100&q=nov`)).answer({
      items: rows(1299, 1),
      next_cursor: null,
    });
    await waitFor(() => expect(numbers()).toEqual(["1299"]));
    expect(address()).toBe("/?q=nov");
    await user.click(screen.getByRole("button", { name: /^Ke kontrole/ }));
    await takeRequest(requests, `${ORDERS}?limit=100&q=nov&stage=to_review`);
    expect(address()).toBe("/?q=nov&stage=to_review");
  });

  it("show how many orders have which stage", async () => {
    await showList(rows(1300, 1));
    const filter = within(screen.getByRole("group", { name: "Stav objednávky" }));
    expect(await filter.findByRole("button", { name: "Vyžaduje zásah 2" })).toBeVisible();
    expect(filter.getByRole("button", { name: "Ke kontrole 999+" })).toBeVisible();
    expect(filter.getByRole("button", { name: "Odesláno" })).toBeVisible();
  });

  it("that match nothing show that and a button that clears them", async () => {
    const user = await showList([], "/?q=nikdo");
    expect(await screen.findByText("Žádná odpovídající objednávka")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Zobrazit všechny" }));
    (await takeRequest(requests, ORDERS)).answer({ items: [], next_cursor: null });
    expect(await screen.findByText("Zatím žádná objednávka")).toBeVisible();
    expect(address()).toBe("/");
  });
});

describe("actions for several orders", () => {
  it("start for the selected ones with the preset, store it, and keep refused orders selected", async () => {
    const user = await showList(rows(1300, 4));
    await user.click(box("1300"));
    await user.click(box("1298"));
    await user.click(screen.getByRole("radio", { name: /nejlepší/ }));
    await user.click(screen.getByRole("button", { name: "Vygenerovat omalovánky" }));
    const asked = await takeRequest(requests, ESTIMATE);
    expect(await asked.body()).toEqual({
      order_numbers: ["1300", "1298"],
      action: "coloring",
      coloring_options: { megapixels: 4, steps: 8 },
    });
    asked.answer(estimate(12, 0, "0.42"));
    const question = within(await screen.findByRole("dialog", { name: "Vygenerovat omalovánky?" }));
    expect(question.getByText(/^Spustí se: 12 omalovánek\. Odhadovaná cena: 0,42 Kč\.$/)).toBeVisible();
    expect(requests).toHaveLength(0);
    await user.click(question.getByRole("button", { name: "Spustit" }));
    const first = await takeRequest(requests, "POST /api/v1/orders/1300/generate-coloring");
    expect(await first.body()).toEqual({ megapixels: 4, steps: 8 });
    expect(screen.getByRole("button", { name: "Vygenerovat SVG" })).toBeDisabled();
    first.answer([], 202);
    (await takeRequest(requests, "POST /api/v1/orders/1298/generate-coloring")).answer(
      problem(409, "nothing_to_do"),
      409,
    );
    expect(await screen.findByText("Omalovánky se generují pro 1 objednávku.")).toBeVisible();
    expect(
      screen.getByText("Není co generovat: vše je hotové, nebo se právě zpracovává. (1298)"),
    ).toBeVisible();
    // Toasts render at once, the selection in the next frame.
    await waitFor(() => expect(box("1300")).not.toBeChecked());
    expect(box("1298")).toBeChecked();
    expect(localStorage.getItem("pastelka.options")).toContain('"preset":"best"');
  });

  it("show each reason once, however many orders it applies to", async () => {
    const user = await showList(rows(1300, 5));
    await user.click(screen.getByRole("checkbox", { name: "Vybrat všechny načtené objednávky" }));
    await user.keyboard("v");
    (await takeRequest(requests, ESTIMATE)).answer(estimate(0, 0));
    for (const number of [1300, 1299, 1298, 1297, 1296])
      (await takeRequest(requests, `POST /api/v1/orders/${number}/generate-svg`)).answer(
        problem(409, "nothing_to_do"),
        409,
      );
    expect(await screen.findByText(/\(1300, 1299, 1298 a 2 další\)$/)).toBeVisible();
    expect(screen.getAllByText(/^Není co generovat/)).toHaveLength(1);
  });

  it("apply to a range with Shift, and to none after Esc", async () => {
    const user = await showList(rows(1300, 5));
    await user.click(box("1299"));
    await user.keyboard("{Shift>}");
    await user.click(box("1297"));
    await user.keyboard("{/Shift}");
    const checked = ["1300", "1299", "1298", "1297", "1296"].filter(
      (number) => (box(number) as HTMLInputElement).checked,
    );
    expect(checked).toEqual(["1299", "1298", "1297"]);
    // Upwards, and back to unselected.
    await user.keyboard("{Shift>}");
    await user.click(box("1298"));
    await user.keyboard("{/Shift}");
    expect(screen.getByText("1 vybraná")).toBeVisible();
    await user.keyboard("{Escape}");
    expect(screen.queryByText("1 vybraná")).toBeNull();
  });

  it("apply to every matching order: the pages that are missing are loaded first", async () => {
    const user = await showList(rows(1300, 100), "/?q=13", "after-100");
    await user.click(screen.getByRole("checkbox", { name: "Vybrat všechny načtené objednávky" }));
    expect(screen.getByText("100 vybraných")).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Vybrat všechny odpovídající" }));
    const second = await takeRequest(requests, ORDERS);
    expect(second.path).toMatch(/(?=.*q=13)(?=.*cursor=after-100)/);
    second.answer({ items: rows(1200, 30), next_cursor: "after-130" });
    (await takeRequest(requests, ORDERS)).answer({ items: rows(1170, 5), next_cursor: null });
    expect(await screen.findByText("135 vybraných")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Vybrat všechny odpovídající" })).toBeNull();
  });

  it("compose no book if the orders are more than one PDF may have", async () => {
    const user = await showList(rows(1300, 101));
    await user.click(screen.getByRole("checkbox", { name: "Vybrat všechny načtené objednávky" }));
    await user.click(screen.getByRole("button", { name: "Knihy" }));
    expect(await screen.findByText("Do jednoho PDF lze spojit knihy nejvýše 100 objednávek.")).toBeVisible();
    expect(screen.getByText("101 vybraných")).toBeVisible();
    expect(requests).toHaveLength(0);
  });

  it("do not apply to orders that a search hides", async () => {
    const user = await showList(rows(1300, 2));
    await user.click(box("1300"));
    expect(screen.getByText("1 vybraná")).toBeVisible();
    await user.type(screen.getByRole("textbox", { name: "Číslo nebo zákazník" }), "x");
    (await takeRequest(requests, ORDERS)).answer({ items: rows(1299, 1), next_cursor: null });
    await waitFor(() => expect(numbers()).toEqual(["1299"]));
    expect(screen.queryByText("1 vybraná")).toBeNull();
  });

  it("work by keys: j and k move, and the options are those of the order page", async () => {
    localStorage.setItem("pastelka.options", '{"preset":"fine","svg":{"group_by":"layer"}}');
    const user = await showList(rows(1300, 3));
    await user.keyboard("c");
    expect(await screen.findByText(/^Nejprve vyberte objednávku/)).toBeVisible();
    expect(requests).toHaveLength(0);
    await user.keyboard("jjc");
    // One page needs no question.
    (await takeRequest(requests, ESTIMATE)).answer(estimate(1, 0));
    const pages = await takeRequest(requests, "POST /api/v1/orders/1299/generate-coloring");
    expect(await pages.body()).toEqual({ megapixels: 2, steps: 4 });
    pages.answer([], 202);
    await screen.findByText("Omalovánky se generují pro 1 objednávku.");
    await user.keyboard("kxv");
    (await takeRequest(requests, ESTIMATE)).answer(estimate(0, 1));
    const svgs = await takeRequest(requests, "POST /api/v1/orders/1300/generate-svg");
    expect(await svgs.body()).toEqual({ shape_stacking: "stacked", group_by: "layer" });
    svgs.answer([], 202);
    await screen.findByText("SVG se generují pro 1 objednávku.");
    await user.keyboard("j{Enter}");
    expect(address()).toBe("/orders/1299");
  });
});

describe("live updates", () => {
  const send = (event: object) => act(() => FakeEventSource.latest.send(event));

  it("refresh one row only", async () => {
    await showList(rows(1300, 3));
    await waitFor(() => expect(FakeEventSource.opened).toHaveLength(1));
    const others = [row("1300"), row("1298")].map((other) => other.innerHTML);
    send({ type: "order_update", order_number: "1299" });
    const single = await takeRequest(requests, ORDERS);
    expect(single.path).toContain("q=1299");
    const changed = sampleRow("1299", 1299, { stage: "attention", failed: 3 });
    single.answer({ items: [changed], next_cursor: null });
    expect(await within(row("1299")).findByText("3 s chybou")).toBeInTheDocument();
    expect([row("1300"), row("1298")].map((other) => other.innerHTML)).toEqual(others);
    expect(requests).toHaveLength(0);
  });

  it("insert a new order at the top, marked as new", async () => {
    await showList(rows(1300, 2));
    await waitFor(() => expect(FakeEventSource.opened).toHaveLength(1));
    const before = row("1300");
    send({ type: "list_update" });
    (await takeRequest(requests, ORDERS)).answer({ items: rows(1301, 3), next_cursor: null });
    await waitFor(() => expect(numbers()).toEqual(["1301", "1300", "1299"]));
    expect(row("1301").querySelector("[data-new]")).not.toBeNull();
    expect(row("1300").querySelector("[data-new]")).toBeNull();
    // The same element moves down, animated by its transition.
    expect(row("1300")).toBe(before);
  });
});

describe("dropped photos", () => {
  function drag(kind: "dragover" | "drop", files: File[]) {
    const event = new Event(kind, { bubbles: true, cancelable: true });
    Object.assign(event, { dataTransfer: { types: ["Files"], files } });
    fireEvent(window, event);
  }

  it("open the dialog for a new order; files that are no photos are named", async () => {
    await showList(rows(1300, 1));
    const photos = ["a.jpg", "b.jpg"].map((name) => new File([name], name, { type: "image/jpeg" }));
    drag("dragover", photos);
    expect(screen.getByText("Puštěním fotek vytvoříte objednávku")).toBeVisible();
    drag("drop", [...photos, new File(["x"], "letter.pdf", { type: "application/pdf" })]);
    // A toast, which disappears.
    expect(screen.getByText("Soubor letter.pdf není v podporovaném formátu fotky.")).toBeVisible();
    const dialog = await screen.findByRole("dialog", { name: /^Nová objednávka z\sfotek$/ });
    expect(within(dialog).getByText("2 fotky")).toBeVisible();
    expect(screen.queryByText("Puštěním fotek vytvoříte objednávku")).toBeNull();
  });

  it("are not lost by Esc, and become an order with the preset that was chosen last", async () => {
    localStorage.setItem("pastelka.options", '{"preset":"fine"}');
    const user = await showList(rows(1300, 1));
    drag("drop", [new File(["x"], "a.jpg", { type: "image/jpeg" })]);
    const dialog = await screen.findByRole("dialog", { name: /^Nová objednávka z\sfotek$/ });
    await user.keyboard("{Escape}");
    await user.click(await screen.findByRole("button", { name: "Pokračovat" }));
    expect(within(dialog).getByText("1 fotka")).toBeVisible();
    const sent = holdUploads();
    expect(within(dialog).getByText("Předvolba omalovánek: jemná")).toBeVisible();
    const create = within(dialog).getByRole("button", { name: "Vytvořit objednávku" });
    await user.click(create);
    const first = await takeRequest(requests, "POST /api/v1/orders/manual");
    expect(await first.body()).toEqual({ quantity: 1 });
    first.answer(problem(503, "database_unavailable"), 503);
    expect(await within(dialog).findByRole("alert")).toHaveTextContent("Databáze neodpovídá");
    // The response may have been lost: the same order has the same key.
    await user.click(create);
    const again = await takeRequest(requests, "POST /api/v1/orders/manual");
    expect(again.header("Idempotency-Key")).toBe(first.header("Idempotency-Key"));
    again.answer({ ...sampleRow("M1000", 1), line_items: [{ id: 5, images: [] }] }, 201);
    await waitFor(() => expect(address()).toBe("/orders/M1000"));
    const [photo] = sent;
    const url = new URL(photo?.url ?? "", location.origin);
    expect(url.pathname).toBe("/api/v1/orders/M1000/line-items/5/photos");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      position: "1",
      process: "coloring",
      coloring_options: '{"megapixels":2,"steps":4}',
      name: "a.jpg",
    });
    expect(photo?.file.name).toBe("a.jpg");
    act(() => photo?.answer(201, { id: 1 }));
  });
});
