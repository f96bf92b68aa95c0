// Finds which of many texts stand in a value, whole, at its ends or anywhere, at a cost that hardly grows with them.
import type { TextPart } from "../language/tests.ts";

/** What was found in so many values is remembered, a power of two: one in the place of another. */
const KNOWN_VALUES = 4096;
/** Parts are found by so many characters of theirs; shorter ones are tried one by one. */
const GRAM = 3;
const BUCKETS_MIN = 1024;
const BUCKETS_A_PART = 4;
const NOTHING: readonly number[] = [];

/** Texts, each with the number of what requires it. */
export class TextIndex {
  readonly #whole = new Map<string, number[]>();
  readonly #wholeFolded = new Map<string, number[]>();
  readonly #parts = new PartIndex();
  readonly #partsFolded = new PartIndex();
  readonly #knownValues: string[] = new Array(KNOWN_VALUES).fill("");
  readonly #knownFound: (readonly number[])[] = new Array(KNOWN_VALUES).fill(NOTHING);

  add({ text, at, ignoreCase }: TextPart, number: number): void {
    const written = ignoreCase ? text.toLowerCase() : text;
    if (at !== "whole") (ignoreCase ? this.#partsFolded : this.#parts).add(written, at, number);
    else {
      const map = ignoreCase ? this.#wholeFolded : this.#whole;
      const numbers = map.get(written);
      if (numbers) numbers.push(number);
      else map.set(written, [number]);
    }
  }

  /** The numbers of what requires a text that stands in the value; each once. */
  find(value: string): readonly number[] {
    const place = placeOf(value);
    if (this.#knownValues[place] === value) return this.#knownFound[place] as readonly number[];
    const found = this.#search(value);
    this.#knownValues[place] = value;
    this.#knownFound[place] = found;
    return found;
  }

  #search(value: string): readonly number[] {
    if (value === "") return NOTHING;
    const found = new Set<number>(this.#whole.get(value));
    this.#parts.find(value, found);
    if (this.#wholeFolded.size > 0 || this.#partsFolded.size > 0) {
      const folded = value.toLowerCase();
      for (const number of this.#wholeFolded.get(folded) ?? NOTHING) found.add(number);
      this.#partsFolded.find(folded, found);
    }
    return found.size === 0 ? NOTHING : [...found];
  }
}

/** A few characters tell values apart well enough, and reading them costs less than a hash of all. */
function placeOf(value: string): number {
  const { length } = value;
  let hash = length;
  for (const at of [length - 1, length - 3, length >> 1, length >> 2]) hash = (hash * 31 + value.charCodeAt(at)) | 0;
  return (hash ^ (hash >>> 12)) & (KNOWN_VALUES - 1);
}

interface Part {
  text: string;
  at: TextPart["at"];
  /** Where in the text the characters begin by which it is found. */
  gramAt: number;
  numbers: number[];
}

/** Texts that stand somewhere in a value: found by three characters of theirs, the rarest, at each place of it. */
class PartIndex {
  readonly #parts = new Map<string, Part>();
  /** By a hash of the three characters. Empty until it is asked after the last text was added. */
  #buckets: (readonly Part[])[] = [];
  /** 1 where a bucket holds something: most places of a value end here. */
  #filled = new Uint8Array(0);
  #short: readonly Part[] = [];

  get size(): number {
    return this.#parts.size;
  }

  add(text: string, at: Part["at"], number: number): void {
    const key = `${at} ${text}`;
    const part = this.#parts.get(key);
    if (part) part.numbers.push(number);
    else this.#parts.set(key, { text, at, gramAt: 0, numbers: [number] });
    this.#buckets = [];
  }

  find(value: string, found: Set<number>): void {
    if (this.size === 0) return;
    if (this.#buckets.length === 0) this.#build();
    const buckets = this.#buckets;
    const mask = buckets.length - 1;
    for (const part of this.#short) if (stands(part, value)) for (const number of part.numbers) found.add(number);
    const filled = this.#filled;
    let first = value.charCodeAt(0);
    let second = value.charCodeAt(1);
    for (let at = 0; at + GRAM <= value.length; at++) {
      const third = value.charCodeAt(at + 2);
      const place = hashOf(first, second, third) & mask;
      first = second;
      second = third;
      if (filled[place] === 0) continue;
      for (const part of buckets[place] as readonly Part[]) {
        if (standsAt(part, value, at - part.gramAt)) for (const number of part.numbers) found.add(number);
      }
    }
  }

  #build(): void {
    const parts = [...this.#parts.values()];
    this.#short = parts.filter(({ text }) => text.length < GRAM);
    const long = parts.filter(({ text }) => text.length >= GRAM);
    const uses = new Map<number, number>();
    for (const hash of long.flatMap(({ text }) => hashesOf(text))) uses.set(hash, (uses.get(hash) ?? 0) + 1);
    const length = 2 ** Math.ceil(Math.log2(Math.max(BUCKETS_MIN, long.length * BUCKETS_A_PART)));
    const buckets = Array.from({ length }, (): Part[] => []);
    for (const part of long) {
      const hashes = hashesOf(part.text);
      const counts = hashes.map((hash) => uses.get(hash) ?? 0);
      part.gramAt = counts.indexOf(Math.min(...counts));
      (buckets[(hashes[part.gramAt] as number) & (length - 1)] as Part[]).push(part);
    }
    this.#buckets = buckets;
    this.#filled = Uint8Array.from(buckets, ({ length }) => Math.min(length, 1));
  }
}

/** Of three characters; what has the same hash is compared. */
function hashOf(first: number, second: number, third: number): number {
  return first * 961 + second * 31 + third;
}

function hashesOf(text: string): number[] {
  return Array.from({ length: text.length - GRAM + 1 }, (_, at) =>
    hashOf(text.charCodeAt(at), text.charCodeAt(at + 1), text.charCodeAt(at + 2)),
  );
}

function stands({ text, at }: Part, value: string): boolean {
  if (at === "start") return value.startsWith(text);
  return at === "end" ? value.endsWith(text) : value.includes(text);
}

function standsAt({ text, at }: Part, value: string, start: number): boolean {
  if (start < 0 || (at === "start" && start !== 0)) return false;
  if (at === "end" && start + text.length !== value.length) return false;
  return value.startsWith(text, start);
}
