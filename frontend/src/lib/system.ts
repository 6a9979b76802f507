/** Interpretation of the system's state; pure functions. */
import type { DeadLetter, SystemState } from "./api";

type Process = SystemState["services"][number];
export type QueueState = NonNullable<SystemState["queues"]>[number];
export type Hour = NonNullable<SystemState["last_hour"]>[number];

/** `unknown`: services are queried over NATS, which is unavailable. */
export type ServiceState = "well" | "unwell" | "silent" | "unknown";

export interface Service {
  name: string;
  state: ServiceState;
  processes: Process[];
}

/** The relay normally publishes within a second; older messages mean that it does not work. */
const OUTBOX_STUCK_SECONDS = 60;

/** Whether NATS was unavailable when the state was computed. */
export function isBrokerAway(system: SystemState): boolean {
  return system.queues === null;
}

/** Whether the database was unavailable when the state was computed. */
export function isDatabaseAway(system: SystemState): boolean {
  return system.last_hour === null;
}

function stateOf(processes: readonly Process[], brokerAway: boolean): ServiceState {
  if (processes.length === 0) return brokerAway ? "unknown" : "silent";
  return processes.every((process) => process.healthy) ? "well" : "unwell";
}

/** Services in the API's order, each with the processes that responded. */
export function servicesOf(system: SystemState): Service[] {
  const names = [...new Set(system.services.map((process) => process.name))];
  return names.map((name) => {
    const processes = system.services.filter((process) => process.name === name && process.instance !== null);
    return { name, processes, state: stateOf(processes, isBrokerAway(system)) };
  });
}

/** Whether messages wait too long to be published. */
export function isOutboxStuck(outbox: SystemState["outbox"]): boolean {
  return (outbox?.oldest_seconds ?? 0) > OUTBOX_STUCK_SECONDS;
}

/** A problem that needs an engineer, and the section of the page with its details. */
export type SystemIssue =
  | { kind: "broker" | "database" | "outbox"; section: "queues" | "services" }
  | { kind: "service"; section: "services"; name: string; state: "unwell" | "silent" }
  | { kind: "breaker"; section: "services"; name: string }
  | { kind: "letters"; section: "letters"; count: number }
  | { kind: "refused"; section: "queues"; count: number };

function serviceIssues(system: SystemState): SystemIssue[] {
  return servicesOf(system).flatMap(({ name, state }) =>
    state === "unwell" || state === "silent" ? { kind: "service", section: "services", name, state } : [],
  );
}

/** Services whose jobs wait because the paid provider fails. */
function breakerIssues(system: SystemState): SystemIssue[] {
  return servicesOf(system)
    .filter(({ processes }) => processes.some(({ breaker }) => breaker && breaker.state !== "closed"))
    .map(({ name }) => ({ kind: "breaker", section: "services", name }));
}

/**
 * The current issues. Services with an unknown state are not issues of their own, and an API that is unhealthy
 * because NATS or the database is unavailable is not a second issue.
 */
export function findIssues(system: SystemState): SystemIssue[] {
  const issues: SystemIssue[] = [];
  if (isBrokerAway(system)) issues.push({ kind: "broker", section: "services" });
  if (isDatabaseAway(system)) issues.push({ kind: "database", section: "services" });
  const isDependencyDown = issues.length > 0;
  const services = serviceIssues(system).filter(
    (issue) => !(isDependencyDown && issue.kind === "service" && issue.name === "orders-api"),
  );
  issues.push(...services, ...breakerIssues(system));
  if (isOutboxStuck(system.outbox)) issues.push({ kind: "outbox", section: "queues" });
  const refused = system.outbox?.refused ?? 0;
  if (refused > 0) issues.push({ kind: "refused", section: "queues", count: refused });
  const letters = system.dead_letters?.count ?? 0;
  if (letters > 0) issues.push({ kind: "letters", section: "letters", count: letters });
  return issues;
}

const LETTER_KINDS = ["coloring", "svg", "download", "fetch", "sync"] as const;
export type LetterKind = (typeof LETTER_KINDS)[number];

/** Kind of a dead letter's job by its subject (`jobs.<kind>.<id>`, `<kind>.<id>`); null if unknown. */
export function letterKind(letter: DeadLetter): LetterKind | null {
  const subject = letter.subject.replace(/^jobs\./, "");
  return LETTER_KINDS.find((kind) => subject.startsWith(`${kind}.`)) ?? null;
}

/** `system` without a removed dead letter. */
export function withoutLetter(system: SystemState, sequence: number): SystemState {
  const letters = system.dead_letters;
  if (!letters?.newest.some((letter) => letter.sequence === sequence)) return system;
  const newest = letters.newest.filter((letter) => letter.sequence !== sequence);
  return { ...system, dead_letters: { count: letters.count - 1, newest } };
}
