import { queryOptions, type QueryClient } from "@tanstack/react-query";
import { fetchPresets, type Presets } from "./api";
import {
  coloringOptions,
  isRecord,
  withListedPreset,
  type ColoringOptions,
  type OptionsToSend,
} from "./options";

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

/** The presets, fetched if they are not there. Rejects with an `ApiError`. */
export const listedPresets = (queries: QueryClient): Promise<Presets> =>
  queries.query({ ...presetsQuery, staleTime: "static" });

/**
 * The coloring options of a request; waits for the presets, so that a click before they arrive is not lost.
 * Undefined if a field is invalid. Rejects with an `ApiError`.
 */
export async function coloringToSend(
  queries: QueryClient,
  { coloring, waiting }: OptionsToSend,
): Promise<ColoringOptions | undefined> {
  if (!waiting) return coloring;
  const presets = await listedPresets(queries);
  const options = coloringOptions(withListedPreset(waiting, presets), presets);
  return "errors" in options ? undefined : options;
}

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
