// Asks the portal for what waits, in batches, and follows what changes there.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Indicator,
  type ListChangesResponse,
  type LookUpResponse,
  type Verdict,
  VerdictSchema,
} from "@nightjar/proto";
import type { Backoff } from "@nightjar/stage";
import { failureOf, PortalFailure } from "../failure.ts";
import { LOOK_UP_INDICATORS_MAX } from "../limits.ts";
import type { CurrentFilter } from "./filter.ts";
import type { LookUpStore } from "./store.ts";

export interface LookUpOptions {
  store: LookUpStore;
  filter: CurrentFilter;
  /** Rejects with a PortalFailure. */
  lookUp: (indicators: Indicator[]) => Promise<LookUpResponse>;
  /** Rejects with a PortalFailure. */
  listChanges: (after: bigint) => Promise<ListChangesResponse>;
  /** Resolves when the bus has stored them; `number` is that of the first in the queue. */
  publish: (verdicts: Verdict[], number: bigint) => Promise<void>;
  backoff: () => Backoff;
  /** Resolves after `ms`, or when it is worth while to try earlier. */
  wait: (ms: number) => Promise<void>;
  answered: (verdicts: readonly Verdict[]) => void;
  failed: (failure: PortalFailure) => void;
  /** The disk refuses; resolves when it is time to try again. */
  refused: (error: unknown) => Promise<void>;
}

export class LookUps {
  readonly #options: LookUpOptions;
  /** The last generation the portal told; undefined while it told none. */
  #told: bigint | undefined;
  #wake: () => void = () => {};

  constructor(options: LookUpOptions) {
    this.#options = options;
  }

  /** The portal's change counter, as each of its answers tells it. */
  heard(generation: bigint): void {
    this.#told = generation;
    this.#wake();
  }

  /** There is another filter: what changed since it was made has to be known. */
  filterChanged(): void {
    this.#wake();
  }

  /** Runs until `signal` is aborted. One call at a time: what comes meanwhile goes together in the next. */
  async ask(signal: AbortSignal): Promise<void> {
    const { store } = this.#options;
    const backoff = this.#options.backoff();
    let most = LOOK_UP_INDICATORS_MAX;
    while (!signal.aborted) {
      await store.waitForWaiting(signal);
      if (signal.aborted) return;
      const isDone = await this.#attempt(backoff, signal, () => this.#askFor(most));
      // Answers are limited in their size: half as many fit where all did not.
      most = isDone ? Math.min(LOOK_UP_INDICATORS_MAX, most * 2) : Math.max(1, Math.floor(most / 2));
    }
  }

  /** Runs until `signal` is aborted: has asked anew what was answered before it changed at the portal. */
  async follow(signal: AbortSignal): Promise<void> {
    const backoff = this.#options.backoff();
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    while (!signal.aborted) {
      const after = this.#changesAfter();
      if (after === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else await this.#attempt(backoff, signal, () => this.#takeChanges(after));
    }
  }

  /** From where changes are missing; undefined where none are, or the portal was not heard yet. */
  #changesAfter(): bigint | undefined {
    const { store, filter } = this.#options;
    if (this.#told === undefined) return undefined;
    const known = store.generation;
    const missing = known === this.#told ? undefined : (known ?? this.#told);
    const wanted = [missing, filter.needsChangesAfter].filter((one) => one !== undefined);
    return wanted.toSorted((left, right) => (left < right ? -1 : 1))[0];
  }

  async #askFor(most: number): Promise<void> {
    const { store, lookUp, publish } = this.#options;
    const asked = await store.next(most);
    if (asked.length === 0) return;
    const { verdicts: answers, generation } = await lookUp(asked.map(({ indicator }) => indicator));
    if (answers.length !== asked.length) {
      const resp = `${answers.length} verdicts for ${asked.length} indicators`;
      throw new PortalFailure("comm", "comm error (500)", resp);
    }
    // The indicator is ours, whatever the answer says it is about.
    const verdicts = answers.map((answer, at) => asVerdict({ ...answer, indicator: asked[at]!.indicator }));
    await publish(verdicts, asked[0]!.number);
    await store.answer(asked, verdicts, generation);
    this.#options.answered(verdicts);
    this.heard(generation);
  }

  async #takeChanges(after: bigint): Promise<void> {
    const { store, filter, listChanges } = this.#options;
    const { hashes, generation, all } = await listChanges(after);
    if (all) await store.recheckAll(generation);
    else await store.recheck(hashes, generation);
    filter.changed(all ? undefined : hashes);
    this.#told = generation;
  }

  /** Whether it worked; if not, it has waited until it is time to try again. */
  async #attempt(backoff: Backoff, signal: AbortSignal, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      backoff.reset();
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      if (error instanceof PortalFailure) {
        this.#options.failed(failureOf(error));
        await this.#options.wait(backoff.next());
      } else await this.#options.refused(error);
      return false;
    }
  }
}

function asVerdict(shape: MessageInitShape<typeof VerdictSchema>): Verdict {
  return create(VerdictSchema, shape);
}
