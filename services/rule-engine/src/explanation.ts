// An explanation as detections carry it.
import { create } from "@bufbuild/protobuf";
import {
  ExplanationSchema,
  type Explanation as Message,
  type PartKind,
  PartKindSchema,
  wordsOf,
} from "@nightjar/proto";
import type { Explanation } from "@nightjar/rules";

const kinds = new Map([...wordsOf(PartKindSchema)].map(([number, word]) => [word, number as PartKind]));

/** The message of an explanation. */
export function explanationOf({ parts, omitted }: Explanation): Message {
  return create(ExplanationSchema, {
    parts: parts.map(({ kind, place, test = "", seen = [], depth, holds }) => ({
      ...{ depth, holds, test, kind: kinds.get(kind) as PartKind, seen: [...seen] },
      ...(place && { place: { file: place.file, line: place.line, column: place.column } }),
    })),
    omitted,
  });
}
