// Collects the indicators that facts show, asks for each once in a window, and makes detections of bad answers.
import { createHash } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { BatchReader } from "@nightjar/events";
import {
  DetectionBatchSchema,
  Disposition,
  IndicatorBatchSchema,
  type Verdict,
  type VerdictBatch,
} from "@nightjar/proto";
import { encodeWithin, GROUP_BYTES_MAX, subjectOf } from "@nightjar/stage";
import { detectionOf } from "./detection.ts";
import { type Entry, PROCESSES_MAX } from "./entry.ts";
import { type IndicatorKey, indicatorOf, keyOf, ShownIndicators } from "./shown.ts";
import { sightingOf } from "./sighting.ts";
import { Changes, type IndicatorStore } from "./store.ts";

/** In a message to the uplink. */
const ASKED_MAX = 256;
const MESSAGE_ID_DIGITS = 32;

export interface IndicatorLimits {
  windowMs: number;
  keptMs: number;
  entriesMax: number;
  evidenceBytesMax: number;
  /** The event types that may show any; all where it is left out. */
  types?: ReadonlySet<number>;
}

/** What the work has to do with the outside; each promise resolves when it is done for good. */
export interface IndicatorWorld {
  /** An encoded IndicatorBatch to the uplink. */
  ask: (bytes: Uint8Array, messageId: string) => Promise<void>;
  /** An encoded DetectionBatch to its subject. */
  tell: (subject: string, bytes: Uint8Array, messageId: string) => Promise<void>;
  /** The store; `commit` may fail, as on a full disk. */
  store: Pick<IndicatorStore, "commit" | "sightings">;
  /** Told how each commit went: the error, or undefined. */
  stored: (error?: unknown) => void;
  /** ms since 1970. */
  now: () => number;
}

export interface IndicatorCounts {
  facts: number;
  shown: number;
  asked: number;
  verdicts: number;
  malicious: number;
  /** Verdicts about what is not kept any more. */
  unmatched: number;
  detections: number;
  evicted: number;
  purged: number;
}

export class Indicators {
  readonly counts: IndicatorCounts = {
    facts: 0,
    shown: 0,
    asked: 0,
    verdicts: 0,
    malicious: 0,
    unmatched: 0,
    detections: 0,
    evicted: 0,
    purged: 0,
  };
  readonly #world: IndicatorWorld;
  readonly #limits: IndicatorLimits;
  /** In the order in which they were first shown. */
  readonly #entries = new Map<IndicatorKey, Entry>();
  #evidenceBytes = 0;
  /** One piece of work after another: what one has changed is on disk before the next builds on it. */
  #last: Promise<unknown> = Promise.resolve();

  /** `entries` are what an earlier process left, the oldest first. */
  constructor(world: IndicatorWorld, limits: IndicatorLimits, entries: readonly Entry[]) {
    this.#world = world;
    this.#limits = limits;
    for (const entry of entries) this.#keep(entry);
  }

  get size(): number {
    return this.#entries.size;
  }

  get evidenceBytes(): number {
    return this.#evidenceBytes;
  }

  /** Tells what a process before this one had found out and did not come to tell. Resolves when it is told. */
  resume(): Promise<void> {
    return this.#inOrder(() => this.#tellUntold(this.#entries.values()));
  }

  /**
   * Takes in a batch of facts; resolves when what came of it is on the bus and on disk. Again is as good as once.
   * Rejects with a WireError where a part of it is no message.
   */
  take(bytes: Uint8Array): Promise<void> {
    return this.#inOrder(() => this.#take(new BatchReader(bytes)));
  }

  /** Takes in what the uplink answers; the same. */
  judge(answer: VerdictBatch): Promise<void> {
    return this.#inOrder(() => this.#judge(answer));
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #take(batch: BatchReader): Promise<void> {
    const changes = new Changes();
    const asked: Entry[] = [];
    const shown = new ShownIndicators(batch, this.#limits.types);
    this.counts.facts += batch.length;
    try {
      for (let index = 0; index < batch.length; index++) {
        for (const key of shown.of(index)) this.#see(key, { batch, index, process: shown.process }, changes, asked);
      }
    } finally {
      this.#evict(changes);
      // Asked before it is kept: after a crash in between it is shown, and asked, again.
      await this.#ask(asked);
      await this.#commit(changes);
      await this.#tellUntold(changes.changed);
    }
  }

  #see(key: IndicatorKey, sight: Sight, changes: Changes, asked: Entry[]): void {
    this.counts.shown++;
    const now = this.#world.now();
    let entry = this.#entries.get(key);
    if (entry && !isWithin(now - entry.createdAtMs, this.#limits.keptMs)) {
      this.#drop(entry, changes);
      entry = undefined;
    }
    if (!entry?.processes.includes(sight.process)) entry = this.#note(entry ?? newEntry(key, now), sight, changes);
    if (isWithin(now - entry.askedAtMs, this.#limits.windowMs)) return;
    entry.askedAtMs = now;
    asked.push(entry);
    changes.changed.add(entry);
  }

  /** Keeps the evidence of a process that had not shown it before, where there is room for another. */
  #note(entry: Entry, { batch, index, process }: Sight, changes: Changes): Entry {
    if (entry.processes.length >= PROCESSES_MAX) {
      entry.omitted++;
      return entry;
    }
    const bytes = sightingOf(batch, index);
    if (entry.processes.length === 0) this.#keep(entry);
    changes.sightings.push({ entry, at: entry.processes.length, bytes });
    entry.processes.push(process);
    entry.evidenceBytes += bytes.length;
    this.#evidenceBytes += bytes.length;
    changes.changed.add(entry);
    return entry;
  }

  async #ask(entries: readonly Entry[]): Promise<void> {
    for (let from = 0; from < entries.length; from += ASKED_MAX) {
      const indicators = entries.slice(from, from + ASKED_MAX).map(({ key }) => indicatorOf(key));
      const bytes = toBinary(IndicatorBatchSchema, create(IndicatorBatchSchema, { indicators }));
      await this.#world.ask(bytes, createHash("sha256").update(bytes).digest("hex").slice(0, MESSAGE_ID_DIGITS));
      this.counts.asked += indicators.length;
    }
  }

  async #judge({ verdicts, purged }: VerdictBatch): Promise<void> {
    const changes = new Changes();
    if (purged) this.#purge(changes);
    for (const verdict of verdicts) this.#learn(verdict, changes);
    await this.#commit(changes);
    await this.#tellUntold(changes.changed);
  }

  #learn(verdict: Verdict, { changed }: Changes): void {
    this.counts.verdicts++;
    const isMalicious = verdict.disposition === Disposition.MALICIOUS;
    if (isMalicious) this.counts.malicious++;
    const entry = verdict.indicator && this.#entries.get(keyOf(verdict.indicator));
    if (!entry) {
      if (isMalicious) this.counts.unmatched++;
      return;
    }
    // What is not malicious needs no place on disk: it is asked for again in the next window.
    if (!isMalicious && !entry.verdict) return;
    entry.verdict = isMalicious ? verdict : undefined;
    changed.add(entry);
  }

  #purge(changes: Changes): void {
    for (const entry of this.#entries.values()) {
      if (entry.verdict) continue;
      this.#drop(entry, changes);
      this.counts.purged++;
    }
  }

  /** Makes the detections of what is malicious and has processes that none has told. */
  async #tellUntold(entries: Iterable<Entry>): Promise<void> {
    const changes = new Changes();
    for (const entry of entries) {
      const { verdict, processes, told, key, omitted } = entry;
      if (!verdict || processes.length <= told) continue;
      const sightings = await this.#world.store.sightings(entry);
      const detection = detectionOf({ key, verdict, sightings, processes: processes.length, omitted });
      entry.told = processes.length;
      changes.changed.add(entry);
      if (!detection) continue;
      const encoded = encodeWithin(detection, GROUP_BYTES_MAX);
      const messageId = `${detection.id}:${detection.revision}`;
      await this.#world.tell(subjectOf(detection.priority), groupOf(encoded), messageId);
      this.counts.detections++;
    }
    await this.#commit(changes);
  }

  async #commit(changes: Changes): Promise<void> {
    if (changes.isEmpty) return;
    try {
      await this.#world.store.commit(changes);
      this.#world.stored();
    } catch (error) {
      // On a full disk what is in memory goes on; only evidence that is not there cannot be told.
      this.#world.stored(error);
    }
  }

  #keep(entry: Entry): Entry {
    this.#entries.set(entry.key, entry);
    this.#evidenceBytes += entry.evidenceBytes;
    return entry;
  }

  #drop(entry: Entry, changes: Changes): void {
    this.#entries.delete(entry.key);
    this.#evidenceBytes -= entry.evidenceBytes;
    changes.gone.add(entry);
    changes.changed.delete(entry);
  }

  /** The oldest go where there are too many, or too much is known of them. */
  #evict(changes: Changes): void {
    const { entriesMax, evidenceBytesMax } = this.#limits;
    for (const entry of this.#entries.values()) {
      if (this.#entries.size <= entriesMax && this.#evidenceBytes <= evidenceBytesMax) return;
      this.#drop(entry, changes);
      this.counts.evicted++;
    }
  }
}

/** Which event of which batch shows it, and who acts. */
interface Sight {
  batch: BatchReader;
  index: number;
  process: string;
}

/** A clock that was set back makes nothing last longer. */
function isWithin(ageMs: number, limitMs: number): boolean {
  return ageMs >= 0 && ageMs < limitMs;
}

function newEntry(key: IndicatorKey, now: number): Entry {
  return {
    key,
    createdAtMs: now,
    askedAtMs: Number.NEGATIVE_INFINITY,
    processes: [],
    evidenceBytes: 0,
    omitted: 0,
    verdict: undefined,
    told: 0,
  };
}

/** An encoded DetectionBatch of one encoded detection. */
function groupOf(detection: Uint8Array): Uint8Array {
  const field = DetectionBatchSchema.field.detections.number;
  return new BinaryWriter().tag(field, WireType.LengthDelimited).bytes(detection).finish();
}
