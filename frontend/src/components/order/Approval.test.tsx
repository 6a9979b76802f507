import { screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { serve } from "./test/api";
import { order } from "./test/orders";
import { show, tile, TWO_PAGES } from "./test/showCard";

afterEach(() => vi.unstubAllGlobals());

describe("approving", () => {
  const approved = { ...TWO_PAGES, approved_at: "2026-11-23T11:00:00+01:00", approved_by: "Jana" };

  it("approves the page that is shown, and shows by whom", async () => {
    const selected_version_ids = { coloring: 2, svg: null };
    const { requests } = serve({
      "POST /api/v1/images/7/approve": () => ({ status: 200, body: { ...approved, selected_version_ids } }),
      "GET /api/v1/orders/1270": () => ({ status: 200, body: order([approved]) }),
    });
    const { user } = show(TWO_PAGES);
    await user.click(tile(2));
    await user.click(screen.getByRole("button", { name: "Schválit v2" }));
    expect(await screen.findByText("Schváleno (Jana)")).toBeVisible();
    expect(requests).toContain('POST /api/v1/images/7/approve {"coloring_version_id":2}');
  });

  it("offers no other choice until it is lifted", async () => {
    const { requests } = serve({
      "DELETE /api/v1/images/7/approve": () => ({ status: 200, body: TWO_PAGES }),
      "GET /api/v1/orders/1270": () => ({ status: 200, body: order([TWO_PAGES]) }),
    });
    const { user } = show(approved);
    await user.click(tile(2));
    expect(screen.queryByRole("button", { name: "Vybrat v2" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "Zrušit schválení" }));
    expect(await screen.findByRole("button", { name: "Schválit v2" })).toBeVisible();
    expect(requests).toContain("DELETE /api/v1/images/7/approve");
  });

  it("sends a page back only with a reason", async () => {
    const sent = {
      ...TWO_PAGES,
      selected_version_ids: { coloring: null, svg: null },
      rework_reason: "Dva nosy",
    };
    const { requests } = serve({
      "POST /api/v1/images/7/rework": () => ({ status: 200, body: sent }),
      "GET /api/v1/orders/1270": () => ({ status: 200, body: order([sent]) }),
    });
    const { user } = show(TWO_PAGES);
    await user.click(screen.getByRole("button", { name: "Vrátit" }));
    const dialog = within(screen.getByRole("dialog"));
    await user.click(dialog.getByRole("button", { name: "Vrátit" }));
    expect(requests).toEqual([]);
    await user.type(dialog.getByRole("textbox", { name: "Důvod" }), "Dva nosy{Enter}");
    expect(await screen.findByText("Vráceno: Dva nosy")).toBeVisible();
  });
});
