// Indicators between people and messages: read from an argument, shown with what a list says of them.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { readIndicator } from "@nightjar/indicators";
import { DispositionSchema, type Indicator, type Verdict } from "@nightjar/proto";
import { CommandError } from "../command.ts";
import { enumWord } from "../show/plain.ts";
import { printable } from "../show/text.ts";

/** @throws CommandError USAGE where the text is none. */
export function indicatorIn(text: string): Indicator {
  const indicator = readIndicator(text);
  if (!indicator) throw new CommandError("USAGE", `${text} is no SHA-256 digest, no address and no domain`);
  return indicator;
}

/** The cells of a verdict: value, disposition, and where a list has it, how sure, which, until when, and why. */
export function verdictRow(verdict: Verdict | undefined): string[] {
  const { indicator, disposition, confidence = 0, source = "", description = "", expiresAt } = verdict ?? {};
  return [
    indicator?.value ?? "",
    enumWord(DispositionSchema, disposition ?? 0),
    source === "" ? "" : `${confidence} %`,
    source,
    expiresAt ? `until ${timestampDate(expiresAt).toISOString()}` : "",
    printable(description),
  ];
}
