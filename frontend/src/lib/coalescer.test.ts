import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "@/api/client";
import { Coalescer } from "./coalescer";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("Coalescer", () => {
  it("retries a transient failure with growing delays", async () => {
    const run = vi.fn<(key: string) => Promise<void>>().mockRejectedValue(new TypeError("no answer"));
    const coalescer = new Coalescer<string>(run, 40);
    coalescer.schedule("1270");
    await vi.advanceTimersByTimeAsync(40);
    expect(run).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1000);
    expect(run).toHaveBeenCalledTimes(2);
    run.mockResolvedValue();
    await vi.advanceTimersByTimeAsync(2000);
    expect(run).toHaveBeenCalledTimes(3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run).toHaveBeenCalledTimes(3);
    coalescer.stop();
  });

  it("runs at once when scheduled again during the delay after a failure", async () => {
    const run = vi.fn<(key: string) => Promise<void>>().mockRejectedValue(new TypeError("no answer"));
    const coalescer = new Coalescer<string>(run, 40);
    coalescer.schedule("1270");
    await vi.advanceTimersByTimeAsync(40);
    coalescer.schedule("1270");
    await vi.advanceTimersByTimeAsync(40);
    expect(run).toHaveBeenCalledTimes(2);
    coalescer.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run).toHaveBeenCalledTimes(2);
  });

  it("does not retry a refusal of the API", async () => {
    const refused = new ApiError(404, null);
    const run = vi.fn<(key: string) => Promise<void>>().mockRejectedValue(refused);
    const coalescer = new Coalescer<string>(run, 40);
    coalescer.schedule("1270");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run).toHaveBeenCalledTimes(1);
    coalescer.stop();
  });

  it("works after a stop, as when React runs an effect twice", async () => {
    const run = vi.fn<(key: string) => Promise<void>>().mockRejectedValue(new TypeError("no answer"));
    const coalescer = new Coalescer<string>(run, 40);
    coalescer.stop();
    coalescer.schedule("1270");
    await vi.advanceTimersByTimeAsync(1040);
    expect(run).toHaveBeenCalledTimes(2);
    coalescer.stop();
  });
});
