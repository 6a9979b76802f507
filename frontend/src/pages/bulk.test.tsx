import { screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeEventSource } from "@/test/FakeEventSource";
import { holdRequests, problem, takeRequest, type WaitingRequest } from "@/test/fakeApi";
import { forgetToasts, renderPage } from "@/test/renderPage";
import { estimate, sampleRow } from "@/test/samples";
import type { OrderListItem } from "@/types";
import { ListPage } from "./ListPage";

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

const box = (number: string) => screen.getByRole("checkbox", { name: `Vybrat objednávku ${number}` });

/** The list with these orders, all selected. */
async function selectAll(items: OrderListItem[], page: { total?: number; next_cursor?: string } = {}) {
  const { user } = renderPage(<ListPage />, "/");
  (await takeRequest(requests, "GET /api/v1/orders")).answer({ items, next_cursor: null, ...page });
  await screen.findByRole("table");
  await user.click(screen.getByRole("checkbox", { name: "Vybrat všechny načtené objednávky" }));
  return user;
}

type User = Awaited<ReturnType<typeof selectAll>>;

async function choose(user: User, action: string): Promise<void> {
  await user.click(await screen.findByRole("button", { name: "Další akce" }));
  await user.click(await screen.findByRole("menuitem", { name: action }));
}

const rows = (...numbers: string[]) => numbers.map((number) => sampleRow(number, Number(number)));

it("the failed are retried after a question about the cost, and an order without any is named", async () => {
  const user = await selectAll(rows("1300", "1299"));
  await choose(user, "Zopakovat nezdařené");
  const asked = await takeRequest(requests, ESTIMATE);
  expect(await asked.body()).toEqual({ order_numbers: ["1300", "1299"], action: "retry" });
  asked.answer(estimate(2, 1));
  const question = within(await screen.findByRole("dialog", { name: "Zopakovat nezdařené?" }));
  // Without a price the numbers alone.
  expect(question.getByText("Spustí se: 2 omalovánky a 1 SVG.")).toBeVisible();
  await user.click(question.getByRole("button", { name: "Spustit" }));
  const retry = (number: string) => takeRequest(requests, `POST /api/v1/orders/${number}/retry-failed`);
  (await retry("1300")).answer({ pages: 2, svgs: 1 }, 202);
  (await retry("1299")).answer({ pages: 0, svgs: 0 }, 202);
  expect(await screen.findByText(/^Nezdařené se opakuje pro 1/)).toBeVisible();
  expect(screen.getByText("Nic se nezdařilo, není co opakovat. (1299)")).toBeVisible();
  await waitFor(() => expect(box("1300")).not.toBeChecked());
  expect(box("1299")).toBeChecked();
});

it("nothing is requested if the question is closed, and an estimate that fails is shown", async () => {
  const user = await selectAll(rows("1300"));
  await user.click(screen.getByRole("button", { name: "Vygenerovat SVG" }));
  (await takeRequest(requests, ESTIMATE)).answer(estimate(0, 3));
  await screen.findByRole("dialog");
  await user.keyboard("{Escape}");
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  expect(box("1300")).toBeChecked();
  await user.click(screen.getByRole("button", { name: "Vygenerovat SVG" }));
  (await takeRequest(requests, ESTIMATE)).answer(problem(503, "database_unavailable"), 503);
  expect(await screen.findByText(/^Databáze neodpovídá/)).toBeVisible();
  expect(requests).toHaveLength(0);
});

it("pages are approved and orders deleted after a question, and put on hold for a reason", async () => {
  const items = rows("1300").map((order) => ({ ...order, to_review: 5 }));
  const user = await selectAll(items);
  await choose(user, "Schválit omalovánky");
  const approval = within(await screen.findByRole("dialog", { name: "Schválit 5 omalovánek?" }));
  await user.click(approval.getByRole("button", { name: "Schválit omalovánky" }));
  (await takeRequest(requests, "POST /api/v1/orders/1300/approve")).answer({ approved: 0 });
  expect(await screen.findByText("Žádná omalovánka nečeká na schválení. (1300)")).toBeVisible();

  await choose(user, "Pozastavit...");
  const hold = within(await screen.findByRole("dialog", { name: "Pozastavit 1 objednávku" }));
  await user.type(hold.getByLabelText("Důvod"), " Zákazník zavolá ");
  await user.click(hold.getByRole("button", { name: "Pozastavit" }));
  const patch = await takeRequest(requests, "PATCH /api/v1/orders/1300");
  expect(await patch.body()).toEqual({ on_hold_reason: "Zákazník zavolá" });
  patch.answer(problem(404, "order_not_found"), 404);
  expect(await screen.findByText(/^Objednávka neexistuje.* \(1300\)$/)).toBeVisible();

  await choose(user, "Smazat...");
  const deletion = within(await screen.findByRole("dialog", { name: "Smazat 1 objednávku?" }));
  await user.click(deletion.getByRole("button", { name: "Smazat 1 objednávku" }));
  (await takeRequest(requests, "DELETE /api/v1/orders/1300")).answer(null, 204);
  expect(await screen.findByText("1 objednávka byla smazána.")).toBeVisible();
});

it.each([
  ["Označit jako vytištěné", { is_printed: true }],
  ["Označit jako odeslané", { is_shipped: true }],
  ["Znovu zařadit do práce", { on_hold_reason: null }],
])("%s needs no question", async (action, notes) => {
  const user = await selectAll(rows("1300"));
  await choose(user, action);
  const patch = await takeRequest(requests, "PATCH /api/v1/orders/1300");
  expect(await patch.body()).toEqual(notes);
  patch.answer({});
  await waitFor(() => expect(box("1300")).not.toBeChecked());
});

it("the ZIP leaves out the orders that the API names, and they are shown with the reason", async () => {
  vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: () => "blob:1", revokeObjectURL: () => null }));
  const user = await selectAll(rows("1300", "1299"));
  await choose(user, "Stáhnout SVG (ZIP)");
  const first = await takeRequest(requests, "POST /api/v1/orders/download");
  expect(await first.body()).toEqual({ order_numbers: ["1300", "1299"], what: "svg" });
  const refusal = problem(409, "nothing_chosen", "Order 1300 has no chosen SVG.");
  first.answer({ ...refusal, order_numbers: ["1300"] }, 409);
  const second = await takeRequest(requests, "POST /api/v1/orders/download");
  expect(await second.body()).toEqual({ order_numbers: ["1299"], what: "svg" });
  second.answer({});
  expect(await screen.findByText(/\(1300\)$/)).toBeVisible();
  expect(box("1299")).toBeChecked();
});

it("the number of all matching orders is offered where the API knows it", async () => {
  await selectAll(rows("1300", "1299"), { total: 312, next_cursor: "after-2" });
  expect(screen.getByRole("button", { name: "Vybrat všech 312 odpovídajících" })).toBeVisible();
});
