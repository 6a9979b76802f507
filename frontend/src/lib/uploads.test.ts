import { act, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { holdUploads, type SentPhoto } from "@/test/fakeUpload";
import { addUploads, lastUploadPosition, removeUpload, retryUpload, useUploads } from "./uploads";

let sent: SentPhoto[];
let uploads: { current: ReturnType<typeof useUploads> };

beforeEach(() => {
  vi.useFakeTimers();
  sent = holdUploads();
  uploads = renderHook(() => useUploads()).result;
});

afterEach(() => {
  act(() => {
    for (const { key } of uploads.current) removeUpload(key);
  });
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const file = (name: string) => new File([name], name, { type: "image/jpeg" });

function add(...names: string[]): void {
  act(() =>
    addUploads(
      names.map((name, index) => ({
        orderNumber: "M1000",
        lineItemId: 1,
        file: file(name),
        position: index + 1,
        request: { method: "POST", url: `/photos?position=${index + 1}`, headers: {} },
      })),
    ),
  );
}

const run = (task: () => void) =>
  act(async () => {
    task();
    await Promise.resolve();
  });
const states = () => uploads.current.map(({ state }) => state);
const keyOf = (request: SentPhoto | undefined) => request?.headers["Idempotency-Key"];
const problem = (status: number, code: string) => ({ title: "x", type: "x", detail: "x", status, code });

it("sends three at once, each in a request of its own, and asks before the page is left", async () => {
  add("a.jpg", "b.jpg", "c.jpg", "d.jpg");
  expect(sent.map(({ url }) => url)).toEqual(
    [1, 2, 3].map((n) => `/photos?position=${n}&name=${"abc"[n - 1]}.jpg`),
  );
  expect(states()).toEqual(["sending", "sending", "sending", "waiting"]);
  expect(new Set(sent.map(keyOf)).size).toBe(3);
  expect(lastUploadPosition(1)).toBe(4);
  const leaving = new Event("beforeunload", { cancelable: true });
  dispatchEvent(leaving);
  expect(leaving.defaultPrevented).toBe(true);
  act(() => sent[0]?.progress(50, 100));
  expect(uploads.current[0]?.share).toBe(0.5);
  await run(() => sent[1]?.answer(201, { id: 7 }));
  expect(states()).toEqual(["sending", "stored", "sending", "sending"]);
  expect(uploads.current[1]?.imageId).toBe(7);
  expect(sent).toHaveLength(4);
});

it("sends the same photo again with the same key after a broken connection", async () => {
  add("a.jpg");
  await run(() => sent[0]?.answer(0));
  expect(states()).toEqual(["retrying"]);
  await run(() => vi.advanceTimersByTime(500));
  await run(() => sent[1]?.answer(503, problem(503, "api_unavailable")));
  // The browser has a connection again.
  await run(() => {
    dispatchEvent(new Event("online"));
    vi.advanceTimersByTime(0);
  });
  expect(sent.map(keyOf)).toEqual([keyOf(sent[0]), keyOf(sent[0]), keyOf(sent[0])]);
  await run(() => sent[2]?.answer(200, { id: 7 }));
  expect(states()).toEqual(["stored"]);
  await run(() => vi.advanceTimersByTime(60_000));
  expect(states()).toEqual([]);
});

it("a connection without progress is given up, and tried again", async () => {
  add("a.jpg");
  act(() => sent[0]?.progress(10, 100));
  await run(() => vi.advanceTimersByTime(59_000));
  expect(states()).toEqual(["sending"]);
  await run(() => vi.advanceTimersByTime(1000));
  expect(states()).toEqual(["retrying"]);
});

it("a file that is no photo stops no other, and can be retried or removed", async () => {
  add("a.jpg", "b.jpg");
  await run(() => sent[0]?.answer(422, problem(422, "photo_truncated")));
  expect(states()).toEqual(["failed", "sending"]);
  expect(uploads.current[0]?.error?.code).toBe("photo_truncated");
  const key = uploads.current[0]?.key ?? "";
  act(() => retryUpload(key));
  expect(states()).toEqual(["sending", "sending"]);
  expect(keyOf(sent[2])).toBe(key);
  act(() => removeUpload(key));
  expect(uploads.current.map((upload) => upload.file.name)).toEqual(["b.jpg"]);
});

it("after many attempts it has failed, with the reason", async () => {
  add("a.jpg");
  for (let attempt = 0; attempt < 10; attempt++) {
    await run(() => sent.at(-1)?.answer(0));
    expect(states()).toEqual(["retrying"]);
    await run(() => vi.advanceTimersByTime(15_000));
  }
  await run(() => sent.at(-1)?.answer(0));
  expect(states()).toEqual(["failed"]);
  expect(uploads.current[0]?.error?.code).toBe("unreachable");
});
