// What the tests of look-ups share: a portal that answers from a table, a bus that can be cut off, and a clock.
import { create } from "@bufbuild/protobuf";
import { hashOf, readIndicator } from "@nightjar/indicators";
import {
  Disposition,
  type Indicator,
  ListChangesResponseSchema,
  LookUpResponseSchema,
  type Verdict,
  VerdictSchema,
} from "@nightjar/proto";
import { Backoff, pause } from "@nightjar/stage";
import { PortalFailure } from "../failure.ts";
import { CurrentFilter } from "./filter.ts";
import { LookUps } from "./look-ups.ts";
import { LookUpStore, type StoreOptions } from "./store.ts";

export const HOUR_MS = 60 * 60 * 1_000;
export const MINUTE_MS = 60 * 1_000;

export function domain(name: string): Indicator {
  return readIndicator(`${name}.example`)!;
}

/** A portal whose lists are a map, and which may be away. */
export class FakePortal {
  readonly listed = new Map<string, Disposition>();
  readonly changes: { generation: bigint; hash: bigint }[] = [];
  /** Each call's indicators. */
  readonly asked: string[][] = [];
  generation = 1n;
  isAway = false;
  /** Changes are not known singly. */
  forgetsChanges = false;

  list(indicator: Indicator, disposition: Disposition): void {
    this.listed.set(indicator.value, disposition);
    this.changes.push({ generation: ++this.generation, hash: hashOf(indicator) });
  }

  lookUp = async (indicators: Indicator[]) => {
    this.#assertThere();
    this.asked.push(indicators.map(({ value }) => value));
    const verdicts = indicators.map((indicator) =>
      create(VerdictSchema, { indicator, disposition: this.listed.get(indicator.value) ?? Disposition.UNKNOWN }),
    );
    return create(LookUpResponseSchema, { verdicts, generation: this.generation });
  };

  listChanges = async (after: bigint) => {
    this.#assertThere();
    const hashes = this.changes.filter((one) => one.generation > after).map(({ hash }) => hash);
    const all = this.forgetsChanges || after > this.generation;
    return create(ListChangesResponseSchema, { hashes: all ? [] : hashes, generation: this.generation, all });
  };

  #assertThere(): void {
    if (this.isAway) throw new PortalFailure("refused", "Connection Failed: connection refused", "ECONNREFUSED");
  }
}

/** An uplink's part that looks up, with what it gave to the bus. */
export class Life {
  readonly published: Verdict[] = [];
  readonly filter = new CurrentFilter();
  readonly #abort = new AbortController();
  readonly #store: LookUpStore;
  readonly #lookUps: LookUps;
  readonly #loops: Promise<void>[];

  private constructor(store: LookUpStore, portal: FakePortal, bus: (verdicts: Verdict[]) => Promise<void>) {
    this.#store = store;
    this.#lookUps = new LookUps({
      store,
      filter: this.filter,
      lookUp: portal.lookUp,
      listChanges: portal.listChanges,
      publish: async (verdicts) => {
        await bus(verdicts);
        this.published.push(...verdicts);
      },
      backoff: () => new Backoff({ baseMs: 1, maxMs: 5, jitter: 1, fastWindowMs: HOUR_MS, slowIntervalMs: HOUR_MS }),
      wait: (ms) => pause(ms),
      answered: () => {},
      failed: () => {},
      refused: async () => {},
    });
    this.#loops = [this.#lookUps.ask(this.#abort.signal), this.#lookUps.follow(this.#abort.signal)];
  }

  /** `bus` resolves when the bus has stored verdicts. */
  static async start(
    folder: string,
    portal: FakePortal,
    options: Partial<StoreOptions> = {},
    bus: (verdicts: Verdict[]) => Promise<void> = async () => {},
  ): Promise<Life> {
    return new Life(await openStore(folder, options), portal, bus);
  }

  get store(): LookUpStore {
    return this.#store;
  }

  /** As from the aggregator. */
  async take(...indicators: Indicator[]): Promise<Verdict[]> {
    return await this.#store.take(indicators, (hash) => this.filter.isUnknown(hash));
  }

  /** As from a heartbeat. */
  heard(generation: bigint): void {
    this.#lookUps.heard(generation);
  }

  filterChanged(): void {
    this.#lookUps.filterChanged();
  }

  /** What was published of one. */
  verdictsOf({ value }: Indicator): Disposition[] {
    return this.published.filter((one) => one.indicator?.value === value).map(({ disposition }) => disposition);
  }

  /** Ends without tidying up; what was under way on the bus stays there. */
  async end(): Promise<void> {
    this.#abort.abort();
    await this.#store.close();
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await Promise.all(this.#loops);
    await this.#store.close();
  }
}

export function openStore(folder: string, options: Partial<StoreOptions> = {}): Promise<LookUpStore> {
  return LookUpStore.open(folder, {
    ttl: { knownMs: 24 * HOUR_MS, unknownMs: 6 * HOUR_MS },
    clock: Date.now,
    broken: (error) => {
      throw error;
    },
    ...options,
  });
}
