// Every reason of its own for which the collector cannot start, and what a person can do about it.
import { RefusedError } from "@nightjar/stage";

export const collectorErrorCodes = {
  COLLECTOR_ALREADY_RUNNING: "Another collector works on this state folder. Stop it, or take another state folder.",
  COLLECTOR_LOCK_FAILED:
    "The collector's folder could not be locked: the program flock (util-linux) is missing or the folder refuses.",
} as const;

/** A start that cannot succeed until a person changes something. */
export class CollectorError extends RefusedError {
  constructor(code: keyof typeof collectorErrorCodes, detail: string) {
    super(code, `${code}: ${detail}. ${collectorErrorCodes[code]}`);
    this.name = "CollectorError";
  }
}
