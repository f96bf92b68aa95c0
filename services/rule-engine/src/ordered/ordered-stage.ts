// The ordered stage: notes matches on MATCHES, puts them through the steps in the order of their events, publishes.
import assert from "node:assert/strict";
import { RangeSet } from "@nightjar/events";
import type { DetectionGroup } from "../detections.ts";
import type { FiredPlace } from "./fired.ts";
import type { Note } from "./note.ts";
import { packDetections } from "./pack.ts";
import { BootTimes, type NotedRange, readNote } from "./read-note.ts";
import { Sequence, type Ticket } from "./sequence.ts";
import type { Candidate, Step } from "./step.ts";

/** Ranges taken in whose detections the bus has not stored yet: beyond this no further batch is begun. */
const BACKLOG_RANGES_MAX = 256;

/** What the ordered stage needs of the world; the bus and the disk, or a test's own. */
export interface OrderedWorld {
  /** Resolves when MATCHES has stored the note. */
  note(note: Note): Promise<void>;
  /** Resolves when DETECTIONS has stored the message. */
  publish(group: DetectionGroup): Promise<void>;
  fired: Pick<FiredPlace, "includes" | "watermarkUs" | "advance" | "save">;
  /** Counts detections that went out. */
  count(detections: number): void;
}

/** What is known of a range that has been evaluated. */
export interface EvaluatedRange {
  source: string;
  next: number;
  notes: readonly Note[];
  bootTimeUnixNs: number;
  lastTimeNs: number;
  /** Called in its turn, before the steps: the rules that evaluated it may be others than those of the range before. */
  prepare?: () => void;
}

/**
 * For each batch, in this order: `admit`, `store` when it has been evaluated, the caller commits its range and
 * acknowledges it, `takeIn`. Each step of that is safe to be the last one of this process:
 *
 * - before `store` resolves, or before the range is committed: the batch comes again from EVENTS and is evaluated
 *   again. What MATCHES holds of it is passed over by `rebuild`, since its range is not among the processed ones.
 * - after the commit, before its detections are stored: its matches are on MATCHES and its range is processed, but not
 *   fired: `rebuild` puts them through the steps and publishes what comes of them.
 * - after its detections are stored, before the place is saved: the same, and the detections are published again, under
 *   the same ids, in messages with the same ids, by which the server and the portal know them.
 * - after the place is saved: `rebuild` puts them through the steps and throws away what comes of them.
 *
 * The order is that of the stream (Sequence), for notes too, so that MATCHES read from its beginning gives the steps
 * what they were given before. Ranges without matches are not on MATCHES; all they do is move the watermark, which is
 * saved with the place whenever something was published.
 */
export class OrderedStage {
  readonly #world: OrderedWorld;
  readonly #steps: readonly Step[];
  readonly #sequence = new Sequence();
  readonly #times = new BootTimes();
  #watermarkUs = 0;
  #backlog = 0;
  #waiting: (() => void)[] = [];
  /** Resolves when everything taken in so far is published and its place saved. */
  #settled: Promise<void> = Promise.resolve();

  constructor(world: OrderedWorld, steps: readonly Step[]) {
    this.#world = world;
    this.#steps = steps;
  }

  /**
   * Rebuilds the steps' state from all that MATCHES holds, and publishes what had not been; resolves when the bus has
   * it. To be called before the first `admit`. `processed` are the ranges whose evaluation was committed.
   */
  async rebuild(messages: readonly Uint8Array[], processed: RangeSet): Promise<void> {
    const { fired } = this.#world;
    const seen = new RangeSet();
    let firing = false;
    for (const bytes of messages) {
      const range = readNote(bytes, this.#times);
      const { source, first, next } = range;
      // A copy that was stored twice, perhaps cut elsewhere, and what will be evaluated again.
      const fresh = range.candidates.filter(
        ({ position }) => !seen.includes(source, position) && processed.includes(source, position),
      );
      seen.add({ source, first, next });
      const known = fresh.filter(({ position }) => fired.includes(source, position));
      if (known.length > 0) this.#run(known, range.lastTimeUs);
      if (known.length === fresh.length) continue;
      if (!firing) this.#run([], fired.watermarkUs);
      firing = true;
      const rest = fresh.filter((candidate) => !known.includes(candidate));
      this.#takeIn({ ...range, candidates: rest });
    }
    if (!firing) this.#run([], fired.watermarkUs);
    await this.#settled;
  }

  /** A batch's place in the order, to be asked for as it comes from the stream. */
  admit(): Ticket {
    return this.#sequence.admit();
  }

  /** Resolves when there is room for another batch. */
  async room(): Promise<void> {
    while (this.#backlog >= BACKLOG_RANGES_MAX) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when MATCHES has stored the notes; they are sent in the order of the tickets. */
  async store(ticket: Ticket, notes: readonly Note[]): Promise<void> {
    await ticket.turn;
    const stored = notes.map((note) => this.#world.note(note));
    ticket.published();
    await Promise.all(stored);
  }

  /** Takes a range in, in its turn; what comes of it is published. Its evaluation has been committed. */
  async takeIn(ticket: Ticket, range: EvaluatedRange): Promise<void> {
    this.#backlog++;
    await ticket.intake;
    const { source, next, bootTimeUnixNs, lastTimeNs } = range;
    const noted = range.notes.map(({ bytes }) => readNote(bytes, this.#times));
    const lastTimeUs = noted[0]?.lastTimeUs ?? this.#times.eventUs(source, bootTimeUnixNs, lastTimeNs);
    const candidates = noted.flatMap((part) => part.candidates);
    range.prepare?.();
    this.#takeIn({ source, first: next, next, lastTimeUs, candidates });
    ticket.takenIn();
    await this.#settled;
    this.#backlog--;
    this.#waiting.shift()?.();
  }

  /** Gives a batch's place up: it is garbage, or was evaluated before. */
  withdraw(ticket: Ticket): void {
    this.#sequence.withdraw(ticket);
  }

  #takeIn({ source, next, lastTimeUs, candidates }: NotedRange): void {
    const groups = packDetections(this.#run(candidates, lastTimeUs));
    const watermarkUs = this.#watermarkUs;
    const published = groups.map((group) => this.#world.publish(group));
    const before = this.#settled;
    this.#settled = (async () => {
      await Promise.all([before, ...published]);
      this.#world.fired.advance(source, next, watermarkUs);
      this.#world.count(groups.reduce((sum, { count }) => sum + count, 0));
      // The next place that is saved covers this one: what had no match is not on MATCHES.
      if (candidates.length > 0 || groups.length > 0) await this.#world.fired.save();
    })();
  }

  #run(candidates: readonly Candidate[], lastTimeUs: number): readonly Candidate[] {
    assert(Number.isFinite(lastTimeUs));
    this.#watermarkUs = Math.max(this.#watermarkUs, lastTimeUs);
    return this.#steps.reduce((now, step) => step.take(now, this.#watermarkUs), candidates);
  }
}
