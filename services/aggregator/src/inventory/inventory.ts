// The runtime inventory: facts and looks at what runs go in, what changed goes to disk and to the portal.
import { BatchReader } from "@nightjar/events";
import type { InventoryItem, Running } from "@nightjar/proto";
import type { Settled } from "./catalogue.ts";
import { bringUpToDate, Catalogue, type CatalogueLimits, type CatalogueStart, type Entry } from "./catalogue.ts";
import { Facts } from "./facts.ts";
import { Processes } from "./processes.ts";
import { takeRunning } from "./running.ts";
import type { Meta } from "./store.ts";
import { Watch, type WatchOptions } from "./watch.ts";

/** How often what is not seen any more is looked for. */
const EXPIRY_MS = 60_000;

export interface InventoryWorld {
  ask: WatchOptions["ask"];
  /** Writes to disk; rejects where the disk refuses. */
  commit: (settled: Settled, meta: Meta) => Promise<void>;
  /** What became of the last try to write. */
  stored: (error?: unknown) => void;
  unanswered: (error?: unknown) => void;
  /** This host's clock, ms since 1970. */
  now: () => number;
  /** Milliseconds that only grow. */
  elapsed: () => number;
}

export interface InventoryOptions extends CatalogueLimits {
  sweepMs: number;
  settledMs: number;
  hostNetworkNamespace: number;
}

export class Inventory {
  readonly catalogue: Catalogue;
  readonly processes: Processes;
  readonly watch: Watch;
  readonly counts = { looks: 0, unstored: 0 };
  /** Everything that runs has been looked at. */
  isWhole = false;
  publishedRevision: bigint;
  readonly #world: InventoryWorld;
  readonly #options: InventoryOptions;
  readonly #facts: Facts;
  /** The inventory began with this process: what runs was there before. */
  readonly #isNew: boolean;
  #expiredAtMs = 0;
  /** What the disk did not take. */
  #unwritten: Settled | undefined;

  constructor(world: InventoryWorld, options: InventoryOptions, start: CatalogueStart, publishedRevision = 0n) {
    this.#world = world;
    this.#options = options;
    this.catalogue = new Catalogue(options, start);
    this.publishedRevision = publishedRevision;
    this.#isNew = this.catalogue.size === 0;
    const { catalogue } = this;
    this.processes = new Processes({ catalogue, settledMs: options.settledMs });
    this.watch = new Watch({
      ask: world.ask,
      take: (part) => this.#look(part),
      finished: (last, askedAtMs) => this.#finished(last, askedAtMs),
      failed: (error) => world.unanswered(error),
      sweepMs: options.sweepMs,
      now: world.elapsed,
    });
    const { hostNetworkNamespace } = options;
    const began = (pid: number) => this.watch.began(pid);
    this.#facts = new Facts({ catalogue, processes: this.processes, began, hostNetworkNamespace });
  }

  /**
   * Takes in an encoded batch of facts. It is on disk a second later.
   * @throws WireError where it is none.
   */
  take(bytes: Uint8Array): void {
    this.#facts.take(new BatchReader(bytes));
  }

  /** Writes what changed; called every second. What the disk refuses is tried again with the next. */
  async settle(): Promise<void> {
    const { catalogue, processes } = this;
    const now = this.#world.now();
    const isHeld = (entry: Entry) => processes.isHeld(entry);
    processes.refresh(now);
    if (Math.abs(now - this.#expiredAtMs) > EXPIRY_MS) {
      catalogue.expire(now, isHeld);
      this.#expiredAtMs = now;
    }
    const settled = mergeSettled(this.#unwritten, catalogue.settle(isHeld));
    const isNothing = settled.changed.length + settled.touched.length + settled.gone.length === 0;
    if (isNothing && !this.#unwritten) return;
    try {
      await this.#world.commit(settled, this.meta);
      this.#unwritten = undefined;
      this.#world.stored();
    } catch (error) {
      this.#unwritten = settled;
      this.counts.unstored++;
      this.#world.stored(error);
    }
  }

  get meta(): Meta {
    const { epoch, revision } = this.catalogue;
    return { epoch, revision, publishedRevision: this.publishedRevision };
  }

  /** The item as it is now, its youngest processes too. */
  render(entry: Entry): InventoryItem {
    const item = bringUpToDate(entry);
    if (item.what.case !== "program") return item;
    const processes = this.processes.runningOf(entry);
    const value = { ...item.what.value, processes: processes.slice(0, RENDERED_MAX), running: processes.length };
    return { ...item, what: { case: "program", value } };
  }

  #look(part: Running): number[] {
    const { catalogue, processes } = this;
    const { hostNetworkNamespace } = this.#options;
    const isFirst = this.#isNew && !this.isWhole;
    const options = { catalogue, processes, hostNetworkNamespace };
    const { incomplete, looked } = takeRunning(part, options, this.#world.now(), isFirst);
    this.counts.looks += looked;
    return incomplete;
  }

  #finished(last: Running, askedAtMs: number): void {
    this.#world.unanswered();
    const sinceMs = this.#world.elapsed() - askedAtMs;
    const askedAtNs = BigInt(Math.round((this.#world.now() - sinceMs) * 1e6)) - this.processes.bootTimeUnixNs;
    this.processes.live(last.livingPids, last.livingStartsNs, askedAtNs);
    if (!last.isComplete || this.isWhole) return;
    this.isWhole = true;
    this.processes.reconsider();
  }
}

/** Processes of a program that are shown. */
const RENDERED_MAX = 64;

/** The later one counts for what is in both. */
function mergeSettled(before: Settled | undefined, now: Settled): Settled {
  if (!before) return now;
  const changed = [...new Set([...before.changed, ...now.changed])];
  const touched = [...new Set([...before.touched, ...now.touched])].filter((entry) => !changed.includes(entry));
  return {
    changed,
    touched,
    gone: [...before.gone, ...now.gone],
    goneForgotten: [...before.goneForgotten, ...now.goneForgotten],
  };
}
