import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeEventSource } from "@/test/FakeEventSource";
import { FakeChannel, stubBrowser, unstubBrowser } from "@/test/FakeTab";
import { Hub } from "./hub";

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", FakeEventSource);
  FakeEventSource.opened = [];
  stubBrowser();
});

afterEach(() => {
  for (const leave of leaving.splice(0)) leave();
  vi.useRealTimers();
  vi.unstubAllGlobals();
  unstubBrowser();
});

const leaving: (() => void)[] = [];

/** A tab with one listener. */
async function tab() {
  const before = new Set(FakeChannel.all);
  const hub = new Hub();
  const onEvent = vi.fn();
  const onOpen = vi.fn();
  const leave = hub.listen({ onEvent, onOpen, renew: () => Promise.resolve() });
  leaving.push(leave);
  await vi.advanceTimersByTimeAsync(1);
  const channel = [...FakeChannel.all].find((one) => !before.has(one));
  return { hub, onEvent, onOpen, leave, channel };
}

const streams = () => FakeEventSource.opened.filter((one) => one.readyState !== FakeEventSource.CLOSED);

describe("the tabs of one browser", () => {
  it("share one stream and receive the same updates", async () => {
    const tabs = [await tab(), await tab(), await tab()];
    expect(streams()).toHaveLength(1);
    FakeEventSource.latest.open();
    FakeEventSource.latest.send({ type: "list_update" }, "urn:1");
    await vi.advanceTimersByTimeAsync(1);
    for (const { onEvent, onOpen } of tabs) {
      expect(onEvent.mock.calls).toEqual([[{ type: "list_update" }]]);
      expect(onOpen).toHaveBeenCalledOnce();
    }
  });

  it("a tab that joins an open stream refetches once", async () => {
    await tab();
    FakeEventSource.latest.open();
    const late = await tab();
    expect(streams()).toHaveLength(1);
    expect(late.onOpen).toHaveBeenCalledOnce();
    FakeEventSource.latest.beat("urn:2");
    await vi.advanceTimersByTimeAsync(1);
    expect(late.onOpen).toHaveBeenCalledOnce();
  });

  it("another one opens the stream after the last update when the leading tab is closed", async () => {
    const first = await tab();
    const second = await tab();
    FakeEventSource.latest.open();
    FakeEventSource.latest.send({ type: "list_update" }, "urn:7");
    await vi.advanceTimersByTimeAsync(1);
    first.leave();
    await vi.advanceTimersByTimeAsync(1);
    expect(FakeEventSource.opened).toHaveLength(2);
    expect(streams()).toHaveLength(1);
    expect(FakeEventSource.latest.url).toContain("lastEventID=urn%3A7");
    second.onOpen.mockClear();
    FakeEventSource.latest.open();
    expect(second.onOpen).toHaveBeenCalledOnce();
  });

  it("another one takes over when the leading tab is frozen, and only then", async () => {
    const first = await tab();
    const second = await tab();
    FakeEventSource.latest.open();
    for (let beats = 0; beats < 8; beats += 1) {
      FakeEventSource.latest.beat();
      await vi.advanceTimersByTimeAsync(15_000);
    }
    expect(FakeEventSource.opened).toHaveLength(1);
    if (first.channel) first.channel.isFrozen = true;
    await vi.advanceTimersByTimeAsync(14_000);
    expect(FakeEventSource.opened).toHaveLength(2);
    expect(streams()).toHaveLength(1);
    FakeEventSource.latest.open();
    FakeEventSource.latest.send({ type: "list_update" });
    expect(second.onEvent).toHaveBeenCalledWith({ type: "list_update" });
    // After thawing, the first tab follows.
    if (first.channel) first.channel.isFrozen = false;
    FakeEventSource.latest.send({ type: "order_update" });
    await vi.advanceTimersByTimeAsync(1);
    expect(first.onEvent).toHaveBeenLastCalledWith({ type: "order_update" });
    expect(streams()).toHaveLength(1);
  });

  it("a tab that was frozen refetches when it becomes visible", async () => {
    await tab();
    const second = await tab();
    FakeEventSource.latest.open();
    await vi.advanceTimersByTimeAsync(1);
    second.onOpen.mockClear();
    if (second.channel) second.channel.isFrozen = true;
    vi.setSystemTime(Date.now() + 30_000);
    FakeEventSource.latest.send({ type: "list_update" }, "urn:8");
    await vi.advanceTimersByTimeAsync(1);
    if (second.channel) second.channel.isFrozen = false;
    document.dispatchEvent(new Event("visibilitychange"));
    await vi.advanceTimersByTimeAsync(1);
    expect(second.onOpen).toHaveBeenCalledOnce();
  });
});

describe("without Web Locks", () => {
  it("only visible tabs have a stream", async () => {
    unstubBrowser();
    const visibility = vi.spyOn(document, "visibilityState", "get").mockReturnValue("visible");
    const only = await tab();
    expect(streams()).toHaveLength(1);
    FakeEventSource.latest.open();
    FakeEventSource.latest.send({ type: "list_update" }, "urn:9");
    visibility.mockReturnValue("hidden");
    document.dispatchEvent(new Event("visibilitychange"));
    expect(streams()).toHaveLength(0);
    only.onOpen.mockClear();
    visibility.mockReturnValue("visible");
    document.dispatchEvent(new Event("visibilitychange"));
    expect(FakeEventSource.latest.url).toContain("lastEventID=urn%3A9");
    FakeEventSource.latest.open();
    expect(only.onOpen).toHaveBeenCalledOnce();
  });
});
