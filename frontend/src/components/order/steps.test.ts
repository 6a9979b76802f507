import { describe, expect, it } from "vitest";
import { formatElapsed } from "./clock";
import type { TimelineEntry } from "./model";
import { runStart, stepsOf, medianSeconds, usedProvider } from "./steps";
import { thumbnailOf } from "./thumbnail";

const entry = (status: string, second: number, run = 1, id = 5): TimelineEntry => ({
  image_id: 7,
  status_type: "coloring",
  version_id: id,
  version: 1,
  run,
  attempt: 0,
  status,
  error_code: null,
  at: new Date(Date.UTC(2026, 10, 23, 10, 0, second)).toISOString(),
  seconds: null,
});

describe("stepsOf", () => {
  it("never decreases along RunPod's statuses", () => {
    const way = ["pending", "queued", "processing", "runpod_submitting", "runpod_submitted", "runpod_queued"];
    const done = [...way, "runpod_processing"].map((status) => stepsOf("coloring", status, true));
    expect(done.map((step) => step.done)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(new Set(done.map((step) => step.total))).toEqual(new Set([7]));
  });

  it("omits provider steps without a provider", () => {
    expect(stepsOf("coloring", "processing", false)).toEqual({ done: 2, total: 3 });
    expect(stepsOf("svg", "queued", false)).toEqual({ done: 1, total: 3 });
  });

  it("includes them as soon as one is reached", () => {
    expect(stepsOf("svg", "vectorizer_processing", false)).toEqual({ done: 3, total: 4 });
  });

  it("detects the provider from earlier versions", () => {
    expect(usedProvider([entry("runpod_queued", 1)], "coloring")).toBe(true);
    expect(usedProvider([entry("runpod_queued", 1)], "svg")).toBe(false);
  });
});

describe("the timeline", () => {
  it("measures a retried version from its last run", () => {
    const entries = [entry("pending", 0), entry("error", 5), entry("pending", 40, 2), entry("queued", 41, 2)];
    expect(runStart(entries, "coloring", 5)).toBe(Date.UTC(2026, 10, 23, 10, 0, 40));
  });

  it("returns undefined for a run of which it contains only the end, or nothing", () => {
    expect(runStart([entry("pending", 0), entry("error", 5)], "coloring", 5)).toBeUndefined();
    expect(runStart([], "coloring", 5)).toBeUndefined();
  });

  it("computes the median of completed runs, without the time in the queue", () => {
    const run = (id: number, took: number): TimelineEntry[] => [
      entry("queued", 0, 1, id),
      entry("processing", 10, 1, id),
      entry("completed", 10 + took, 1, id),
    ];
    expect(medianSeconds([...run(1, 4), ...run(2, 20), ...run(3, 6)], "coloring")).toBe(6);
    expect(medianSeconds([entry("processing", 1)], "coloring")).toBeUndefined();
  });
});

describe("formatElapsed", () => {
  it.each([
    [-500, "0 s"],
    [14_900, "14 s"],
    [125_000, "2 min 5 s"],
    [3_780_000, "1 h 3 min"],
  ])("shows %i ms as %s", (milliseconds, text) => {
    expect(formatElapsed(milliseconds)).toBe(text.replaceAll(/(\d) /g, "$1\u00a0"));
  });
});

it("returns the thumbnail's URL next to the stored file", () => {
  expect(thumbnailOf("http://s/static/images/1/2/image_1.jpg")).toBe(
    "http://s/static/images/1/2/thumb_image_1.jpg.webp",
  );
});
