import { vi } from "vitest";

/** A photo that the dashboard sends, which waits until the test responds. */
export interface SentPhoto {
  method: string;
  url: string;
  file: File;
  headers: Record<string, string>;
  progress: (loaded: number, total: number) => void;
  /** Respond; status 0: the connection broke. */
  answer: (status: number, body?: unknown) => void;
}

/** Replaces `XMLHttpRequest`; returns the list of requests, oldest first. */
export function holdUploads(): SentPhoto[] {
  const sent: SentPhoto[] = [];
  class Fake {
    readonly upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
    readonly headers: Record<string, string> = {};
    status = 0;
    response: unknown = null;
    onloadend: (() => void) | undefined;
    private method = "";
    private url = "";

    open(method: string, url: string) {
      this.method = method;
      this.url = url;
    }
    setRequestHeader(name: string, value: string) {
      this.headers[name] = value;
    }
    getResponseHeader() {
      return null;
    }
    abort() {
      this.onloadend?.();
    }
    send(file: File) {
      const answer = (status: number, body: unknown = null) => {
        this.status = status;
        this.response = body;
        this.onloadend?.();
      };
      const progress = (loaded: number, total: number) => this.upload.onprogress?.({ loaded, total });
      sent.push({ method: this.method, url: this.url, file, headers: this.headers, progress, answer });
    }
  }
  vi.stubGlobal("XMLHttpRequest", Fake);
  return sent;
}
