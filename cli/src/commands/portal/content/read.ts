// Reads what a person gives the commands about content.
import { VERSION_MAX } from "@nightjar/content";
import { CommandError } from "../../../command.ts";

const PERCENT = /^(100|\d{1,2})$/;
const VERSION = /^[1-9]\d{0,18}$/;

/** @throws CommandError USAGE */
export function readPercent(text: string): number {
  if (PERCENT.test(text)) return Number(text);
  throw new CommandError("USAGE", `${JSON.stringify(text)} is no percentage; 0 to 100 is allowed`);
}

/** @throws CommandError USAGE */
export function readVersion(text: string): bigint {
  if (VERSION.test(text) && BigInt(text) <= VERSION_MAX) return BigInt(text);
  throw new CommandError("USAGE", `${JSON.stringify(text)} is no version; 1 to ${VERSION_MAX} is allowed`);
}
