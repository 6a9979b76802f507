import { describe, expect, it } from "vitest";
import {
  sampleLetter,
  sampleLetters,
  sampleProcess,
  sampleSilence,
  sampleSystem,
} from "@/test/systemSamples";
import { letterKind, servicesOf, findIssues, withoutLetter } from "./system";

describe("servicesOf", () => {
  it("groups the processes of a service, unhealthy if one of them is", () => {
    const services = [
      sampleProcess("coloring"),
      sampleProcess("coloring", { broker: "away" }),
      sampleSilence("vectorize"),
    ];
    const found = servicesOf(sampleSystem({ services }));
    expect(found.map(({ name, state, processes }) => [name, state, processes.length])).toEqual([
      ["coloring", "unwell", 2],
      ["vectorize", "silent", 0],
    ]);
  });
});

describe("findIssues", () => {
  it("finds none in a healthy system", () => {
    expect(findIssues(sampleSystem())).toEqual([]);
  });

  it("reports unavailable NATS as one issue", () => {
    const services = [sampleProcess("orders-api", { broker: "away" }), sampleSilence("coloring")];
    const away = sampleSystem({ services, queues: null, dead_letters: null });
    expect(findIssues(away).map(({ kind }) => kind)).toEqual(["broker"]);
  });

  it("finds silent services, unpublished messages, and dead letters", () => {
    const system = sampleSystem({
      services: [sampleProcess("orders-api"), sampleSilence("coloring")],
      outbox: { messages: 3, oldest_seconds: 61, refused: 2 },
      ...sampleLetters(sampleLetter(1), sampleLetter(2)),
    });
    expect(findIssues(system)).toEqual([
      { kind: "service", section: "services", name: "coloring", state: "silent" },
      { kind: "outbox", section: "queues" },
      { kind: "refused", section: "queues", count: 2 },
      { kind: "letters", section: "letters", count: 2 },
    ]);
  });
});

describe("dead letters", () => {
  it("are identified by their subject", () => {
    expect(letterKind(sampleLetter(1, { subject: "jobs.svg.31" }))).toBe("svg");
    expect(letterKind(sampleLetter(1, { subject: "download.31" }))).toBe("download");
    expect(letterKind(sampleLetter(1, { subject: "jobs.coloringbook.1" }))).toBeNull();
  });

  it("are removed once", () => {
    const system = sampleSystem(sampleLetters(sampleLetter(2), sampleLetter(1)));
    const after = withoutLetter(system, 2);
    expect(after.dead_letters).toEqual({ count: 1, newest: [sampleLetter(1)] });
    expect(withoutLetter(after, 2)).toBe(after);
  });
});
