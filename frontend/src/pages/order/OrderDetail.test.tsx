import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter, Route, Routes } from "react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { problem, serve } from "@/components/order/test/api";
import { image, order } from "@/components/order/test/orders";
import { OrderDetail } from "./OrderDetail";

/** A hub that is never reached: what these tests are about comes from the API. */
class SilentEventSource extends EventTarget {
  close(): void {
    // Nothing was opened.
  }
}

beforeEach(() => vi.stubGlobal("EventSource", SilentEventSource));
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
      </MemoryRouter>
    </QueryClientProvider>,
  );
  return userEvent.setup();
}

describe("the order page", () => {
  it("shows the head and what is written into the book", async () => {
    serve({ [PATH]: () => ({ status: 200, body: order([image()]) }) });
    show();
    expect(await screen.findByRole("heading", { name: "1270" })).toBeVisible();
    for (const text of ["Petr Dvořák", "Zásilkovna", "Zaplaceno", "Pro Elišku"])
      expect(screen.getByText(text)).toBeVisible();
  });

  it("says that there is no such order only when the server says so", async () => {
    serve({ [PATH]: () => ({ status: 404, body: problem("order_not_found", "No order 1270.") }) });
    show();
    expect(await screen.findByText("Objednávka 1270 tu není")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Zkusit znovu" })).toBeNull();
  });

  it("offers to try again after a failed load", async () => {
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

  it("is deleted after a question only", async () => {
    const { asked } = serve({
      [PATH]: () => ({ status: 200, body: order([image()]) }),
      "DELETE /api/v1/orders/1270": () => ({ status: 200, body: null }),
    });
    const user = show();
    await user.click(await screen.findByRole("button", { name: "Smazat" }));
    expect(screen.getByRole("dialog", { name: "Smazat objednávku 1270?" })).toBeVisible();
    expect(asked).not.toContain("DELETE /api/v1/orders/1270");
    await user.click(screen.getByRole("button", { name: "Smazat objednávku" }));
    await waitFor(() => expect(screen.getByText("the list")).toBeVisible());
    expect(asked).toContain("DELETE /api/v1/orders/1270");
  });
});
