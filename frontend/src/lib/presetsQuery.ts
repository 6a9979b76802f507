import { queryOptions } from "@tanstack/react-query";
import { fetchPresets, type Presets } from "./api";
import { isRecord } from "./options";

const FRESH_MS = 5 * 60_000;
const STORAGE_KEY = "pastelka.presets";

/**
 * The presets with the times that they take, and the options of the active provider. Begins with those of
 * the last visit, so that the page neither waits for them nor moves when they come.
 */
export const presetsQuery = queryOptions({
  queryKey: ["presets"],
  queryFn: async ({ signal }) => {
    const presets = await fetchPresets(signal);
    remember(presets, localStorage);
    return presets;
  },
  staleTime: FRESH_MS,
  initialData: () => recall(localStorage),
  initialDataUpdatedAt: 0,
});

function remember(presets: Presets, storage: Storage): void {
  try {
    storage.setItem(STORAGE_KEY, JSON.stringify(presets));
  } catch {
    // A full or forbidden storage costs only the wait at the next visit.
  }
}

function recall(storage: Storage): Presets | undefined {
  try {
    const value: unknown = JSON.parse(storage.getItem(STORAGE_KEY) ?? "null");
    const isWhole = isRecord(value) && Array.isArray(value.items) && Array.isArray(value.options);
    return isWhole ? (value as unknown as Presets) : undefined;
  } catch {
    return undefined;
  }
}
