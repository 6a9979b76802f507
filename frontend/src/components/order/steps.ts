/** The steps of a version from pending to completed; pure functions. */
import { COLORING_STATUS_DISPLAY, SVG_STATUS_DISPLAY, type Kind, type TimelineEntry } from "./model";

const WAYS: Record<Kind, string[]> = {
  coloring: stepNames(COLORING_STATUS_DISPLAY),
  svg: stepNames(SVG_STATUS_DISPLAY),
};

function stepNames(display: Record<string, unknown>): string[] {
  return Object.keys(display).filter((status) => status !== "completed" && status !== "error");
}

export const isProviderStep = (status: string): boolean => /^(runpod|vectorizer)_/.test(status);

/**
 * Completed and total steps. Local providers have no steps of their own, so provider steps count only if
 * the version or an earlier one of the order had one.
 */
export function stepsOf(kind: Kind, status: string, usesProvider: boolean): { done: number; total: number } {
  const whole = WAYS[kind];
  const way = usesProvider || isProviderStep(status) ? whole : whole.filter((step) => !isProviderStep(step));
  return { done: Math.max(0, way.indexOf(status)), total: way.length };
}

export function usedProvider(entries: TimelineEntry[], kind: Kind): boolean {
  return entries.some((entry) => entry.status_type === kind && isProviderStep(entry.status));
}

const isEnd = (entry: TimelineEntry): boolean => entry.status === "completed" || entry.status === "error";

/** When the current run started (ms since the epoch); undefined if the timeline does not contain it. */
export function runStart(entries: TimelineEntry[], kind: Kind, versionId: number): number | undefined {
  const own = entries.filter((entry) => entry.status_type === kind && entry.version_id === versionId);
  const run = Math.max(...own.map((entry) => entry.run));
  const latest = own.filter((entry) => entry.run === run);
  if (latest.length === 0 || latest.some(isEnd)) return undefined;
  return Math.min(...latest.map((entry) => Date.parse(entry.at)));
}

/** Median seconds from the start of processing to completion over the order's completed runs. */
export function medianSeconds(entries: TimelineEntry[], kind: Kind): number | undefined {
  const runs = new Map<string, TimelineEntry[]>();
  for (const entry of entries.filter((candidate) => candidate.status_type === kind)) {
    const run = `${entry.version_id}/${entry.run}`;
    runs.set(run, [...(runs.get(run) ?? []), entry]);
  }
  const took = [...runs.values()].map(secondsOfWork).filter((seconds) => seconds !== undefined);
  if (took.length === 0) return undefined;
  return took.toSorted((a, b) => a - b)[Math.floor(took.length / 2)];
}

function secondsOfWork(run: TimelineEntry[]): number | undefined {
  const begin = run.find((entry) => entry.status === "processing");
  const end = run.findLast((entry) => entry.status === "completed");
  if (!begin || !end) return undefined;
  return (Date.parse(end.at) - Date.parse(begin.at)) / 1000;
}
