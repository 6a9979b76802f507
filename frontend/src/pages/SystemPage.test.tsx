import { focusManager } from "@tanstack/react-query";
import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SystemState } from "@/lib/api";
import { FakeEventSource } from "@/test/FakeEventSource";
import { holdRequests, problem, takeRequest, type WaitingRequest } from "@/test/fakeApi";
import { forgetToasts, renderPage } from "@/test/renderPage";
import {
  sampleLetter,
  sampleLetters,
  sampleProcess,
  sampleRetention,
  sampleSilence,
  sampleSystem,
} from "@/test/systemSamples";
import SystemPage from "./SystemPage";

const SYSTEM = "GET /api/v1/system";
let requests: WaitingRequest[];

beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  vi.stubGlobal("EventSource", FakeEventSource);
  FakeEventSource.opened = [];
  requests = holdRequests();
});

afterEach(() => {
  focusManager.setFocused(undefined);
  vi.useRealTimers();
  vi.unstubAllGlobals();
  forgetToasts();
});

async function showSystem(system: SystemState) {
  renderPage(<SystemPage />, "/system");
  (await takeRequest(requests, SYSTEM)).answer(system);
  await screen.findByRole("heading", { name: "Systém" });
  return userEvent.setup({ advanceTimers: (ms) => vi.advanceTimersByTime(ms) });
}

async function answerNext(system: SystemState) {
  (await takeRequest(requests, SYSTEM)).answer(system);
}

const section = (name: string) => within(screen.getByRole("region", { name }));
const service = (name: string) => {
  const found = screen.getByText(name).closest("li");
  if (!found) throw new Error(`${name} is in no row`);
  return within(found);
};
const letters = () => section("Nedoručené úlohy");

describe("a failing provider", () => {
  const breaker = {
    state: "open",
    since: "2026-01-16T14:29:00.000Z",
    reason: "RunPod answered 500.",
    next_probe_at: "2026-01-16T14:30:15.000Z",
  } as const;

  it("is shown at the top and at its service, with the time of the next attempt", async () => {
    await showSystem(sampleSystem({ services: [{ ...sampleProcess("coloring"), breaker }] }));
    expect(screen.getByRole("link", { name: "Omalovánky: poskytovatel selhává" })).toBeVisible();
    expect(service("coloring").getByText(/úlohy čekají\. Další zkouška za 15 s/)).toBeVisible();
    expect(service("coloring").getByText("RunPod answered 500.")).toBeInTheDocument();
  });

  it("is no issue once it responds", async () => {
    const closed = { ...breaker, state: "closed", reason: null, next_probe_at: null } as const;
    await showSystem(sampleSystem({ services: [{ ...sampleProcess("coloring"), breaker: closed }] }));
    expect(screen.queryByRole("link", { name: /poskytovatel/ })).toBeNull();
    expect(service("coloring").getByText("poskytovatel odpovídá")).toBeVisible();
  });
});

describe("retention", () => {
  it("shows the number of days, the time of the last run, and the number of erased orders", async () => {
    await showSystem(sampleSystem(sampleRetention({ erased: 12 })));
    const line = screen.getByText(/starší než 90 dní se mažou, naposledy se hledaly před 40 s/);
    expect(line).toHaveTextContent(/Od 2\. 1\. 2026 se smazalo 12\./);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("shows that orders are kept", async () => {
    await showSystem(sampleSystem(sampleRetention({ on: false, days: null })));
    expect(screen.getByText("Objednávky se automaticky nemažou.")).toBeVisible();
  });

  it("shows which orders cannot be erased, and why", async () => {
    const error = "1 of its files cannot be deleted; the first is 7/image_1.jpg: Permission denied.";
    await showSystem(sampleSystem(sampleRetention({ waiting: 2, failing: 2, error })));
    expect(screen.getByRole("alert")).toHaveTextContent(`2 objednávky se zatím nedaří smazat: ${error}`);
  });

  it("shows no times before the first run", async () => {
    await showSystem(sampleSystem());
    expect(screen.queryByText(/mažou/)).toBeNull();
  });
});

describe("the page", () => {
  it("has a skeleton first, then every service with its processes", async () => {
    renderPage(<SystemPage />, "/system");
    expect(screen.getByRole("status", { name: "Načítá se stav systému" })).toBeVisible();
    await answerNext(
      sampleSystem({
        services: [
          sampleProcess("orders-api", { database: "ok", broker: "ok" }),
          sampleProcess("notifier", { broker: "ok", hub: "ConnectionError: refused" }),
          sampleSilence("vectorize"),
          sampleProcess("painter"),
        ],
      }),
    );
    expect(await screen.findByText("Živé změny: potíže")).toBeVisible();
    expect(screen.getByText("Vektorizace: neodpovídá")).toBeVisible();
    expect(service("orders-api").getByText("V pořádku")).toBeVisible();
    expect(service("orders-api").getByText("běží 3 h 12 min")).toBeVisible();
    expect(service("orders-api").getByText("orders-api-host:7")).toBeVisible();
    expect(service("notifier").getByText("Potíže")).toBeVisible();
    expect(service("notifier").getByText("hub: ConnectionError: refused")).toBeVisible();
    expect(service("vectorize").getByText("Žádný proces neodpovídá.")).toBeVisible();
    expect(screen.getAllByText("painter")).toHaveLength(2);
  });

  it("has queues, the last hour as figures and as a chart, and no dead letters", async () => {
    await showSystem(sampleSystem({ outbox: { messages: 4, oldest_seconds: 90, refused: 2 } }));
    const heading = section("Fronty").getByRole("heading", { name: "Omalovánky" });
    const coloring = heading.parentElement?.parentElement;
    expect(coloring).toHaveTextContent(/12\s*čeká\s*2\s*zpracovává se/);
    expect(section("Fronty").getByText(/nejstarší 1 min 30 s/)).toBeVisible();
    expect(screen.getByText("Zprávy neodcházejí")).toBeVisible();
    expect(section("Fronty").getByText("2 odmítnuté zprávy")).toBeVisible();
    expect(screen.getByRole("link", { name: "2 odmítnuté zprávy" })).toHaveAttribute("href", "#queues");
    const hour = section("Poslední hodina");
    expect(hour.getByText("42")).toBeVisible();
    expect(hour.getByText("6,7 %")).toBeVisible();
    expect(
      hour.getByRole("img", { name: "Omalovánky, minutu po minutě: 42 dokončeno, 3 selhalo" }),
    ).toBeVisible();
    expect(hour.getByText("nejvýše 42 za minutu")).toBeVisible();
    expect(hour.getByText("Za poslední hodinu nic neskončilo.")).toBeVisible();
    expect(letters().getByText(/Žádné nedoručené úlohy/)).toBeVisible();
  });

  it("shows that everything is healthy", async () => {
    await showSystem(sampleSystem());
    expect(screen.getByText("Vše běží")).toBeVisible();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("shows that NATS is unavailable, and no values that depend on it", async () => {
    const silent = ["orders-worker", "coloring", "vectorize", "notifier"].map(sampleSilence);
    const api = sampleProcess("orders-api", { database: "ok", broker: "no answer" });
    await showSystem(sampleSystem({ services: [api, ...silent], queues: null, dead_letters: null }));
    expect(screen.getByRole("alert")).toHaveTextContent(/^NATS neodpovídá\. Stav front/);
    expect(service("coloring").getByText("Nelze zjistit")).toBeVisible();
    expect(screen.queryByText("Neodpovídá")).toBeNull();
    expect(letters().getByText("Nyní nelze zjistit")).toBeVisible();
    expect(section("Poslední hodina").getByText("42")).toBeVisible();
  });

  it("shows that the database is unavailable", async () => {
    await showSystem(sampleSystem({ last_hour: null, outbox: null }));
    expect(screen.getByRole("alert")).toHaveTextContent(/^Databáze neodpovídá\./);
    expect(section("Poslední hodina").getByText("Nyní nelze zjistit")).toBeVisible();
    expect(section("Fronty").getByText("12")).toBeVisible();
  });
});

describe("staying up to date", () => {
  it("refetches every few seconds, and shows the age of the data", async () => {
    await showSystem(sampleSystem());
    expect(screen.getByTestId("freshness")).toHaveTextContent("aktualizováno právě teď");
    await act(() => vi.advanceTimersByTimeAsync(2500));
    expect(screen.getByTestId("freshness")).toHaveTextContent(/aktualizováno před [234] s/);
    expect(requests).toHaveLength(0);
    await act(() => vi.advanceTimersByTimeAsync(3000));
    await answerNext(sampleSystem({ queues: [{ name: "coloring", waiting: 77, in_progress: 3 }] }));
    expect(await screen.findByText("77")).toBeVisible();
    expect(screen.getByTestId("freshness")).toHaveTextContent("aktualizováno právě teď");
  });

  it("fetches nothing while the page is hidden", async () => {
    await showSystem(sampleSystem());
    act(() => focusManager.setFocused(false));
    await act(() => vi.advanceTimersByTimeAsync(60_000));
    expect(requests).toHaveLength(0);
    act(() => focusManager.setFocused(true));
    await answerNext(sampleSystem());
  });

  it("refetches soon after updates of orders, once for many", async () => {
    await showSystem(sampleSystem());
    await waitFor(() => expect(FakeEventSource.opened).toHaveLength(1));
    act(() => {
      for (const number of ["1270", "1271", "1272"])
        FakeEventSource.latest.send({ type: "order_update", order_number: number });
    });
    await act(() => vi.advanceTimersByTimeAsync(1100));
    expect(requests).toHaveLength(1);
  });

  it("keeps the data when a refresh fails, shows a warning, and removes it after the next success", async () => {
    const user = await showSystem(sampleSystem());
    await user.click(screen.getByRole("button", { name: "Obnovit" }));
    (await takeRequest(requests, SYSTEM)).answer(problem(503, "internal_error"), 503);
    const notice = await screen.findByRole("alert");
    expect(notice).toHaveTextContent(/^Obnovení se nezdařilo\. Zobrazen je stav z .*Server narazil na chybu/);
    expect(section("Fronty").getByText("12")).toBeVisible();
    await user.click(within(notice).getByRole("button", { name: "Zkusit znovu" }));
    await answerNext(sampleSystem());
    await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
  });

  it("offers a retry when the first load fails", async () => {
    renderPage(<SystemPage />, "/system");
    (await takeRequest(requests, SYSTEM)).answer(problem(503, "internal_error"), 503);
    expect(await screen.findByText("Stav systému se nepodařilo načíst")).toBeVisible();
    act(() => screen.getByRole("button", { name: "Zkusit znovu" }).click());
    await answerNext(sampleSystem());
    expect(await screen.findByText("Vše běží")).toBeVisible();
  });

  it("shows when a silent service last responded", async () => {
    await showSystem(sampleSystem({ services: [sampleProcess("coloring")] }));
    await act(() => vi.advanceTimersByTimeAsync(5100));
    await answerNext(sampleSystem({ at: "2026-01-16T14:32:00.000Z", services: [sampleSilence("coloring")] }));
    expect(await screen.findByText(/Naposledy odpověděla před 2 min\./)).toBeVisible();
  });
});

describe("dead letters", () => {
  const two = () => sampleSystem(sampleLetters(sampleLetter(8), sampleLetter(7, { subject: "jobs.svg.7" })));
  const requeue = (what: string) => letters().getByRole("button", { name: `Zařadit znovu: ${what}` });

  it("show job, reason and time, with a link to the order", async () => {
    await showSystem(
      sampleSystem(sampleLetters(sampleLetter(8), sampleLetter(5, { subject: "jobs.painting.5" }))),
    );
    expect(screen.getByText("2 nedoručené úlohy").closest("a")).toHaveAttribute("href", "#letters");
    const [first, second] = letters().getAllByRole("listitem");
    expect(first).toHaveTextContent(/Omalovánka.*fotka 9 · verze 8.*It failed for reason 8\..*3\. pokus/);
    expect(second).toHaveTextContent("jobs.painting.5");
    expect(letters().getAllByRole("link", { name: "Objednávka 1270" })[0]).toHaveAttribute(
      "href",
      "/orders/1270",
    );
  });

  it("disappear at once when they are requeued", async () => {
    const user = await showSystem(two());
    await user.click(requeue("SVG, Objednávka 1270"));
    (await takeRequest(requests, "POST /api/v1/dead-letters/7/requeue")).answer(null, 204);
    await waitFor(() => expect(screen.queryByText("It failed for reason 7.")).toBeNull());
    expect(screen.getByText("It failed for reason 8.")).toBeInTheDocument();
    expect(await screen.findByText("1 úloha je znovu zařazená.")).toBeVisible();
    await answerNext(sampleSystem(sampleLetters(sampleLetter(8))));
  });

  it("stay with the reason if requeueing is refused", async () => {
    const user = await showSystem(two());
    await user.click(requeue("SVG, Objednávka 1270"));
    (await takeRequest(requests, "POST /api/v1/dead-letters/7/requeue")).answer(
      problem(409, "version_not_retryable"),
      409,
    );
    expect(await letters().findByRole("alert")).toHaveTextContent("Dokončenou verzi nelze generovat znovu.");
    expect(screen.getByText("It failed for reason 7.")).toBeInTheDocument();
    await answerNext(two());
    await waitFor(() => expect(requeue("SVG, Objednávka 1270")).toBeEnabled());
  });

  it("are dismissed only after a confirmation", async () => {
    const user = await showSystem(two());
    await user.click(letters().getByRole("button", { name: "Zahodit: SVG, Objednávka 1270" }));
    await user.click(screen.getByRole("button", { name: "Ponechat" }));
    expect(requests.filter(({ method }) => method === "DELETE")).toHaveLength(0);
    await user.click(letters().getByRole("button", { name: "Zahodit: SVG, Objednávka 1270" }));
    await user.click(within(screen.getByRole("dialog")).getByRole("button", { name: "Zahodit" }));
    (await takeRequest(requests, "DELETE /api/v1/dead-letters/7")).answer(null, 204);
    await waitFor(() => expect(screen.queryByText("It failed for reason 7.")).toBeNull());
    await answerNext(sampleSystem(sampleLetters(sampleLetter(8))));
  });

  it("are all requeued, including those not listed yet, and refusals are counted", async () => {
    const first = sampleSystem({ dead_letters: { count: 3, newest: [sampleLetter(9), sampleLetter(8)] } });
    const user = await showSystem(first);
    expect(letters().getByText("Nejnovějších 2 z 3.")).toBeVisible();
    await user.click(letters().getByRole("button", { name: "Zařadit všechny znovu" }));
    const dialog = within(screen.getByRole("dialog", { name: "Zařadit znovu 3 úlohy?" }));
    await user.click(dialog.getByRole("button", { name: "Zařadit všechny znovu" }));
    (await takeRequest(requests, "POST /api/v1/dead-letters/9/requeue")).answer(null, 204);
    (await takeRequest(requests, "POST /api/v1/dead-letters/8/requeue")).answer(
      problem(409, "version_not_retryable"),
      409,
    );
    await answerNext(sampleSystem(sampleLetters(sampleLetter(8), sampleLetter(3))));
    (await takeRequest(requests, "POST /api/v1/dead-letters/3/requeue")).answer(null, 204);
    await answerNext(sampleSystem(sampleLetters(sampleLetter(8))));
    expect(await screen.findByText("2 úlohy jsou znovu zařazené.")).toBeVisible();
    expect(screen.getByText("1 úlohu nelze znovu zařadit, důvod je u ní.")).toBeVisible();
    expect(letters().getByRole("alert")).toBeVisible();
  });
});
