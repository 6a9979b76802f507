import { QueryClientProvider, useQuery } from "@tanstack/react-query";
import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { MemoryRouter, useLocation } from "react-router";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useSession } from "@/hooks/useSession";
import { fetchOrder } from "@/lib/api";
import { listenToOtherTabs, notifyOtherTabs } from "@/lib/otherTabs";
import { createQueryClient } from "@/lib/queryClient";
import { holdRequests, problem, takeRequest, type WaitingRequest } from "@/test/fakeApi";
import type { SessionAnswer } from "@/types/session";
import { SessionGate } from "./SessionGate";
import { UserMenu } from "./UserMenu";

const SESSION = "GET /api/v1/session";
const ORDER = "GET /api/v1/orders/1270";
const signedOut: SessionAnswer = { mode: "password", caller: null };
const operator = (name: string): SessionAnswer => ({
  mode: "password",
  caller: { name, kind: "user", role: "operator" },
});

let requests: WaitingRequest[];

beforeEach(() => {
  requests = holdRequests();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A page with loaded data and an input. */
function Page() {
  const { data } = useQuery({ queryKey: ["order"], queryFn: () => fetchOrder("1270") });
  const [note, setNote] = useState("");
  const { renew } = useSession();
  return (
    <main id="main" tabIndex={-1}>
      <UserMenu />
      <p>{data ? `loaded ${data.customer_name}` : "loading"}</p>
      <input aria-label="note" value={note} onChange={(event) => setNote(event.target.value)} />
      <button type="button" onClick={() => void fetchOrder("x").catch(() => null)}>
        call
      </button>
      <button type="button" onClick={() => void renew()}>
        renew
      </button>
      <output>{useLocation().pathname}</output>
    </main>
  );
}

function open() {
  render(
    <QueryClientProvider client={createQueryClient()}>
      <MemoryRouter initialEntries={["/orders/1270"]}>
        <SessionGate>
          <Page />
        </SessionGate>
      </MemoryRouter>
    </QueryClientProvider>,
  );
  return userEvent.setup();
}

async function answer(start: string, body: unknown, status?: number, headers?: Record<string, string>) {
  const request = await takeRequest(requests, start);
  request.answer(body, status, headers);
  return request;
}

/** Renders the page for this user, who has typed something. */
async function openFor(name: string) {
  const user = open();
  await answer(SESSION, operator(name));
  await answer(ORDER, { customer_name: "Jana" });
  await screen.findByText("loaded Jana");
  await user.type(screen.getByLabelText("note"), "call back");
  return user;
}

/** A request is refused, and the API confirms that the session ended. */
async function endSession(user: ReturnType<typeof userEvent.setup>) {
  await user.click(screen.getByRole("button", { name: "call" }));
  await answer("GET /api/v1/orders/x", problem(401, "sign_in_required"), 401);
  await answer(SESSION, signedOut);
  await screen.findByRole("heading", { name: "Přihlášení" });
}

async function fill(user: ReturnType<typeof userEvent.setup>, name: string, password: string) {
  await user.clear(screen.getByLabelText("Jméno"));
  await user.type(screen.getByLabelText("Jméno"), name);
  await user.type(screen.getByLabelText("Heslo"), `${password}{Enter}`);
}

describe("a signed-in user", () => {
  it("does not wait: the page loads concurrently with the session", async () => {
    open();
    await takeRequest(requests, ORDER);
    const session = await takeRequest(requests, SESSION);
    session.answer(operator("Eva"));
    expect(await screen.findByRole("button", { name: "Přihlášení: Eva" })).toBeVisible();
    expect(screen.getByText("loading")).toBeVisible();
  });

  it("sees the page even if the session request fails", async () => {
    open();
    await answer(SESSION, problem(503, "database_unavailable"), 503);
    await answer(ORDER, { customer_name: "Jana" });
    expect(await screen.findByText("loaded Jana")).toBeVisible();
  });

  it("is refetched every three minutes, and when the page becomes visible", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    await openFor("Eva");
    await act(() => vi.advanceTimersByTimeAsync(3 * 60_000));
    await answer(SESSION, operator("Eva"));
    // Wait until the response is applied: a concurrent call would share its request.
    await act(() => vi.advanceTimersByTimeAsync(100));
    act(() => void document.dispatchEvent(new Event("visibilitychange", { bubbles: true })));
    await answer(SESSION, operator("Eva"));
    expect(screen.getByLabelText("note")).toHaveValue("call back");
  });
});

describe("without a session", () => {
  it("shows the sign-in page, and the requested page afterwards", async () => {
    const user = open();
    await answer(ORDER, problem(401, "sign_in_required"), 401);
    await answer(SESSION, signedOut);
    const name = await screen.findByLabelText("Jméno");
    await waitFor(() => expect(name).toHaveFocus());
    expect(document.title).toBe("Přihlášení · Pastelka");
    expect(screen.queryByText("loading")).toBeNull();
    await fill(user, " Eva ", "secret");
    const request = await takeRequest(requests, "POST /api/v1/session");
    expect(await request.body()).toEqual({ name: "Eva", password: "secret" });
    request.answer(operator("Eva"));
    await answer(ORDER, { customer_name: "Jana" });
    expect(await screen.findByText("loaded Jana")).toBeVisible();
    expect(screen.getByRole("status")).toHaveTextContent("/orders/1270");
    expect(screen.queryByLabelText("Heslo")).toBeNull();
  });

  it("shows what is missing or wrong, and focuses that field", async () => {
    const user = open();
    await answer(SESSION, signedOut);
    await screen.findByLabelText("Jméno");
    await user.keyboard("Eva{Enter}");
    expect(screen.getByRole("alert")).toHaveTextContent("Vyplňte jméno i heslo.");
    expect(screen.getByLabelText("Heslo")).toHaveFocus();
    await user.keyboard("wrong{Enter}");
    await answer("POST /api/v1/session", problem(401, "bad_credentials"), 401);
    await waitFor(() => expect(screen.getByRole("alert")).toHaveTextContent("Jméno nebo heslo nesouhlasí."));
    expect(screen.getByLabelText("Heslo")).toHaveAccessibleDescription("Jméno nebo heslo nesouhlasí.");
    expect(screen.getByLabelText("Heslo")).toHaveFocus();
    // Selected, so that the next attempt replaces it.
    await user.keyboard("right{Enter}");
    const request = await takeRequest(requests, "POST /api/v1/session");
    expect(await request.body()).toEqual({ name: "Eva", password: "right" });
  });

  it("counts down the seconds after too many attempts", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const user = open();
    await answer(SESSION, signedOut);
    await screen.findByLabelText("Jméno");
    await fill(user, "Eva", "wrong");
    await answer("POST /api/v1/session", problem(429, "too_many_attempts"), 429, { "Retry-After": "30" });
    await waitFor(() => expect(screen.getByRole("alert")).toHaveTextContent("za 30 sekund."));
    await act(() => vi.advanceTimersByTimeAsync(27_500));
    expect(screen.getByRole("alert")).toHaveTextContent(/za [23] sekundy\./);
    await user.keyboard("{Enter}");
    expect(requests.filter(({ method }) => method === "POST")).toHaveLength(0);
    await act(() => vi.advanceTimersByTimeAsync(3000));
    expect(screen.getByRole("alert")).toHaveTextContent("Nyní to můžete zkusit znovu.");
    await user.keyboard("{Enter}");
    await takeRequest(requests, "POST /api/v1/session");
  });

  it("has no form behind a proxy, whether the API or the proxy refuses", async () => {
    const user = open();
    await answer(SESSION, { mode: "proxy", caller: null });
    expect(await screen.findByRole("heading", { name: "Nejste přihlášeni" })).toBeVisible();
    expect(screen.queryByLabelText("Heslo")).toBeNull();
    const reload = vi.spyOn(location, "reload").mockImplementation(() => undefined);
    await user.click(screen.getByRole("button", { name: "Načíst znovu" }));
    expect(reload).toHaveBeenCalledOnce();
    reload.mockRestore();
  });

  it("points to the proxy if the proxy redirects the session request", async () => {
    open();
    await answer(SESSION, "<html>", 401);
    expect(await screen.findByRole("heading", { name: "Nejste přihlášeni" })).toBeVisible();
  });
});

describe("a session that ends meanwhile", () => {
  it("keeps the pages for the same user, and refetches their data", async () => {
    const user = await openFor("Eva");
    await endSession(user);
    expect(
      screen.getByText("Přihlášení skončilo. Přihlaste se znovu a budete pokračovat na stejném místě."),
    ).toBeVisible();
    expect(screen.getByLabelText("Jméno")).toHaveValue("Eva");
    expect(screen.getByLabelText("Heslo")).toHaveFocus();
    expect(screen.getByText("loaded Jana")).not.toBeVisible();
    await user.keyboard("secret{Enter}");
    await answer("POST /api/v1/session", operator("Eva"));
    await answer(ORDER, { customer_name: "Karel" });
    expect(await screen.findByText("loaded Karel")).toBeVisible();
    expect(screen.getByLabelText("note")).toHaveValue("call back");
    // The focus is back on the last pressed button.
    await waitFor(() => expect(screen.getByRole("button", { name: "call" })).toHaveFocus());
  });

  it("shows nothing of it to another user", async () => {
    const user = await openFor("Eva");
    await endSession(user);
    await fill(user, "Karel", "secret");
    await answer("POST /api/v1/session", operator("Karel"));
    const request = await takeRequest(requests, ORDER);
    expect(screen.getByText("loading")).toBeVisible();
    expect(screen.getByLabelText("note")).toHaveValue("");
    request.answer({ customer_name: "Olga" });
    expect(await screen.findByText("loaded Olga")).toBeVisible();
  });

  it("is not treated as ended if the API reports a session", async () => {
    const user = await openFor("Eva");
    await user.click(screen.getByRole("button", { name: "call" }));
    await answer("GET /api/v1/orders/x", problem(401, "sign_in_required"), 401);
    await answer(SESSION, operator("Eva"));
    expect(screen.getByText("loaded Jana")).toBeVisible();
    expect(screen.queryByLabelText("Heslo")).toBeNull();
  });

  it("keeps its data longer than the cache's default", async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    const user = await openFor("Eva");
    await endSession(user);
    await act(() => vi.advanceTimersByTimeAsync(30 * 60_000));
    requests.length = 0;
    await user.type(screen.getByLabelText("Heslo"), "secret{Enter}");
    await answer("POST /api/v1/session", operator("Eva"));
    await takeRequest(requests, ORDER);
    expect(screen.getByText("loaded Jana")).toBeVisible();
  });
});

describe("signing out", () => {
  it("drops all data, opens the list, and notifies the other tabs", async () => {
    const user = await openFor("Eva");
    const heard = vi.fn();
    const stop = listenToOtherTabs(heard);
    await user.click(screen.getByRole("button", { name: "Odhlásit se" }));
    await answer("DELETE /api/v1/session", null, 204);
    expect(await screen.findByLabelText("Jméno")).toHaveValue("");
    expect(screen.queryByText("loaded Jana")).toBeNull();
    await waitFor(() => expect(heard).toHaveBeenCalledWith("signedOut"));
    stop();
    await fill(user, "Eva", "secret");
    await answer("POST /api/v1/session", operator("Eva"));
    await takeRequest(requests, ORDER);
    expect(screen.getByText("loading")).toBeVisible();
    expect(screen.getByLabelText("note")).toHaveValue("");
    expect(screen.getByRole("status")).toHaveTextContent(/^\/$/);
  });

  it("shows an error if it fails", async () => {
    const user = await openFor("Eva");
    await user.click(screen.getByRole("button", { name: "Odhlásit se" }));
    await answer("DELETE /api/v1/session", problem(503, "database_unavailable"), 503);
    expect(screen.getByText("loaded Jana")).toBeVisible();
  });

  it("in another tab signs this one out, and signing in there signs it in", async () => {
    await openFor("Eva");
    notifyOtherTabs("signedOut");
    expect(await screen.findByLabelText("Jméno")).toHaveValue("");
    expect(screen.queryByText("loaded Jana")).toBeNull();
    notifyOtherTabs("signedIn");
    await answer(SESSION, operator("Karel"));
    await takeRequest(requests, ORDER);
    expect(screen.getByText("loading")).toBeVisible();
  });
});

describe("UserMenu", () => {
  it("renders nothing with AUTH_MODE=open", async () => {
    open();
    await answer(SESSION, { mode: "open", caller: { name: "open", kind: "open", role: "operator" } });
    await answer(ORDER, { customer_name: "Jana" });
    await screen.findByText("loaded Jana");
    expect(screen.queryByRole("button", { name: /Přihlášení/ })).toBeNull();
    expect(screen.queryByText("Odhlásit se")).toBeNull();
  });

  it("has no sign-out button behind a proxy, and explains the viewer role", async () => {
    open();
    await answer(SESSION, { mode: "proxy", caller: { name: "eva@shop", kind: "proxy", role: "viewer" } });
    expect(await screen.findByRole("button", { name: "Přihlášení: eva@shop" })).toBeVisible();
    expect(screen.getByText("Jen prohlížení")).toBeInTheDocument();
    expect(screen.queryByText("Odhlásit se")).toBeNull();
  });
});
