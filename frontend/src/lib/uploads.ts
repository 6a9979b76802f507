/**
 * The photos that are being sent, in this tab: a few at a time, each in a request of its own, and again with the
 * same key while the connection fails. They go on while other pages are shown.
 */
import { useSyncExternalStore } from "react";
import { ApiError } from "@/api/client";
import { sendPhoto, type PhotoRequest } from "./photoApi";

export interface Upload {
  /** Identifies the upload, and its request for the API. */
  readonly key: string;
  readonly orderNumber: string;
  readonly lineItemId: number;
  readonly file: File;
  readonly request: PhotoRequest;
  /** The place of an added photo; undefined for a replacement. */
  readonly position?: number | undefined;
  readonly state: "waiting" | "sending" | "retrying" | "failed" | "stored";
  /** The sent fraction, 0 to 1. */
  readonly share: number;
  /** Why the last attempt failed. */
  readonly error?: ApiError | undefined;
  /** The image, once it is stored. */
  readonly imageId?: number | undefined;
}

export type NewUpload = Pick<Upload, "orderNumber" | "lineItemId" | "file" | "request" | "position">;

const CONCURRENCY = 3;
/** Delays before the next attempts; after the last one the upload has failed. */
const DELAYS_MS = [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000, 15_000, 15_000];
/** How long a stored upload is kept for the page that shows it until the order has its image. */
const KEPT_MS = 15_000;
/** Responses after which the same request may succeed. */
const PASSING = [0, 408, 429, 502, 503, 504];

let uploads: readonly Upload[] = [];
const listeners = new Set<() => void>();
const aborts = new Map<string, () => void>();
const attempts = new Map<string, number>();
const timers = new Map<string, ReturnType<typeof setTimeout>>();

const isActive = ({ state }: Upload): boolean =>
  state === "waiting" || state === "sending" || state === "retrying";

/** Whether another attempt may succeed without a change of the file. */
export function isPassing({ status, code }: ApiError): boolean {
  return PASSING.includes(status) || code === "upload_interrupted";
}

/** A key that no other upload has; `randomUUID` exists in secure contexts only. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

function change(next: readonly Upload[]): void {
  uploads = next;
  const active = uploads.some(isActive);
  if (active) addEventListener("beforeunload", ask);
  else removeEventListener("beforeunload", ask);
  for (const listener of listeners) listener();
}

/** The browser asks before the page is left: what was not sent would be lost. */
function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}

function update(key: string, changed: Partial<Upload>): void {
  change(uploads.map((upload) => (upload.key === key ? { ...upload, ...changed } : upload)));
}

export function addUploads(added: readonly NewUpload[]): void {
  change([
    ...uploads,
    ...added.map((one): Upload => ({ ...one, key: newKey(), state: "waiting", share: 0 })),
  ]);
  next();
}

/** Send a failed upload again. */
export function retryUpload(key: string): void {
  attempts.delete(key);
  update(key, { state: "waiting", share: 0, error: undefined });
  next();
}

/** Forget an upload; one that is being sent is broken off. */
export function removeUpload(key: string): void {
  clearTimeout(timers.get(key));
  for (const known of [timers, attempts]) known.delete(key);
  const abort = aborts.get(key);
  aborts.delete(key);
  change(uploads.filter((upload) => upload.key !== key));
  abort?.();
  next();
}

/** The highest position that an upload of a line item will have. */
export function lastUploadPosition(lineItemId: number): number {
  const positions = uploads.filter((one) => one.lineItemId === lineItemId).map((one) => one.position ?? 0);
  return Math.max(0, ...positions);
}

function next(): void {
  for (const upload of uploads.filter(({ state }) => state === "waiting").slice(0, CONCURRENCY - aborts.size))
    void send(upload);
}

async function send({ key, request, file }: Upload): Promise<void> {
  const sent = sendPhoto(request, file, key, (share) => update(key, { share }));
  aborts.set(key, sent.abort);
  update(key, { state: "sending", share: 0 });
  const result = await sent.image.catch((reason: unknown) =>
    reason instanceof ApiError ? reason : new ApiError(0, null),
  );
  const isRemoved = !aborts.delete(key);
  if (!isRemoved && result instanceof ApiError) failed(key, result);
  else if (!isRemoved && !(result instanceof ApiError)) stored(key, result.id);
  next();
}

function stored(key: string, imageId: number): void {
  attempts.delete(key);
  update(key, { state: "stored", share: 1, imageId });
  later(key, KEPT_MS, () => removeUpload(key));
}

function failed(key: string, error: ApiError): void {
  const attempt = attempts.get(key) ?? 0;
  const delay = isPassing(error) ? DELAYS_MS[attempt] : undefined;
  if (delay === undefined) {
    update(key, { state: "failed", error });
    return;
  }
  attempts.set(key, attempt + 1);
  update(key, { state: "retrying", error });
  later(key, Math.max(delay, (error.retryAfter ?? 0) * 1000), () => again(key));
}

function again(key: string): void {
  update(key, { state: "waiting", share: 0 });
  next();
}

function later(key: string, delay: number, act: () => void): void {
  clearTimeout(timers.get(key));
  const run = () => {
    timers.delete(key);
    act();
  };
  timers.set(key, setTimeout(run, delay));
}

// The connection is back: what waits for it does not wait longer.
addEventListener("online", () => {
  for (const { key } of uploads.filter(({ state }) => state === "retrying")) later(key, 0, () => again(key));
});

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useUploads(): readonly Upload[] {
  return useSyncExternalStore(subscribe, () => uploads);
}
