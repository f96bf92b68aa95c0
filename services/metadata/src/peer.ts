// A runtime at one place, asked with patience: each question has a deadline, and one that does not answer is left alone
// for a while.
import type { Container } from "@nightjar/proto";
import { describeError, pause } from "@nightjar/stage";
import type { ContainerQuery, Runtime, RuntimeKind } from "./runtime.ts";

/** After a failure it is asked again after the first of these, then after twice as long, up to the second. */
const SILENT_MS_MIN = 500;
const SILENT_MS_MAX = 30_000;

/** What it said: a container, that it has none, or why it said nothing. */
export type Told = { is: "told"; container: Container } | { is: "none" } | { is: "silent"; why: string };

export interface PeerOptions {
  kind: RuntimeKind;
  place: string;
  runtime: Runtime;
  /** How long it has for an answer. */
  answerMs: number;
  clock: () => number;
}

export class Peer {
  readonly kind: RuntimeKind;
  readonly place: string;
  readonly #options: PeerOptions;
  readonly #closing = new AbortController();
  #failures = 0;
  #silentUntilMs = 0;
  #why = "";

  constructor(options: PeerOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.place = options.place;
  }

  /** For a person: "docker at /run/docker.sock". */
  get name(): string {
    return `${this.kind.name} at ${this.place}`;
  }

  serves(runtime: string): boolean {
    return runtime === "" || this.kind.serves.includes(runtime);
  }

  /** Resolves within the time for an answer; at once while it is left alone. */
  async ask(query: ContainerQuery): Promise<Told> {
    const { clock, answerMs, runtime } = this.#options;
    if (clock() < this.#silentUntilMs) return this.#silent();
    const deadline = AbortSignal.any([AbortSignal.timeout(answerMs), this.#closing.signal]);
    try {
      const container = await Promise.race([runtime.inspect(query, deadline), aborted(deadline)]);
      this.#failures = 0;
      return container ? { is: "told", container } : { is: "none" };
    } catch (error) {
      this.#why = deadline.aborted ? `no answer in ${answerMs} ms` : describeError(error);
      this.#silentUntilMs = clock() + this.#backOffMs();
      return this.#silent();
    }
  }

  /** Tells ids as the runtime does, connecting again when it ends that, until the peer is closed. */
  async follow(changed: (id: string) => void): Promise<void> {
    const { runtime } = this.#options;
    const { signal } = this.#closing;
    for (let failures = 0; runtime.watch && !signal.aborted; failures++) {
      const heard = (id: string) => {
        failures = 0;
        changed(id);
      };
      await runtime.watch(heard, signal).catch(() => undefined);
      await pause(waitMs(failures), signal);
    }
  }

  close(): void {
    this.#closing.abort();
    this.#options.runtime.close?.();
  }

  #silent(): Told {
    return { is: "silent", why: `${this.name}: ${this.#why}` };
  }

  #backOffMs(): number {
    return waitMs(this.#failures++);
  }
}

function waitMs(failures: number): number {
  return Math.min(SILENT_MS_MIN * 2 ** failures, SILENT_MS_MAX);
}

/** For those who do not look at the signal. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}
