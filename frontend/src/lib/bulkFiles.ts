/** One ZIP of the files of several orders. */
import { ApiError } from "@/api/client";
import { fetchFile, saveFile } from "./download";

/** The chosen pages, the chosen SVGs, or all photos. */
export type ZipContent = "coloring" | "svg" | "photos";

function fetchZip(orderNumbers: readonly string[], what: ZipContent) {
  const request = new Request(new URL("/api/v1/orders/download", location.origin), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ order_numbers: orderNumbers, what }),
  });
  return fetchFile(request, `orders-${what}.zip`);
}

/** The orders that the API named as having no such file; empty for every other refusal. */
function emptyOrders(error: unknown): readonly string[] {
  if (!(error instanceof ApiError) || error.code !== "nothing_chosen") return [];
  const named = error.problem?.["order_numbers"];
  return Array.isArray(named) ? named.filter((number) => typeof number === "string") : [];
}

interface Saved {
  /** Orders that have no such file; the ZIP is of the others. */
  left: readonly string[];
  /** Why; null if there are none. */
  error: unknown;
}

/** Lets the browser save the files of these orders as one ZIP. Rejects with an `ApiError`. */
export async function downloadZip(orderNumbers: readonly string[], what: ZipContent): Promise<Saved> {
  try {
    saveFile(await fetchZip(orderNumbers, what));
    return { left: [], error: null };
  } catch (error) {
    const left = emptyOrders(error);
    if (left.length === 0) throw error;
    const others = orderNumbers.filter((number) => !left.includes(number));
    if (others.length > 0) saveFile(await fetchZip(others, what));
    return { left, error };
  }
}
