// What became of things since the portal last answered a heartbeat: what was kept, given up, dropped and not watched.
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { DropReasonSchema, type OutageReport, OutageReportSchema, type StageStatus, wordsOf } from "@nightjar/proto";
import type { CounterName } from "@nightjar/stage";
import { BLIND_SPELLS_MAX } from "./limits.ts";

/** The uplink's counters of what it gives up while the portal is away. */
export const GIVEN_UP = [
  "detections_stale",
  "detections_evicted",
  "detections_refused",
  "health_issues_dropped",
] as const satisfies readonly CounterName[];

type Numbers = Record<string, number>;

interface Spell {
  fromMs: number;
  untilMs: number;
}

/** As it is kept on the disk. Times are milliseconds since 1970. */
export interface AccountState {
  heardAtMs?: number;
  /** The first failure since; empty while all is well. */
  reason: string;
  /** Detections sent since that failure. */
  sent: number;
  givenUp: Numbers;
  dropped: Numbers;
  blind: Spell[];
  /** What the collector was last seen to watch: the source of its events, and its drops by then. */
  watched?: { source: string; atMs: number; dropped: Numbers };
}

/** What a heartbeat told, to be taken off when it is answered. */
export interface Told {
  message: OutageReport;
  state: AccountState;
}

const dropWords = wordsOf(DropReasonSchema);

export class OutageAccount {
  #state: AccountState;
  /** The counters of this process at the last look. */
  #counted: Numbers = {};

  constructor(state?: AccountState) {
    this.#state = state ?? { reason: "", sent: 0, givenUp: {}, dropped: {}, blind: [] };
  }

  get state(): AccountState {
    return this.#state;
  }

  /** Takes in the counters of the uplink and what the collector said just now, if it answered. */
  look(statuses: readonly StageStatus[], counter: (name: CounterName) => number, nowMs: number): void {
    for (const name of GIVEN_UP) add(this.#state.givenUp, name, this.#newly(name, counter(name)));
    const sent = this.#newly("detections_sent", counter("detections_sent"));
    if (this.#state.reason !== "") this.#state.sent += sent;
    const collector = statuses.find(({ stage }) => stage === "collector");
    if (collector?.facts.source) this.#watch(collector, collector.facts.source, nowMs);
  }

  /** A call failed, in these words. */
  failed(words: string): void {
    this.#state.reason ||= words;
  }

  /** What the next heartbeat tells; `waiting` detections are in the outbox. */
  tell(waiting: number): Told {
    const { heardAtMs, reason, sent, givenUp, dropped, blind } = this.#state;
    const message = create(OutageReportSchema, {
      ...(heardAtMs !== undefined && { since: timestampFromMs(heardAtMs) }),
      reason,
      detectionsKept: BigInt(sent + waiting),
      givenUp: bigints(givenUp),
      eventsDropped: bigints(dropped),
      blind: blind.map(({ fromMs, untilMs }) => ({ from: timestampFromMs(fromMs), until: timestampFromMs(untilMs) })),
    });
    return { message, state: structuredClone(this.#state) };
  }

  /** The portal has answered the heartbeat that told this; what came meanwhile is for the next. */
  heard({ state }: Told, nowMs: number): void {
    const { givenUp, dropped, blind, watched } = this.#state;
    this.#state = {
      heardAtMs: nowMs,
      reason: "",
      sent: 0,
      givenUp: minus(givenUp, state.givenUp),
      dropped: minus(dropped, state.dropped),
      blind: blind.slice(state.blind.length),
      ...(watched && { watched }),
    };
  }

  #newly(name: string, value: number): number {
    const before = this.#counted[name] ?? 0;
    this.#counted[name] = value;
    return value - before;
  }

  #watch(collector: StageStatus, source: string, nowMs: number): void {
    const { watched, dropped, blind } = this.#state;
    const total = dropsOf(collector);
    const before = watched?.source === source ? watched.dropped : {};
    for (const [reason, count] of Object.entries(total))
      add(dropped, reason, Math.max(0, count - (before[reason] ?? 0)));
    // Told only by a collector that found no probe to take over.
    const began = collector.facts.watching_since;
    const beganMs = began === undefined ? 0 : Date.parse(began);
    if (watched && watched.source !== source && beganMs > watched.atMs && blind.length < BLIND_SPELLS_MAX) {
      blind.push({ fromMs: watched.atMs, untilMs: beganMs });
    }
    this.#state.watched = { source, atMs: nowMs, dropped: total };
  }
}

/** Throws where it is no state of an account. */
export function accountFromJson(value: unknown): AccountState {
  const { reason, sent, givenUp, dropped, blind } = value as AccountState;
  const numbers = [givenUp, dropped].flatMap((table) => Object.values(table));
  const isSound = typeof reason === "string" && Array.isArray(blind) && [sent, ...numbers].every(Number.isFinite);
  if (!isSound) throw new TypeError("no account");
  return value as AccountState;
}

/** Events dropped by reason, of all types together. */
function dropsOf({ ledger }: StageStatus): Numbers {
  const drops: Numbers = {};
  for (const { reason, count } of ledger.flatMap((entry) => entry.drops)) {
    add(drops, dropWords.get(reason) ?? String(reason), Number(count));
  }
  return drops;
}

function add(numbers: Numbers, name: string, amount: number): void {
  if (amount > 0) numbers[name] = (numbers[name] ?? 0) + amount;
}

function minus(numbers: Numbers, taken: Numbers): Numbers {
  const left: Numbers = {};
  for (const [name, value] of Object.entries(numbers)) add(left, name, value - (taken[name] ?? 0));
  return left;
}

function bigints(numbers: Numbers): Record<string, bigint> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, BigInt(value)]));
}
