import { createContext, use } from "react";
import type { Kind, Timeline, TimelineEntry } from "./model";
import { runStart, usualSeconds, wentThroughProvider } from "./steps";

/** What the timeline tells about work in hand; made once for an answer, not by every card. */
export interface Pace {
  /** When the run in hand of a version began (ms since the epoch), as far as it is known. */
  began: (kind: Kind, versionId: number) => number | undefined;
  usualSeconds: Record<Kind, number | undefined>;
  throughProvider: Record<Kind, boolean>;
}

export const UNKNOWN_PACE: Pace = {
  began: () => undefined,
  usualSeconds: { coloring: undefined, svg: undefined },
  throughProvider: { coloring: false, svg: false },
};

export function paceOf(timeline: Timeline | undefined): Pace {
  if (!timeline) return UNKNOWN_PACE;
  const { entries } = timeline;
  const versions = byVersion(entries);
  return {
    began: (kind, id) => runStart(versions.get(`${kind}/${id}`) ?? [], kind, id),
    usualSeconds: {
      coloring: usualSeconds(entries, "coloring"),
      svg: usualSeconds(entries, "svg"),
    },
    throughProvider: {
      coloring: wentThroughProvider(entries, "coloring"),
      svg: wentThroughProvider(entries, "svg"),
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
export const PaceContext = createContext<Pace>(UNKNOWN_PACE);

export function usePace(): Pace {
  return use(PaceContext);
}
