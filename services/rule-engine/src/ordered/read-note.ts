// Reads a message of MATCHES: its range, and its matches as candidates for the steps.
import { type FieldCursor as Cursor, FieldCursor, readFixed64, sourceIdOf } from "@nightjar/events";
import {
  FieldValueSchema,
  MatchBatchSchema,
  MatchedRuleSchema,
  MatchSchema,
  Priority,
  ProcessIdentitySchema,
} from "@nightjar/proto";
import type { Candidate } from "./step.ts";

const BATCH = MatchBatchSchema.field;
const RULE = MatchedRuleSchema.field;
const MATCH = MatchSchema.field;
const VALUE = FieldValueSchema.field;
const PROCESS = ProcessIdentitySchema.field;
const NS_PER_US = 1_000;

/** A message of MATCHES, read. */
export interface NotedRange {
  source: string;
  first: number;
  next: number;
  /** The time of the range's last event, in µs since 1970. */
  lastTimeUs: number;
  /** In the order of their positions. */
  candidates: Candidate[];
}

/**
 * Wall clock minus CLOCK_BOOTTIME, by boot id: what the first batch of a boot says holds for all of it. So a clock that
 * is set moves no event against another, and windows go by time that passed.
 */
export class BootTimes {
  readonly #unixUs = new Map<string, number>();

  /** µs since 1970 of a time on that boot's CLOCK_BOOTTIME. */
  eventUs(source: string, bootTimeUnixNs: number, timeNs: number): number {
    return this.unixUs(source, bootTimeUnixNs) + Math.floor(timeNs / NS_PER_US);
  }

  /** µs since 1970 when the boot was that the source id begins with. `bootTimeUnixNs` as a batch of it says. */
  unixUs(source: string, bootTimeUnixNs: number): number {
    const bootId = source.slice(0, source.indexOf(":"));
    let unixUs = this.#unixUs.get(bootId);
    if (unixUs === undefined) {
      unixUs = Math.floor(bootTimeUnixNs / NS_PER_US);
      this.#unixUs.set(bootId, unixUs);
    }
    return unixUs;
  }
}

/**
 * Times are read as numbers, which are exact to the ns for 104 days of a boot and to the µs for ever.
 * Throws a WireError where the bytes are no message; only the rule engine itself writes them.
 */
export function readNote(bytes: Uint8Array, times: BootTimes): NotedRange {
  return new NoteReader(bytes, times).range();
}

interface RuleRow {
  name: string;
  fields: string[];
  priority: Priority;
}

class NoteReader {
  readonly #bytes: Uint8Array;
  readonly #text: Buffer;
  readonly #times: BootTimes;
  readonly #rules: RuleRow[] = [];
  readonly #bounds: number[] = [];
  readonly #inner = new FieldCursor();
  readonly #innermost = new FieldCursor();
  #bootId = new Uint8Array(0);
  #epoch = 0n;
  #first = 0;
  #next = 0;
  #bootTimeUnixNs = 0;
  #lastTimeNs = 0;

  constructor(bytes: Uint8Array, times: BootTimes) {
    this.#bytes = bytes;
    this.#text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#times = times;
  }

  range(): NotedRange {
    const cursor = new FieldCursor().enter(this.#bytes, 0, this.#bytes.length);
    while (cursor.next()) this.#field(cursor);
    const source = sourceIdOf(this.#bootId, this.#epoch);
    const bootUs = this.#times.unixUs(source, this.#bootTimeUnixNs);
    const candidates: Candidate[] = [];
    for (let at = 0; at < this.#bounds.length; at += 2) {
      candidates.push(this.#candidate(source, bootUs, this.#bounds[at] as number, this.#bounds[at + 1] as number));
    }
    const lastTimeUs = bootUs + Math.floor(this.#lastTimeNs / NS_PER_US);
    return { source, first: this.#first, next: this.#next, lastTimeUs, candidates };
  }

  #field(cursor: Cursor): void {
    const { number, start, end } = cursor;
    if (number === BATCH.matches.number) this.#bounds.push(start, end);
    else if (number === BATCH.rules.number) this.#rules.push(this.#rule(start, end));
    else if (number === BATCH.bootId.number) this.#bootId = this.#bytes.slice(start, end);
    else if (number === BATCH.epoch.number) this.#epoch = readFixed64(this.#bytes, start);
    else if (number === BATCH.firstPosition.number) this.#first = cursor.uint();
    else if (number === BATCH.nextPosition.number) this.#next = cursor.uint();
    else if (number === BATCH.bootTimeUnixNs.number) this.#bootTimeUnixNs = cursor.uint();
    else if (number === BATCH.lastTimeNs.number) this.#lastTimeNs = cursor.uint();
  }

  #rule(start: number, end: number): RuleRow {
    const row: RuleRow = { name: "", fields: [], priority: Priority.UNSPECIFIED };
    const cursor = this.#inner.enter(this.#bytes, start, end);
    while (cursor.next()) {
      if (cursor.number === RULE.name.number) row.name = this.#string(cursor);
      else if (cursor.number === RULE.fields.number) row.fields.push(this.#string(cursor));
      else if (cursor.number === RULE.priority.number) row.priority = cursor.uint() as Priority;
    }
    return row;
  }

  #candidate(source: string, bootUs: number, start: number, end: number): Candidate {
    let rule: RuleRow | undefined = this.#rules[0];
    let position = 0;
    let timeNs = 0;
    const values: number[] = [];
    const lineage: string[] = [];
    let detection = new Uint8Array(0);
    const cursor = this.#inner.enter(this.#bytes, start, end);
    while (cursor.next()) {
      const { number } = cursor;
      if (number === MATCH.rule.number) rule = this.#rules[cursor.uint()];
      else if (number === MATCH.position.number) position = cursor.uint();
      else if (number === MATCH.timeNs.number) timeNs = cursor.uint();
      else if (number === MATCH.values.number) values.push(cursor.start, cursor.end);
      else if (number === MATCH.lineage.number) lineage.push(this.#process(cursor.start, cursor.end));
      // A view would keep the whole message for as long as a window keeps the match.
      else if (number === MATCH.detection.number) detection = this.#bytes.slice(cursor.start, cursor.end);
    }
    const timeUs = bootUs + Math.floor(timeNs / NS_PER_US);
    const fields = this.#values(rule?.fields ?? [], values);
    return {
      rule: rule?.name ?? "",
      priority: rule?.priority ?? Priority.UNSPECIFIED,
      source,
      position,
      timeUs,
      fields,
      lineage,
      detection,
    };
  }

  #values(names: readonly string[], bounds: readonly number[]): Record<string, string> {
    const fields: Record<string, string> = {};
    for (let at = 0; at < bounds.length; at += 2) {
      const cursor = this.#innermost.enter(this.#bytes, bounds[at] as number, bounds[at + 1] as number);
      let field = 0;
      let text = "";
      while (cursor.next()) {
        if (cursor.number === VALUE.field.number) field = cursor.uint();
        else if (cursor.number === VALUE.text.number) text = this.#string(cursor);
      }
      const name = names[field];
      if (name !== undefined) fields[name] = text;
    }
    return fields;
  }

  /** A process's identity as text: pid and start. */
  #process(start: number, end: number): string {
    const cursor = this.#innermost.enter(this.#bytes, start, end);
    let pid = 0;
    let startTimeNs = 0;
    while (cursor.next()) {
      if (cursor.number === PROCESS.pid.number) pid = cursor.uint();
      else if (cursor.number === PROCESS.startTimeNs.number) startTimeNs = cursor.uint();
    }
    return `${pid}:${startTimeNs}`;
  }

  #string({ start, end }: Cursor): string {
    return this.#text.toString("utf8", start, end);
  }
}
