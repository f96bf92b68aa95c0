// Patterns of text with wildcards for any number of characters and for exactly one, matched against whole strings.

/** A piece of a pattern: a text, any number of characters, or exactly one. */
export type Piece = string | { wildcard: "many" | "one" };

/** What stands between two wildcards for many: texts, and how many characters lie between them. */
interface Segment {
  /** The characters, with undefined for any one; UTF-16 units, as offsets count them. */
  units: readonly (number | undefined)[];
  /** The segment as text where all its characters are known. */
  text?: string;
}

/** A compiled pattern. Its time is at most the product of both lengths, and linear where it has no wildcard for one. */
export class Wildcard {
  readonly #segments: readonly Segment[];
  readonly #openStart: boolean;
  readonly #openEnd: boolean;

  constructor(pieces: readonly Piece[]) {
    const segments: Piece[][] = [[]];
    for (const piece of pieces) {
      if (typeof piece === "object" && piece.wildcard === "many") segments.push([]);
      else (segments.at(-1) as Piece[]).push(piece);
    }
    this.#openStart = segments.length > 1 && segments[0]?.length === 0;
    this.#openEnd = segments.length > 1 && segments.at(-1)?.length === 0;
    this.#segments = segments.filter((segment) => segment.length > 0).map(segmentOf);
  }

  /** Texts that every string that fits has in it. */
  get literals(): string[] {
    return this.#segments.flatMap(({ text }) => text ?? []);
  }

  /** Whether the pattern fits the whole of a text. */
  testExact(text: string): boolean {
    const segments = this.#segments;
    if (segments.length === 0) return this.#openStart || text === "";
    let first = 0;
    let last = segments.length;
    let begin = 0;
    let end = text.length;
    if (!this.#openStart) {
      const segment = segments[0] as Segment;
      if (!fits(segment, text, 0)) return false;
      begin = segment.units.length;
      first = 1;
      if (last === 1 && !this.#openEnd) return begin === end;
    }
    if (!this.#openEnd && last > first) {
      const segment = segments[--last] as Segment;
      end -= segment.units.length;
      if (end < begin || !fits(segment, text, end)) return false;
    }
    for (let at = first; at < last; at++) {
      const segment = segments[at] as Segment;
      const found = find(segment, text, begin, end);
      if (found < 0) return false;
      begin = found + segment.units.length;
    }
    return true;
  }
}

function segmentOf(pieces: readonly Piece[]): Segment {
  const units = pieces.flatMap((piece) => {
    return typeof piece === "string" ? Array.from(piece.split(""), (unit) => unit.charCodeAt(0)) : [undefined];
  });
  return pieces.every((piece) => typeof piece === "string") ? { units, text: pieces.join("") } : { units };
}

function fits({ units, text: known }: Segment, text: string, at: number): boolean {
  if (at + units.length > text.length) return false;
  if (known !== undefined) return text.startsWith(known, at);
  return units.every((unit, offset) => unit === undefined || unit === text.charCodeAt(at + offset));
}

function find(segment: Segment, text: string, begin: number, end: number): number {
  const last = end - segment.units.length;
  if (segment.text !== undefined) {
    const found = text.indexOf(segment.text, begin);
    return found > last ? -1 : found;
  }
  for (let at = begin; at <= last; at++) if (fits(segment, text, at)) return at;
  return -1;
}
