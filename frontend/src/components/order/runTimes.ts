import { createContext, use } from "react";
import type { Kind, OrderQueue, Timeline, TimelineEntry } from "./model";
import { runStart, medianSeconds, usedProvider } from "./steps";

/** What the timeline says about versions in progress; computed once per response, not in every card. */
export interface RunTimes {
  /** When a version's current run started (ms since the epoch); undefined if unknown. */
  startedAt: (kind: Kind, versionId: number) => number | undefined;
  medianSeconds: Record<Kind, number | undefined>;
  usesProvider: Record<Kind, boolean>;
  /** How many versions wait before this one; undefined if it does not wait. */
  ahead: (kind: Kind, versionId: number) => number | undefined;
}

export const UNKNOWN_RUN_TIMES: RunTimes = {
  startedAt: () => undefined,
  medianSeconds: { coloring: undefined, svg: undefined },
  usesProvider: { coloring: false, svg: false },
  ahead: () => undefined,
};

export function runTimesOf(timeline: Timeline | undefined, queue: OrderQueue | undefined): RunTimes {
  const places = new Map(queue?.waiting.map((one) => [`${one.status_type}/${one.version_id}`, one.ahead]));
  const ahead = (kind: Kind, id: number) => places.get(`${kind}/${id}`);
  if (!timeline) return { ...UNKNOWN_RUN_TIMES, ahead };
  const { entries } = timeline;
  const versions = byVersion(entries);
  return {
    startedAt: (kind, id) => runStart(versions.get(`${kind}/${id}`) ?? [], kind, id),
    medianSeconds: {
      coloring: medianSeconds(entries, "coloring"),
      svg: medianSeconds(entries, "svg"),
    },
    usesProvider: {
      coloring: usedProvider(entries, "coloring"),
      svg: usedProvider(entries, "svg"),
    },
    ahead,
  };
}

function byVersion(entries: TimelineEntry[]): Map<string, TimelineEntry[]> {
  const versions = new Map<string, TimelineEntry[]>();
  for (const entry of entries) {
    const name = `${entry.status_type}/${entry.version_id}`;
    const known = versions.get(name);
    if (known) known.push(entry);
    else versions.set(name, [entry]);
  }
  return versions;
}

/** Only components of versions in progress read it, so a new timeline re-renders nothing else. */
export const RunTimesContext = createContext<RunTimes>(UNKNOWN_RUN_TIMES);

export function useRunTimes(): RunTimes {
  return use(RunTimesContext);
}
