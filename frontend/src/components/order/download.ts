import { fetchFile, saveFile } from "@/lib/download";

/** The downloads: ZIPs of the chosen pages, the chosen SVGs or all photos; a PDF to print. */
export type What = "print" | "coloring" | "svg" | "photos";

function pathOf(orderNumber: string, what: What, version: number | undefined): string {
  const base = `/api/v1/orders/${encodeURIComponent(orderNumber)}`;
  if (what !== "print") return `${base}/download?what=${what}`;
  return version === undefined ? `${base}/print` : `${base}/print?version=${version}`;
}

/** Fetches a file, of the book this `version`, and lets the browser save it. Rejects with an `ApiError`. */
export async function download(orderNumber: string, what: What, version?: number): Promise<void> {
  const request = new Request(new URL(pathOf(orderNumber, what, version), location.origin));
  saveFile(await fetchFile(request, `${orderNumber}-${what}`));
}
