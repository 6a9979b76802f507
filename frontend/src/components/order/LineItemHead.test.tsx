import { screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { holdRequests, problem, takeRequest, type WaitingRequest } from "@/test/fakeApi";
import { forgetToasts, renderPage } from "@/test/renderPage";
import { LineItemHead } from "./LineItemHead";
import type { LineItem } from "./model";

const ITEM: LineItem = {
  id: 3,
  title: "Omalovánky",
  quantity: 1,
  dedication: "Pro Elišku",
  layout: null,
  images: [],
};
const STATE = { id: 3, title: "Omalovánky", quantity: 1, dedication: "Pro Elišku", layout: null };
const PATH = "/api/v1/orders/1270/line-items/3";

let requests: WaitingRequest[];
beforeEach(() => {
  requests = holdRequests();
});
afterEach(() => {
  vi.unstubAllGlobals();
  forgetToasts();
});

const show = (change: Partial<LineItem> = {}) =>
  renderPage(<LineItemHead orderNumber="1270" item={{ ...ITEM, ...change }} isDeliverable />, "/");

async function edited() {
  const shown = show();
  await shown.user.click(screen.getByRole("button", { name: "Upravit položku Omalovánky" }));
  (await takeRequest(requests, `GET ${PATH}`)).answer(STATE, 200, { ETag: '"one"' });
  await screen.findByRole("form", { name: "Upravit" });
  return shown;
}

async function typed(user: Awaited<ReturnType<typeof edited>>["user"], label: string, text: string) {
  await user.clear(screen.getByLabelText(label));
  await user.type(screen.getByLabelText(label), text);
}

describe("a line item", () => {
  it("is changed with the ETag that was read; only the changed fields are sent", async () => {
    const { user } = await edited();
    await typed(user, "Počet kusů", "3");
    await user.selectOptions(screen.getByLabelText("Rozvržení"), "two");
    await user.click(screen.getByRole("button", { name: "Uložit" }));
    const request = await takeRequest(requests, `PATCH ${PATH}`);
    expect(await request.body()).toEqual({ quantity: 3, layout: "two" });
    expect(request.header("If-Match")).toBe('"one"');
    request.answer({ ...STATE, quantity: 3, layout: "two" });
    expect(await screen.findByRole("button", { name: "Upravit položku Omalovánky" })).toBeVisible();
  });

  it("has the focus in its first field as soon as it is shown, so that no key is lost", async () => {
    const focused: (Element | null)[] = [];
    const observer = new MutationObserver(() => {
      if (screen.queryByRole("form")) focused.push(document.activeElement);
    });
    observer.observe(document.body, { childList: true, subtree: true });
    await edited();
    observer.disconnect();
    expect(focused[0]).toBe(screen.getByLabelText("Název"));
  });

  it("that another person changed meanwhile shows that value, and saves only after a decision", async () => {
    const { user } = await edited();
    await typed(user, "Název", "Moje");
    await user.click(screen.getByRole("button", { name: "Uložit" }));
    (await takeRequest(requests, `PATCH ${PATH}`)).answer(problem(412, "precondition_failed"), 412);
    const theirs = { ...STATE, title: "Jejich", quantity: 5 };
    (await takeRequest(requests, `GET ${PATH}`)).answer(theirs, 200, { ETag: '"two"' });
    const alert = await screen.findByRole("alert");
    expect(
      within(alert)
        .getAllByRole("listitem")
        .map((item) => item.textContent),
    ).toEqual(["Název: Jejich", "Počet kusů: 5"]);
    // What only the other person changed is taken over, the own change stays.
    expect(screen.getByLabelText("Název")).toHaveValue("Moje");
    expect(screen.getByLabelText("Počet kusů")).toHaveValue(5);
    await user.click(screen.getByRole("button", { name: "Uložit moje" }));
    const request = await takeRequest(requests, `PATCH ${PATH}`);
    expect([await request.body(), request.header("If-Match")]).toEqual([{ title: "Moje" }, '"two"']);
  });

  it("can take the other person's values instead", async () => {
    const { user } = await edited();
    await typed(user, "Název", "Moje");
    await user.keyboard("{Enter}");
    (await takeRequest(requests, `PATCH ${PATH}`)).answer(problem(412, "precondition_failed"), 412);
    (await takeRequest(requests, `GET ${PATH}`)).answer({ ...STATE, title: "Jejich" }, 200, {
      ETag: '"two"',
    });
    await user.click(await screen.findByRole("button", { name: "Převzít tyto hodnoty" }));
    expect(screen.getByLabelText("Název")).toHaveValue("Jejich");
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("sends nothing invalid, and says what would be right", async () => {
    const { user } = await edited();
    await typed(user, "Počet kusů", "0");
    expect(screen.getByRole("alert")).toHaveTextContent("Zadejte celé číslo od 1 do 999.");
    await user.click(screen.getByRole("button", { name: "Uložit" }));
    expect(requests).toHaveLength(0);
  });

  it("is closed by Esc only if nothing typed would be lost", async () => {
    const { user } = await edited();
    await typed(user, "Věnování", "Pro Toníka");
    await user.keyboard("{Escape}");
    expect(screen.getByLabelText("Věnování")).toHaveValue("Pro Toníka");
    await typed(user, "Věnování", "Pro Elišku");
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("form")).toBeNull();
  });

  it("is not changed while it is saved", async () => {
    const { user } = await edited();
    await typed(user, "Název", "Moje");
    await user.click(screen.getByRole("button", { name: "Uložit" }));
    const request = await takeRequest(requests, `PATCH ${PATH}`);
    await user.type(screen.getByLabelText("Název"), " a další");
    await user.type(screen.getByLabelText("Věnování"), " a další");
    await user.selectOptions(screen.getByLabelText("Rozvržení"), "two");
    expect(screen.getByLabelText("Název")).toHaveValue("Moje");
    expect(screen.getByLabelText("Věnování")).toHaveValue("Pro Elišku");
    expect(screen.getByLabelText("Rozvržení")).toHaveValue("auto");
    request.answer({ ...STATE, title: "Moje" });
  });

  it("whose shop values only were changed meanwhile says so", async () => {
    const { user } = await edited();
    await typed(user, "Název", "Moje");
    await user.click(screen.getByRole("button", { name: "Uložit" }));
    (await takeRequest(requests, `PATCH ${PATH}`)).answer(problem(412, "precondition_failed"), 412);
    (await takeRequest(requests, `GET ${PATH}`)).answer(STATE, 200, { ETag: '"two"' });
    expect(await screen.findByRole("alert")).toHaveTextContent("Položku mezitím změnil někdo jiný.");
    expect(screen.getByLabelText("Název")).toHaveValue("Moje");
  });

  it("shows the shop's values, and takes them when the shop changed them later", async () => {
    const changes = {
      shop_values: { dedication: "Z obchodu" },
      shop_changed_at: "2026-11-24T10:00:00+01:00",
    };
    const { user, unmount } = show({ shop_values: changes.shop_values });
    expect(screen.getByText("Z obchodu")).toBeVisible();
    expect(screen.queryByRole("button", { name: "Použít hodnoty z\u00a0obchodu" })).toBeNull();
    unmount();
    show(changes);
    await user.click(screen.getByRole("button", { name: "Použít hodnoty z\u00a0obchodu" }));
    (await takeRequest(requests, `GET ${PATH}`)).answer(STATE, 200, { ETag: '"one"' });
    expect(await (await takeRequest(requests, `PATCH ${PATH}`)).body()).toEqual({ dedication: "Z obchodu" });
  });

  it("keeps its own values: each field that the shop changed is sent, and the time is of the language", async () => {
    const { user } = show({
      shop_values: { dedication: "Z obchodu", layout: "two" },
      shop_changed_at: new Date(2026, 10, 24, 15, 5).toISOString(),
    });
    expect(screen.getByText(/změnil 24\. 11\. 2026 15:05/)).toBeVisible();
    await user.click(screen.getByRole("button", { name: "Ponechat hodnoty z\u00a0Pastelky" }));
    (await takeRequest(requests, `GET ${PATH}`)).answer(STATE, 200, { ETag: '"one"' });
    const own = { dedication: "Pro Elišku", layout: null };
    expect(await (await takeRequest(requests, `PATCH ${PATH}`)).body()).toEqual(own);
  });
});
