// The words that rules and outputs use for the values of an enum, from the option `word`.
import { type DescEnum, getOption, hasOption } from "@bufbuild/protobuf";
import { word } from "../gen/nightjar/options/v1/options_pb.ts";

/** Maps an enum's numbers to their words; values without a word are left out. */
export function wordsOf(schema: DescEnum): Map<number, string> {
  return new Map(
    schema.values.filter((value) => hasOption(value, word)).map((value) => [value.number, getOption(value, word)]),
  );
}
