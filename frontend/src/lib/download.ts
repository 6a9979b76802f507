import { ApiError, refusal } from "@/api/client";

export interface NamedFile {
  content: Blob;
  name: string;
}

/** The file name of `Content-Disposition`, such as `1270-coloring.zip`. */
export function nameIn(disposition: string | null): string | undefined {
  return /filename="([^"]+)"/.exec(disposition ?? "")?.[1];
}

/** Fetches a file that the API sends; `name` is for one without a name. Rejects with an `ApiError`. */
export async function fetchFile(request: Request, name: string): Promise<NamedFile> {
  const response = await fetch(request).catch(() => {
    throw new ApiError(0, null);
  });
  if (!response.ok) {
    const body: unknown = await response.json().catch(() => null);
    throw refusal(response.status, body, response.headers.get("Retry-After"));
  }
  const content = await response.blob().catch(() => {
    throw new ApiError(0, null);
  });
  return { content, name: nameIn(response.headers.get("Content-Disposition")) ?? name };
}

/** Lets the browser save a file. */
export function saveFile({ content, name }: NamedFile): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has read the URL once it has handled the click.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
