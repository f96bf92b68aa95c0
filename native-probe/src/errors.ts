// The one error of the probe: the kernel, or the machine, does not let it load.
import { constants } from "node:os";
import { loadHints } from "./hints.ts";

const nameOfErrno = new Map(Object.entries(constants.errno).map(([name, value]) => [value, name]));

/** The name of an errno, e.g. "EPERM", or "E" and the number. */
export function errnoName(errno: number): string {
  return nameOfErrno.get(errno) ?? `E${errno}`;
}

export const probeErrorCodes = {
  PROBE_NOT_BUILT: "The addon or the programs' object is missing, or the addon lacks a library. Build the sensor anew.",
  PROBE_LAYOUT: "A kernel program's record does not fit its message: the two were not built together. Build both anew.",
} as const;

/**
 * Loading was refused. The message begins with "failed loading ebpf skeleton". `code` is the errno's name, or
 * PROBE_NOT_BUILT (the addon or the object is missing) or PROBE_LAYOUT (a program's record does not fit proto/).
 */
export class ProbeError extends Error {
  readonly code: string;
  readonly errno: number;
  /** The last lines libbpf logged, bounded; may be empty. */
  override readonly cause: string;
  /** What to check, one sentence each. */
  readonly hints: readonly string[];

  constructor(message: string, code: string, errno: number, cause: string) {
    super(message);
    this.name = "ProbeError";
    this.code = code;
    this.errno = errno;
    this.cause = cause;
    this.hints = errno === 0 ? [] : loadHints();
  }
}

/** What the addon threw, with its code and hints. */
export function toProbeError(thrown: unknown): ProbeError {
  const { message, errno = 0, cause = "" } = thrown as { message: string; errno?: number; cause?: string };
  return new ProbeError(message, errno === 0 ? "PROBE_LAYOUT" : errnoName(errno), errno, cause);
}
