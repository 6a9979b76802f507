/** A fake EventSource that the test controls. `opened` lists all instances, oldest first. */
export class FakeEventSource {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSED = 2;
  static opened: FakeEventSource[] = [];

  readonly url: string;
  readonly withCredentials: boolean;
  readyState = FakeEventSource.CONNECTING;
  onopen: (() => void) | null = null;
  onmessage: ((message: { data: string; lastEventId: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly #named = new Map<string, (message: { data: string; lastEventId: string }) => void>();

  constructor(url: string, options?: EventSourceInit) {
    this.url = url;
    this.withCredentials = options?.withCredentials ?? false;
    FakeEventSource.opened.push(this);
  }

  static get latest(): FakeEventSource {
    const latest = FakeEventSource.opened.at(-1);
    if (!latest) throw new Error("no EventSource was opened");
    return latest;
  }

  addEventListener(name: string, listener: (message: { data: string; lastEventId: string }) => void): void {
    this.#named.set(name, listener);
  }

  close(): void {
    this.readyState = FakeEventSource.CLOSED;
  }

  open(): void {
    this.readyState = FakeEventSource.OPEN;
    this.onopen?.();
  }

  send(event: unknown, lastEventId = ""): void {
    this.onmessage?.({ data: typeof event === "string" ? event : JSON.stringify(event), lastEventId });
  }

  beat(lastEventId = ""): void {
    this.#named.get("heartbeat")?.({ data: '{"type": "heartbeat"}', lastEventId });
  }

  fail(readyState: number): void {
    this.readyState = readyState;
    this.onerror?.();
  }
}
