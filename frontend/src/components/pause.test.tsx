import { act, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FakeEventSource } from "@/test/FakeEventSource";
import { problem } from "@/test/fakeApi";
import { forgetToasts, renderPage } from "@/test/renderPage";
import { QUEUES } from "@/test/samples";
import { PauseBanner } from "./PauseBanner";

const PAUSED = {
  queues: [
    { kind: "coloring", paused_at: "2026-01-16T14:30:00+01:00", paused_by: "eva" },
    { kind: "svg", paused_at: null, paused_by: null },
  ],
};

let queues: object;
let refusal: object | null;
let sent: string[];

beforeEach(() => {
  vi.stubGlobal("EventSource", FakeEventSource);
  FakeEventSource.opened = [];
  queues = PAUSED;
  refusal = null;
  sent = [];
  vi.stubGlobal("fetch", (request: Request) => {
    sent.push(`${request.method} ${new URL(request.url).pathname}`);
    if (request.method === "GET") return Promise.resolve(Response.json(queues));
    if (refusal) return Promise.resolve(Response.json(refusal, { status: 503 }));
    queues = QUEUES;
    return Promise.resolve(Response.json(queues));
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  forgetToasts();
});

const banner = () => screen.queryByRole("region", { name: "Pozastavené fronty" });

it("shows the paused queue with its time and person, and resumes it", async () => {
  const { user } = renderPage(<PauseBanner />, "/");
  expect(await screen.findByText(/^Generování omalovánek je od .* pozastaveno\./)).toHaveTextContent(
    "Pozastaveno uživatelem eva.",
  );
  await user.click(screen.getByRole("button", { name: "Spustit generování omalovánek" }));
  await waitFor(() => expect(banner()).toBeNull());
  expect(sent).toContain("POST /api/v1/queues/coloring/resume");
});

it("stays where the request is refused", async () => {
  const { user } = renderPage(<PauseBanner />, "/");
  refusal = problem(503, "broker_unavailable");
  await user.click(await screen.findByRole("button", { name: "Spustit generování omalovánek" }));
  expect(await screen.findByText(/^NATS neodpovídá/)).toBeVisible();
  expect(banner()).not.toBeNull();
});

it("appears and disappears by updates of the hub", async () => {
  queues = QUEUES;
  renderPage(<PauseBanner />, "/");
  await waitFor(() => expect(FakeEventSource.opened).toHaveLength(1));
  expect(banner()).toBeNull();
  queues = PAUSED;
  act(() => FakeEventSource.latest.send({ type: "queue_update", kind: "coloring" }));
  await waitFor(() => expect(banner()).not.toBeNull());
  queues = QUEUES;
  act(() => FakeEventSource.latest.send({ type: "queue_update", kind: "coloring" }));
  await waitFor(() => expect(banner()).toBeNull());
});
