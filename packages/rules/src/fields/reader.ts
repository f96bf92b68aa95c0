// How a field of a message becomes a value, by its type in the message.
import { type DescField, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { EndpointSchema, wordsOf } from "@nightjar/proto";
import { decodeText, FIELD_NUMBER_MAX, Message } from "../engine/message.ts";
import { formatOneEnd } from "./address.ts";
import type { Value } from "./definition.ts";

export type Read = (message: Message) => Value;

/**
 * Text for strings and bytes, undefined where they are empty, and for an end of a socket; several of them with blanks
 * between; else a number, 0 or false where it is absent.
 */
export function reader(field: DescField): Read {
  const { number } = field;
  if (number > FIELD_NUMBER_MAX) throw new Error(`${field.parent.name}.${field.name} has a number too high to be read`);
  if (field.message === EndpointSchema) return endReader(number);
  if (field.message) throw new Error(`${field.parent.name}.${field.name} is a message, which has no value`);
  if (field.fieldKind === "list") return (message) => texts(message, number);
  switch (field.scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return (message) => message.text(number);
    case ScalarType.BOOL:
      // An optional one that is not there says nothing; any other says no.
      if (field.presence === FeatureSet_FieldPresence.EXPLICIT)
        return (message) => (message.has(number) ? message.uint(number) !== 0 : undefined);
      return (message) => message.uint(number) !== 0;
    case ScalarType.UINT64:
      return (message) => message.uint64(number);
    case ScalarType.INT32:
    case ScalarType.INT64:
      return (message) => message.int(number);
    default:
      return (message) => message.uint(number);
  }
}

/** An end of a socket, as text. */
function endReader(number: number): Read {
  const end = new Message();
  return (message) => {
    end.load(message.bytes, message.start(number), message.stop(number));
    return formatOneEnd(end);
  };
}

/** The bytes of a field, as evt.buffer has them: code points 0 to 255. */
export function bytesReader({ number }: DescField): Read {
  return (message) => message.binary(number);
}

function texts(message: Message, number: number): string | undefined {
  const bounds = message.occurrences(number);
  const found: string[] = [];
  for (let at = 0; at < bounds.length; at += 2) {
    found.push(decodeText(message.bytes, bounds[at] as number, bounds[at + 1] as number));
  }
  return found.length > 0 ? found.join(" ") : undefined;
}

/** The words of an enum's values, where the field is one that has words. */
export function wordsOfField(field: DescField): ReadonlyMap<number, string> | undefined {
  if (field.fieldKind !== "enum") return undefined;
  const words = wordsOf(field.enum);
  return words.size > 0 ? words : undefined;
}
