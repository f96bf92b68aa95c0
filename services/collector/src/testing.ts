// What the collector's tests share: a stage whose bus stores a message when the test says so.
import type { Stage } from "@nightjar/stage";

/** A message that the bus was given and has not stored yet. */
export interface Waiting {
  stream: string;
  subject: string;
  bytes: Uint8Array;
  messageId: string;
  store: () => void;
}

export interface FakeStage {
  stage: Stage;
  /** In the order in which they were given. */
  waiting: Waiting[];
  counts: Map<string, number>;
  facts: Map<string, string>;
}

/** As much of a stage as the collector's parts need; `parts` are added or take the place of what is here. */
export function fakeStage(parts: object = {}): FakeStage {
  const waiting: Waiting[] = [];
  const counts = new Map<string, number>();
  const facts = new Map<string, string>();
  const add = (name: string, amount = 1) => counts.set(name, (counts.get(name) ?? 0) + amount);
  const publish = (stream: string, subject: string, bytes: Uint8Array, messageId: string) =>
    new Promise<void>((store) => waiting.push({ stream, subject, bytes, messageId, store }));
  const stage = {
    bus: { publish },
    counters: { add, get: (name: string) => counts.get(name) ?? 0 },
    facts,
    log: { info: () => {} },
    settings: { collector: { in_flight_batches: 4 } },
    ...parts,
  };
  return { stage: stage as unknown as Stage, waiting, counts, facts };
}
