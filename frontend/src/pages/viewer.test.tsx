import { fireEvent, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { image, order, page, svg } from "@/components/order/test/orders";
import { FakeEventSource } from "@/test/FakeEventSource";
import { holdRequests, takeRequest, type WaitingRequest } from "@/test/fakeApi";
import { forgetToasts, renderPage } from "@/test/renderPage";
import { sampleRow } from "@/test/samples";
import { sampleLetter, sampleLetters, sampleSystem } from "@/test/systemSamples";
import { VIEWER, WithSession } from "@/test/viewer";
import { ListPage } from "./ListPage";
import { OrderDetail } from "./order/OrderDetail";
import SystemPage from "./SystemPage";

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

const buttons = () =>
  screen.queryAllByRole("button").map((button) => button.getAttribute("aria-label") ?? button.textContent);

async function showList(rows: ReturnType<typeof sampleRow>[]) {
  const shown = renderPage(
    <WithSession changes={VIEWER}>
      <ListPage />
    </WithSession>,
    "/",
  );
  const answer = { items: rows, next_cursor: null, shop_configured: true };
  (await takeRequest(requests, "GET /api/v1/orders")).answer(answer);
  return shown;
}

async function showOrder() {
  const shown = renderPage(
    <WithSession changes={VIEWER}>
      <OrderDetail orderNumber="1270" />
    </WithSession>,
    "/orders/1270",
  );
  const done = image({
    id: 7,
    versions: { coloring: [page(1), page(2)], svg: [svg(3, 2)] },
    selected_version_ids: { coloring: 2, svg: 3 },
  });
  const working = page(4, { status: "processing", url: null });
  const failed = svg(5, 4, { status: "error", url: null, error: { code: "timeout", message: "Late." } });
  const rest = image({ id: 8, position: 2, versions: { coloring: [working], svg: [failed] } });
  const answer = { ...order([done, rest]), shop_url: "https://shop.example/1270" };
  (await takeRequest(requests, "GET /api/v1/orders/1270")).answer(answer);
  await screen.findByRole("article", { name: "Fotka 1" });
  return shown;
}

describe("a viewer", () => {
  it("has a list without controls to select, generate or fetch", async () => {
    const { user } = await showList([sampleRow("1270", 1)]);
    await screen.findByRole("table");
    expect(screen.queryAllByRole("checkbox")).toHaveLength(0);
    expect(buttons().filter((name) => /Nová|Načíst|Vybrat/.test(name))).toEqual([]);
    await user.keyboard("jxcv");
    expect(screen.queryByRole("region", { name: "Práce s vybranými" })).toBeNull();
    expect(requests.filter(({ method }) => method !== "GET")).toEqual([]);
  });

  it("sees an empty list without the hint to drop photos", async () => {
    await showList([]);
    expect(await screen.findByText("Nové objednávky se zde zobrazí automaticky.")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Vybrat fotky" })).toBeNull();
  });

  it("who drops photos sees why no order is created", async () => {
    await showList([sampleRow("1270", 1)]);
    const files = [new File(["x"], "a.jpg", { type: "image/jpeg" })];
    fireEvent.drop(window, { dataTransfer: { types: ["Files"], files } });
    expect(await screen.findByText("Toto smějí jen operátoři. Objednávky můžete prohlížet.")).toBeVisible();
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("can only view and download an order", async () => {
    const { user } = await showOrder();
    const allowed =
      /^(Zobrazit na celou obrazovku|Podrobnosti a\sakce$|Kniha|Export|Historie|v\d+(Chyba|Dokončeno)|Fotka$|Omalovánka$|SVG$|velké$|střední$|malé$)/;
    expect(buttons().filter((name) => !allowed.test(name))).toEqual([]);
    expect(screen.queryAllByRole("radio")).toHaveLength(0);
    expect(screen.getByRole("link", { name: "Otevřít ve Shopify" })).toBeVisible();
    // The chosen version is still marked.
    const pages = screen.getAllByRole("list", { name: "Verze omalovánky" })[0];
    if (!pages) throw new Error("the pages are not listed");
    const current = within(pages)
      .getAllByRole("listitem")
      .map((item) => item.querySelector("[aria-current]")?.getAttribute("aria-current"));
    expect(current).toEqual(["false", "true"]);
    await user.keyboard("jcv1");
    expect(requests.filter(({ method }) => method !== "GET")).toEqual([]);
  });

  it("sees dead letters without their actions", async () => {
    renderPage(
      <WithSession changes={VIEWER}>
        <SystemPage />
      </WithSession>,
      "/system",
    );
    const letters = sampleLetters(sampleLetter(1), sampleLetter(2));
    (await takeRequest(requests, "GET /api/v1/system")).answer(sampleSystem(letters));
    expect(await screen.findByText("It failed for reason 1.", { exact: false })).toBeInTheDocument();
    expect(buttons()).toEqual(["Obnovit"]);
  });
});
