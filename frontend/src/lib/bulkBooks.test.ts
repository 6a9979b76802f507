import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { sampleBook } from "@/test/bookSamples";
import { FakeEventSource } from "@/test/FakeEventSource";
import { holdRequests, problem, takeRequest, type WaitingRequest } from "@/test/fakeApi";
import { failureText } from "@/i18n/failures";
import { composeBooks } from "./bulkBooks";

let requests: WaitingRequest[];
beforeEach(() => {
  localStorage.setItem("pastelka.book", '{"paper":"A5"}');
  vi.stubGlobal("EventSource", FakeEventSource);
  requests = holdRequests();
});
afterEach(() => {
  vi.unstubAllGlobals();
  localStorage.clear();
});

function compose(...numbers: string[]) {
  const progress: number[] = [];
  const ended = composeBooks(numbers, {
    renew: () => Promise.resolve(),
    onProgress: ({ done }) => progress.push(done),
    reasonOf: (error) => (error instanceof Error ? error.message : "?"),
    sentenceOf: (failure) => failureText(failure, "cs").sentence,
  });
  return { ended, progress };
}

const begun = sampleBook(1, { status: "queued" });
const path = (number: string) => `/api/v1/orders/${number}/books`;

/** Answers the request for the versions of an order. */
const answer = async (number: string, book = sampleBook(1)) =>
  (await takeRequest(requests, `GET ${path(number)}`)).answer([book]);

describe("books of several orders", () => {
  it("are composed with this browser's options, and waited for by updates", async () => {
    const { ended, progress } = compose("1", "2");
    for (const number of ["1", "2"]) {
      const request = await takeRequest(requests, `POST ${path(number)}`);
      expect(await request.body()).toEqual({ paper: "A5" });
      request.answer(begun, 202);
    }
    await answer("1", begun);
    await answer("2", begun);
    FakeEventSource.latest.send({ type: "order_update", order_number: "2" });
    await answer("2");
    await vi.waitFor(() => expect(progress).toEqual([1]), { timeout: 8000 });
    FakeEventSource.latest.send({ type: "order_update", order_number: "1" });
    await answer("1");
    expect(await ended).toEqual({ composed: ["1", "2"], refusals: new Map() });
    expect(progress).toEqual([1, 2]);
  });

  it("leave out orders that are refused, fail or are deleted, each with its reason", async () => {
    const { ended } = compose("1", "2", "3", "4");
    const refused = await takeRequest(requests, `POST ${path("1")}`);
    refused.answer(problem(409, "book_has_errors", "It has errors."), 409);
    for (const number of ["2", "3", "4"])
      (await takeRequest(requests, `POST ${path(number)}`)).answer(begun, 202);
    const error = { code: "item_removed", message: "Pro Aničku was removed in the shop." };
    await answer("2", sampleBook(1, { status: "error", error }));
    const gone = await takeRequest(requests, `GET ${path("3")}`);
    gone.answer(problem(404, "order_not_found", "No order 3."), 404);
    await answer("4");
    const { composed, refusals } = await ended;
    expect(composed).toEqual(["4"]);
    expect([...refusals]).toEqual([
      ["It has errors.", ["1"]],
      ["Obchod mezitím odebral některou položku. Sestavte knihu znovu.", ["2"]],
      ["No order 3.", ["3"]],
    ]);
  });
});
