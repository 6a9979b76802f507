import type { DeadLetter, SystemState } from "@/lib/api";
import type { Hour } from "@/lib/system";

const AT = "2026-01-16T14:30:00.000Z";

function sampleHour(kind: Hour["kind"], completed: number, failed: number): Hour {
  const zeros = () => Array.from({ length: 61 }, () => 0);
  const minutes = {
    begin: "2026-01-16T13:30:00.000Z",
    completed: zeros().with(30, completed),
    failed: zeros().with(31, failed),
    cancelled: zeros(),
  };
  const ended = completed + failed;
  return { kind, completed, failed, cancelled: 0, failure_rate: ended ? failed / ended : null, minutes };
}

/** A process that responded, with its checks. */
export function sampleProcess(name: string, checks: Record<string, string> = { broker: "ok" }) {
  const healthy = Object.values(checks).every((result) => result === "ok");
  return { name, instance: `${name}-host:7`, healthy, started_at: "2026-01-16T11:18:00.000Z", checks };
}

/** A service without a responding process. */
export function sampleSilence(name: string) {
  return { name, instance: null, healthy: false, started_at: null, checks: {} };
}

export function sampleLetter(sequence: number, changes: Partial<DeadLetter> = {}): DeadLetter {
  return {
    sequence,
    subject: `jobs.coloring.${sequence}`,
    order_number: "1270",
    image_id: 9,
    version_id: sequence,
    code: "provider_failed",
    message: `It failed for reason ${sequence}.`,
    attempt: 3,
    at: "2026-01-16T14:12:00.000Z",
    ...changes,
  };
}

/** A healthy system with `changes`. */
export function sampleSystem(changes: Partial<SystemState> = {}): SystemState {
  return {
    at: AT,
    services: ["orders-api", "orders-worker", "coloring", "vectorize", "notifier"].map((name) =>
      sampleProcess(name),
    ),
    queues: [
      { name: "coloring", waiting: 12, in_progress: 2 },
      { name: "vectorize", waiting: 0, in_progress: 0 },
      { name: "download", waiting: 0, in_progress: 0 },
    ],
    outbox: { messages: 0, oldest_seconds: null, refused: 0 },
    last_hour: [sampleHour("coloring", 42, 3), sampleHour("svg", 0, 0)],
    dead_letters: { count: 0, newest: [] },
    reconciler: null,
    retention: null,
    ...changes,
  };
}

/** A retention of 90 days with `changes`. */
export function sampleRetention(changes: Partial<NonNullable<SystemState["retention"]>> = {}) {
  return {
    retention: {
      on: true,
      days: 90,
      ran_at: "2026-01-16T14:29:20.000Z",
      since: "2026-01-02T09:00:00.000Z",
      erased: 0,
      last_erased_at: null,
      waiting: 0,
      failing: 0,
      error: null,
      ...changes,
    },
  };
}

export function sampleLetters(...newest: DeadLetter[]): Partial<SystemState> {
  return { dead_letters: { count: newest.length, newest } };
}
