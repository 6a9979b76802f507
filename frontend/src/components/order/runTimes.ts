import { createContext, use } from "react";
import type { Kind, Timeline, TimelineEntry } from "./model";
import { runStart, medianSeconds, usedProvider } from "./steps";

/** What the timeline tells about work in hand; made once for an answer, not by every card. */
export interface RunTimes {
  /** When the run in hand of a version began (ms since the epoch), as far as it is known. */
  startedAt: (kind: Kind, versionId: number) => number | undefined;
  medianSeconds: Record<Kind, number | undefined>;
  usesProvider: Record<Kind, boolean>;
}

export const UNKNOWN_RUN_TIMES: RunTimes = {
  startedAt: () => undefined,
  medianSeconds: { coloring: undefined, svg: undefined },
  usesProvider: { coloring: false, svg: false },
};

export function runTimesOf(timeline: Timeline | undefined): RunTimes {
  if (!timeline) return UNKNOWN_RUN_TIMES;
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

/** Read only by what shows work in hand, so that a new timeline draws nothing else anew. */
export const RunTimesContext = createContext<RunTimes>(UNKNOWN_RUN_TIMES);

export function useRunTimes(): RunTimes {
  return use(RunTimesContext);
}
