// Asks the kubelet for its pods again and again: it has no watch.
import { type Backoff, pause } from "@nightjar/stage";
import { listAt, objectAt } from "../formats/json.ts";
import type { Server } from "./api-server.ts";

const PODS_PATH = "/pods";
/** A question about an unknown pod brings the next one forward, but no more often than this. */
export const SOONEST_MS = 1_000;

export interface KubeletOptions {
  server: Server;
  intervalMs: number;
  replace: (objects: readonly unknown[]) => void;
  reached: () => void;
  failed: (error: unknown) => void;
  backoff: Backoff;
  clock: () => number;
}

export class Kubelet {
  readonly counts = { lists: 0, failures: 0 };
  readonly #options: KubeletOptions;
  #hurry = new AbortController();

  constructor(options: KubeletOptions) {
    this.#options = options;
  }

  /** Ask soon: somebody met a pod that was not there yet. */
  hurry(): void {
    this.#hurry.abort();
  }

  /** Runs until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { server, intervalMs, replace, reached, failed, backoff, clock } = this.#options;
    while (!signal.aborted) {
      const begun = clock();
      try {
        this.counts.lists++;
        const list = objectAt(await server.get(PODS_PATH, {}, signal));
        if (!Array.isArray(list.items) && list.kind !== "PodList")
          throw new Error("what it answered is no list of pods");
        replace(listAt(list.items));
        backoff.reset();
        reached();
        this.#hurry = new AbortController();
        await pause(intervalMs, AbortSignal.any([signal, this.#hurry.signal]));
        await pause(Math.max(SOONEST_MS - (clock() - begun), 0), signal);
      } catch (error) {
        if (signal.aborted) return;
        this.counts.failures++;
        failed(error);
        await pause(backoff.next(), signal);
      }
    }
  }
}
