import { ApiError, refusal } from "@/api/client";

/** The downloads: ZIPs of the chosen pages, the chosen SVGs or all photos; a PDF to print. */
export type What = "print" | "coloring" | "svg" | "photos";

function pathOf(orderNumber: string, what: What): string {
  const base = `/api/v1/orders/${encodeURIComponent(orderNumber)}`;
  return what === "print" ? `${base}/print` : `${base}/download?what=${what}`;
}

/** The file name of `Content-Disposition`, such as `1270-coloring.zip`. */
export function nameIn(disposition: string | null): string | undefined {
  return /filename="([^"]+)"/.exec(disposition ?? "")?.[1];
}

/** Fetches a file and lets the browser save it. Rejects with an `ApiError`. */
export async function download(orderNumber: string, what: What): Promise<void> {
  const response = await fetch(new Request(new URL(pathOf(orderNumber, what), location.origin))).catch(() => {
    throw new ApiError(0, null);
  });
  if (!response.ok) {
    const body: unknown = await response.json().catch(() => null);
    throw refusal(response.status, body, response.headers.get("Retry-After"));
  }
  const file = await response.blob().catch(() => {
    throw new ApiError(0, null);
  });
  save(file, nameIn(response.headers.get("Content-Disposition")) ?? `${orderNumber}-${what}`);
}

function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser has read the URL once it has handled the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
