// Asks the API server for single objects, one after the other, and remembers what is needed of them.
import { type Backoff, pause } from "@nightjar/stage";
import { type Server, StatusError } from "./api-server.ts";
import { factsOf, type ObjectFacts } from "./workload.ts";

/** Beyond, objects are counted and taken for not to be had; a node of 500 pods has some 200 owners and namespaces. */
export const OBJECTS_MAX = 4_096;
/** Labels may change: what is still in use is asked for again. What nobody asked for since then is forgotten. */
export const OBJECT_KEPT_MS = 600_000;
/** Served from the server's memory, whatever its age: a question that costs it next to nothing. */
const FROM_MEMORY = { resourceVersion: "0" };
/** A refusal that another try would not change: no such object, no right to read it, no such kind. */
const FINAL = [400, 403, 404, 405, 410];

interface Entry {
  facts: ObjectFacts | null | undefined;
  askedForMs: number;
}

export interface ObjectsOptions {
  server: Server;
  /** What is known of the object at this path has changed. */
  changed: (path: string) => void;
  backoff: Backoff;
  clock: () => number;
}

export class Objects {
  readonly counts = { asked: 0, refused: 0, failures: 0, tooMany: 0 };
  readonly #options: ObjectsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #waiting = new Set<string>();
  #wake = () => {};

  constructor(options: ObjectsOptions) {
    this.#options = options;
  }

  /** What is known now; what is not will be asked for, and `changed` told. */
  readonly find = (path: string): ObjectFacts | null | undefined => {
    const now = this.#options.clock();
    const entry = this.#entries.get(path);
    if (entry) {
      entry.askedForMs = now;
      return entry.facts;
    }
    if (this.#entries.size >= OBJECTS_MAX) {
      this.counts.tooMany++;
      return null;
    }
    this.#entries.set(path, { facts: undefined, askedForMs: now });
    this.#waiting.add(path);
    this.#wake();
    return undefined;
  };

  /** Every so often: asks again for what was asked for since the last time, and forgets the rest. */
  refresh(): void {
    const oldest = this.#options.clock() - OBJECT_KEPT_MS;
    for (const [path, { askedForMs }] of this.#entries) {
      if (askedForMs < oldest) this.#entries.delete(path);
      else this.#waiting.add(path);
    }
    this.#wake();
  }

  /** Asks until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    while (!signal.aborted) {
      const [path] = this.#waiting;
      if (path === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else await this.#ask(path, signal);
    }
  }

  async #ask(path: string, signal: AbortSignal): Promise<void> {
    const { server, backoff } = this.#options;
    try {
      this.counts.asked++;
      this.#keep(path, factsOf(await server.get(path, FROM_MEMORY, signal)));
      backoff.reset();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof StatusError && FINAL.includes(error.status)) {
        this.counts.refused++;
        this.#keep(path, null);
        return;
      }
      this.counts.failures++;
      const retryAfterMs = error instanceof StatusError ? error.retryAfterMs : 0;
      await pause(Math.max(backoff.next(), retryAfterMs), signal);
    }
  }

  #keep(path: string, facts: ObjectFacts | null): void {
    this.#waiting.delete(path);
    const entry = this.#entries.get(path);
    if (!entry) return;
    const same = JSON.stringify(entry.facts) === JSON.stringify(facts);
    entry.facts = facts;
    if (!same) this.#options.changed(path);
  }
}
