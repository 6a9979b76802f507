import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, Route, Routes } from "react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { problem, serve } from "@/components/order/test/api";
import { image, order } from "@/components/order/test/orders";
import { Toasts } from "@/components/Toasts";
import { FakeEventSource } from "@/test/FakeEventSource";
import { OrderDetail } from "./OrderDetail";

beforeEach(() => vi.stubGlobal("EventSource", FakeEventSource));
afterEach(() => vi.unstubAllGlobals());

const PATH = "GET /api/v1/orders/1270";

function show() {
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
      <MemoryRouter initialEntries={["/orders/1270"]}>
        <Routes>
          <Route path="/" element={<p>the list</p>} />
          <Route path="/orders/1270" element={<OrderDetail orderNumber="1270" />} />
        </Routes>
        <Toasts />
      </MemoryRouter>
    </QueryClientProvider>,
  );
  return userEvent.setup();
}

describe("the order page", () => {
  it("shows the head and the book's dedication and layout", async () => {
    serve({ [PATH]: () => ({ status: 200, body: order([image()]) }) });
    show();
    expect(await screen.findByRole("heading", { name: "1270" })).toBeVisible();
    for (const text of ["Petr Dvořák", "Zásilkovna", "Zaplaceno", "Pro Elišku"])
      expect(screen.getByText(text)).toBeVisible();
  });

  it("shows small sheets without versions, also at the next visit, and how many pages are approved", async () => {
    const approved = image({
      id: 8,
      position: 2,
      approved_at: "2026-11-29T10:00:00+01:00",
      approved_by: "eva",
    });
    serve({ [PATH]: () => ({ status: 200, body: order([image(), approved]) }) });
    const user = show();
    await user.click(await screen.findByRole("button", { name: "malé" }));
    expect(screen.queryByRole("group", { name: "Omalovánka" })).toBeNull();
    expect(screen.getAllByRole("article")).toHaveLength(2);
    expect(screen.getByText("Schváleno")).toBeVisible();
    expect(screen.getByText(/^schváleno 1\sz\s2$/)).toBeVisible();
    cleanup();
    show();
    expect(await screen.findByRole("button", { name: "malé" })).toHaveAttribute("aria-pressed", "true");
    await user.click(screen.getByRole("button", { name: "velké" }));
    expect(screen.getAllByRole("group", { name: "Omalovánka" })).toHaveLength(2);
  });

  it("shows that the order does not exist only after a 404", async () => {
    serve({ [PATH]: () => ({ status: 404, body: problem("order_not_found", "No order 1270.") }) });
    show();
    expect(await screen.findByText("Objednávka 1270 neexistuje")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Zkusit znovu" })).toBeNull();
  });

  it("offers a retry after a failed load", async () => {
    let up = false;
    serve({
      [PATH]: () =>
        up
          ? { status: 200, body: order([image()]) }
          : { status: 503, body: problem("database_unavailable", "Databáze neodpovídá.", 503) },
    });
    const user = show();
    expect(
      await screen.findByText("Databáze neodpovídá, nic se nezměnilo. Zkuste to za chvíli znovu."),
    ).toBeVisible();
    up = true;
    await user.click(screen.getByRole("button", { name: "Zkusit znovu" }));
    expect(await screen.findByRole("heading", { name: "1270" })).toBeVisible();
  });

  it("shows that the order was deleted while it was open, and links to the list", async () => {
    let there = true;
    serve({
      [PATH]: () =>
        there
          ? { status: 200, body: order([image()]) }
          : { status: 404, body: problem("order_not_found", "No order 1270.") },
      "GET /api/v1/orders": () => ({ status: 200, body: { items: [], next_cursor: null } }),
    });
    show();
    await screen.findByRole("heading", { name: "1270" });
    there = false;
    act(() => FakeEventSource.latest.send({ type: "list_update" }));
    expect(await screen.findByText("Objednávka 1270 byla právě smazána")).toBeVisible();
    expect(screen.getByRole("link", { name: "Zpět na objednávky" })).toHaveFocus();
    expect(screen.queryByRole("button", { name: "Zkusit znovu" })).toBeNull();
  });

  it("links to each book if there are several, with their quantities", async () => {
    const whole = order([image()]);
    const [item] = whole.line_items;
    if (!item) throw new Error("the sample has an item");
    const second = { ...item, id: 4, quantity: 3, dedication: null, images: [image({ id: 8 })] };
    serve({ [PATH]: () => ({ status: 200, body: { ...whole, line_items: [item, second] } }) });
    show();
    const links = within(await screen.findByRole("navigation", { name: "Položky" })).getAllByRole("link");
    expect(links.map((link) => [link.textContent, link.getAttribute("href")])).toEqual([
      ["Položka 1 (Pro Elišku)", "#item-3"],
      ["Položka 2", "#item-4"],
    ]);
    expect(document.getElementById("item-4")).toHaveTextContent("Omalovánky × 3");
  });

  it("explains what to do first if there is nothing to download", async () => {
    serve({
      [PATH]: () => ({ status: 200, body: order([image()]) }),
      "GET /api/v1/orders/1270/print": () => ({ status: 409, body: problem("nothing_chosen", "…", 409) }),
    });
    const user = show();
    (await screen.findByRole("button", { name: "Export" })).focus();
    await user.keyboard("{Enter}");
    const [print, ...others] = await screen.findAllByRole("menuitem");
    expect(others).toHaveLength(3);
    if (print) await user.click(print);
    expect(
      await screen.findByText("Není co stáhnout: nejprve vyberte dokončenou verzi některé fotky."),
    ).toBeVisible();
  });

  it.each([
    ["the order is cancelled", { cancelled_at: "2026-11-24T10:00:00+01:00" }, undefined],
    ["the shop removed all items", {}, true as const],
  ])("offers neither the book, exports nor generation if %s", async (_, change, removed) => {
    const whole = order([image()]);
    const items = whole.line_items.map((item) => ({ ...item, ...(removed && { removed, quantity: 0 }) }));
    serve({ [PATH]: () => ({ status: 200, body: { ...whole, ...change, line_items: items } }) });
    show();
    expect(await screen.findByRole("article", { name: "Fotka 1" })).toBeVisible();
    for (const name of ["Export", "Kniha", "Vygenerovat omalovánky", /^Upravit/])
      expect(screen.queryByRole("button", { name })).toBeNull();
    expect(screen.getByText(removed ? "Odebráno z objednávky" : "Zrušena v obchodě")).toBeVisible();
  });

  it("is deleted only after a confirmation", async () => {
    const { requests } = serve({
      [PATH]: () => ({ status: 200, body: order([image()]) }),
      "DELETE /api/v1/orders/1270": () => ({ status: 200, body: null }),
    });
    const user = show();
    await user.click(await screen.findByRole("button", { name: "Smazat" }));
    expect(screen.getByRole("dialog", { name: "Smazat objednávku 1270?" })).toBeVisible();
    expect(requests).not.toContain("DELETE /api/v1/orders/1270");
    await user.click(screen.getByRole("button", { name: "Smazat objednávku" }));
    await waitFor(() => expect(screen.getByText("the list")).toBeVisible());
    expect(requests).toContain("DELETE /api/v1/orders/1270");
  });
});
