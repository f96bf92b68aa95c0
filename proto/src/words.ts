// The words that rules and outputs use for the values of an enum: from the option `word`, of a call from its name.
import { type DescEnum, type DescEnumValue, getOption, hasOption } from "@bufbuild/protobuf";
import { event_type, word } from "../gen/nightjar/options/v1/options_pb.ts";

/** A call's word, as Falco and strace name it, e.g. "openat" for CALL_OPENAT. */
export function callWordOf({ name }: DescEnumValue): string {
  return name.slice("CALL_".length).toLowerCase();
}

/** Maps an enum's numbers to their words; values without a word are left out. */
export function wordsOf(schema: DescEnum): Map<number, string> {
  const words = new Map<number, string>();
  for (const value of schema.values) {
    if (hasOption(value, word)) words.set(value.number, getOption(value, word));
    else if (hasOption(value, event_type)) words.set(value.number, callWordOf(value));
  }
  return words;
}
