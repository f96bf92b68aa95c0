// Every reason for which the bus cannot start or go on by itself, and what a person can do about it.
import { RefusedError } from "@nightjar/stage";

export const busErrorCodes = {
  BUS_SERVER_MISSING: "No nats-server was found. Install one, or name one with the setting bus.server_binary.",
  BUS_SERVER_UNUSABLE: "The nats-server that was named or found does not run, or does not tell its version.",
  BUS_SERVER_TOO_OLD: "The nats-server is older than the client library allows. Install a newer one.",
  BUS_ALREADY_RUNNING: "Another bus works on this state folder. Stop it, or take another state folder.",
  BUS_LOCK_FAILED:
    "The state folder could not be locked: the program flock (util-linux) is missing or the folder refuses.",
} as const;

export type BusErrorCode = keyof typeof busErrorCodes;

/** A start that cannot succeed until a person changes something. */
export class BusError extends RefusedError {
  declare readonly code: BusErrorCode;

  constructor(code: BusErrorCode, detail: string, options?: ErrorOptions) {
    super(code, `${code}: ${detail}. ${busErrorCodes[code]}`, options);
    this.name = "BusError";
  }
}

/** Errors of our own code, which end the process; all others come from the outside world. */
export function isBug(error: unknown): boolean {
  return error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;
}
