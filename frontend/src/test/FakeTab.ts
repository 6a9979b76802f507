import { vi } from "vitest";

type Holder = { lose: (reason: unknown) => void; done: Promise<unknown> };
type Request = { grant: () => void };

/** A fake of Web Locks for one name, limited to what `Leadership` uses. */
export class FakeLocks {
  #holder: Holder | null = null;
  #waiting: Request[] = [];

  request(_: string, options: LockOptions, work: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const grant = () => {
        const done = Promise.resolve().then(work);
        const holder = { lose: reject, done };
        this.#holder = holder;
        done.then(resolve, reject).finally(() => {
          if (this.#holder === holder) this.#next();
        });
      };
      if (options.steal) {
        this.#holder?.lose(new DOMException("stolen", "AbortError"));
        grant();
        return;
      }
      const request = { grant };
      options.signal?.addEventListener("abort", () => {
        this.#waiting = this.#waiting.filter((one) => one !== request);
        reject(new DOMException("aborted", "AbortError"));
      });
      this.#waiting.push(request);
      if (this.#holder === null) this.#next();
    });
  }

  #next(): void {
    this.#holder = null;
    this.#waiting.shift()?.grant();
  }
}

/** A fake BroadcastChannel; a `frozen` one neither receives nor sends. */
export class FakeChannel {
  static all = new Set<FakeChannel>();
  onmessage: ((message: { data: unknown }) => void) | null = null;
  isFrozen = false;

  constructor() {
    FakeChannel.all.add(this);
  }

  postMessage(data: unknown): void {
    if (this.isFrozen) return;
    for (const other of FakeChannel.all)
      if (other !== this) queueMicrotask(() => !other.isFrozen && other.onmessage?.({ data }));
  }

  close(): void {
    FakeChannel.all.delete(this);
  }
}

/** Fakes one browser; each `Hub` that the test creates is a tab. */
export function stubBrowser(): void {
  FakeChannel.all.clear();
  vi.stubGlobal("BroadcastChannel", FakeChannel);
  Object.defineProperty(navigator, "locks", { value: new FakeLocks(), configurable: true });
}

export function unstubBrowser(): void {
  Reflect.deleteProperty(navigator, "locks");
}
