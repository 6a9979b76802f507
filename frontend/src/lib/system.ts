/** What the state of the system means; pure. */
import type { DeadLetter, SystemState } from "./api";

type Process = SystemState["services"][number];
export type QueueState = NonNullable<SystemState["queues"]>[number];
export type Hour = NonNullable<SystemState["last_hour"]>[number];

/** `unknown`: whoever would answer is asked over NATS, and that is away. */
export type ServiceState = "well" | "unwell" | "silent" | "unknown";

export interface Service {
  name: string;
  state: ServiceState;
  processes: Process[];
}

/** Messages normally leave within a second; older ones mean that nobody publishes. */
const OUTBOX_STUCK_SECONDS = 60;

/** Whether NATS was away when the state was told. */
export function isBrokerAway(system: SystemState): boolean {
  return system.queues === null;
}

/** Whether the database was away when the state was told. */
export function isDatabaseAway(system: SystemState): boolean {
  return system.last_hour === null;
}

function stateOf(processes: readonly Process[], brokerAway: boolean): ServiceState {
  if (processes.length === 0) return brokerAway ? "unknown" : "silent";
  return processes.every((process) => process.healthy) ? "well" : "unwell";
}

/** Services in the API's order, each with the processes that answered. */
export function servicesOf(system: SystemState): Service[] {
  const names = [...new Set(system.services.map((process) => process.name))];
  return names.map((name) => {
    const processes = system.services.filter((process) => process.name === name && process.instance !== null);
    return { name, processes, state: stateOf(processes, isBrokerAway(system)) };
  });
}

/** Whether messages wait to be published for longer than they should. */
export function isOutboxStuck(outbox: SystemState["outbox"]): boolean {
  return (outbox?.oldest_seconds ?? 0) > OUTBOX_STUCK_SECONDS;
}

/** How many things an engineer should look at. A service that cannot be told of is none by itself. */
export function troublesOf(system: SystemState): number {
  const services = servicesOf(system).filter(({ state }) => state === "unwell" || state === "silent");
  const own = isBrokerAway(system) || isDatabaseAway(system);
  return (
    // The API is unwell because of NATS or the database, which is one thing to look at.
    services.filter(({ name }) => !own || name !== "orders-api").length +
    Number(isBrokerAway(system)) +
    Number(isDatabaseAway(system)) +
    Number(isOutboxStuck(system.outbox)) +
    Number((system.dead_letters?.count ?? 0) > 0)
  );
}

const LETTER_KINDS = ["coloring", "svg", "download", "erase"] as const;
export type LetterKind = (typeof LETTER_KINDS)[number];

/** What a dead letter's job was to do, by its subject (`jobs.<kind>.<id>`); null for what is not known here. */
export function letterKind(letter: DeadLetter): LetterKind | null {
  return LETTER_KINDS.find((kind) => letter.subject.startsWith(`jobs.${kind}.`)) ?? null;
}

/** `system` without a dead letter that was taken away. */
export function withoutLetter(system: SystemState, sequence: number): SystemState {
  const letters = system.dead_letters;
  if (!letters?.newest.some((letter) => letter.sequence === sequence)) return system;
  const newest = letters.newest.filter((letter) => letter.sequence !== sequence);
  return { ...system, dead_letters: { count: letters.count - 1, newest } };
}
