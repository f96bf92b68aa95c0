// Bounds the memory that matches take for the evidence they carry: the oldest give theirs up, and stay matches.
import type { Candidate } from "./step.ts";

/** All encoded detections that windows keep together. */
export const EVIDENCE_BYTES_MAX = 64 * 1024 * 1024;
/** What a match takes beside its evidence: so that the number of matches is bounded, too. */
const MATCH_BYTES = 512;
const COMPACT_MATCHES = 4_096;
const NOTHING = new Uint8Array(0);

/** Matches that windows may keep, the oldest first. */
export class Evidence {
  /** Matches whose evidence was given up for want of memory. */
  givenUp = 0;
  /** How long windows keep matches, in µs; set before `forget`. */
  keepUs = 0;
  readonly #bytesMax: number;
  #kept: Candidate[] = [];
  #first = 0;
  #bytes = 0;

  constructor(bytesMax = EVIDENCE_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  keep(candidate: Candidate): void {
    this.#kept.push(candidate);
    this.#bytes += sizeOf(candidate);
    while (this.#bytes > this.#bytesMax && this.#first < this.#kept.length) {
      const oldest = this.#shift();
      oldest.detection = NOTHING;
      this.givenUp++;
    }
  }

  /** Those that no window has any more need not be counted. */
  forget(watermarkUs: number): void {
    const until = watermarkUs - this.keepUs;
    while (this.#first < this.#kept.length && (this.#kept[this.#first] as Candidate).timeUs < until) this.#shift();
  }

  #shift(): Candidate {
    const oldest = this.#kept[this.#first++] as Candidate;
    this.#bytes -= sizeOf(oldest);
    if (this.#first >= COMPACT_MATCHES && this.#first * 2 >= this.#kept.length) {
      this.#kept = this.#kept.slice(this.#first);
      this.#first = 0;
    }
    return oldest;
  }
}

function sizeOf({ detection }: Candidate): number {
  return detection.length + MATCH_BYTES;
}
