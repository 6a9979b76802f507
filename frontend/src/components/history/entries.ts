/** Texts of an order's history, and runs of the same action as one line; pure functions. */
import type { Translate } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";
import type { HistoryEntry } from "@/lib/historyApi";
import { describeOptions } from "@/lib/describeOptions";
import type { ColoringOptions } from "@/lib/options";

/** Entries of one actor that follow each other within this time are one line if they say the same. */
const RUN_MS = 10 * 60_000;

/** Entries that are shown as one line, newest first. */
export interface EntryRun {
  newest: HistoryEntry;
  /** The photos that they are about, by position. */
  positions: number[];
  count: number;
}

/** One line for each action: forty approvals in a row are one. Entries that say more stay alone. */
export function runsOf(entries: readonly HistoryEntry[]): EntryRun[] {
  const runs: EntryRun[] = [];
  for (const entry of entries) {
    const run = runs.at(-1);
    const positions = entry.position == null ? [] : [entry.position];
    if (run && isSame(run.newest, entry)) {
      run.count += 1;
      run.positions = [...run.positions, ...positions];
    } else runs.push({ newest: entry, positions, count: 1 });
  }
  for (const run of runs) run.positions = [...new Set(run.positions)].toSorted((one, other) => one - other);
  return runs;
}

function isSame(one: HistoryEntry, other: HistoryEntry): boolean {
  return (
    one.action === other.action &&
    one.action !== "note" &&
    one.line_item_id === other.line_item_id &&
    one.actor.kind === other.actor.kind &&
    one.actor.name === other.actor.name &&
    JSON.stringify(one.details ?? {}) === JSON.stringify(other.details ?? {}) &&
    Date.parse(one.at) - Date.parse(other.at) < RUN_MS
  );
}

/** Who did it: the name of a person, or what else acted. */
export function actorText({ actor: { kind, name } }: HistoryEntry, t: Translate): string {
  if (kind === "open" || kind === "system") return t(`history.actor.${kind}`);
  if (kind === "shop" || kind === "token") return t(`history.actor.${kind}`, { name: name ?? "" });
  return name ?? "";
}

/** What was done; an action that this version of the page does not know, by its name. */
export function actionText(entry: HistoryEntry, t: Translate): string {
  const key = `history.did.${entry.action}`;
  if (!isTextKey(key)) return entry.action;
  const { details = {} } = entry;
  return t(key, {
    title: textOf(details["title"]),
    count: Number(details["count"] ?? 1),
    version: textOf(details["version"]),
    reason: textOf(details["reason"]),
    at: textOf(details["position"]),
    to: textOf(details["to"]) || t("history.unassigned"),
  });
}

/** A value of the details as text; empty if there is none. */
export function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** Further lines of an entry: what each changed field was and is, options, a code. */
export function detailLines(entry: HistoryEntry, t: Translate): string[] {
  const { details = {} } = entry;
  const options = entry.action === "coloring_requested" ? details["options"] : undefined;
  return [
    ...changedFields(details["fields"], t),
    ...(isObject(options) ? [describeOptions(options as unknown as ColoringOptions, t)] : []),
    ...(typeof details["error_code"] === "string" ? [details["error_code"]] : []),
  ];
}

function changedFields(fields: unknown, t: Translate): string[] {
  const nameOf = (field: string): string => {
    const key = `history.field.${field}`;
    return isTextKey(key) ? t(key) : field;
  };
  if (Array.isArray(fields)) return fields.map((field) => nameOf(textOf(field)));
  if (!isObject(fields)) return [];
  const empty = t("history.empty");
  return Object.entries(fields).map(([field, change]) => {
    const { from, to } = isObject(change) ? change : {};
    return t("history.change", { name: nameOf(field), from: textOf(from) || empty, to: textOf(to) || empty });
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
