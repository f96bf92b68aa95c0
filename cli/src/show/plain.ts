// A message as plain JSON for people and jq: texts as texts, ids as strings, enums as the words rules use.
import { type DescEnum, type DescField, type DescMessage, isFieldSet, type Message } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect, type ScalarValue } from "@bufbuild/protobuf/reflect";
import { type Timestamp, TimestampSchema, timestampDate } from "@bufbuild/protobuf/wkt";
import { wordsOf } from "@nightjar/proto";
import { hex, ipAddress, utf8 } from "./text.ts";

export type Plain = string | number | boolean | Plain[] | { [name: string]: Plain };

/** Bytes that are no text, by field name. */
const BYTES: Readonly<Record<string, (bytes: Uint8Array) => string>> = {
  address: ipAddress,
  boot_id: hex,
  sha256: hex,
  build_id: hex,
};

/** Only the fields that are set, under the names of the .proto files. 64-bit numbers are strings: JSON has none. */
export function toPlain(schema: DescMessage, message: Message): { [name: string]: Plain } {
  return plainMessage(reflect(schema, message));
}

function plainMessage(message: ReflectMessage): { [name: string]: Plain } {
  const fields = message.fields.filter((field) => isFieldSet(message.message, field));
  return Object.fromEntries(fields.map((field) => [field.name, plainField(message, field)]));
}

function plainField(message: ReflectMessage, field: DescField): Plain {
  switch (field.fieldKind) {
    case "message":
      return plainSubMessage(message.get(field));
    case "enum":
      return enumWord(field.enum, message.get(field));
    case "scalar":
      return plainScalar(field, message.get(field));
    case "list":
      return [...message.get(field)].map((one) => plainElement(field, one));
    case "map":
      return Object.fromEntries([...message.get(field)].map(([key, one]) => [String(key), plainElement(field, one)]));
  }
}

function plainElement(field: DescField & { fieldKind: "list" | "map" }, value: unknown): Plain {
  if (field.message) return plainSubMessage(value as ReflectMessage);
  return field.enum ? enumWord(field.enum, value as number) : plainScalar(field, value as ScalarValue);
}

function plainSubMessage(value: ReflectMessage): Plain {
  if (value.desc.typeName !== TimestampSchema.typeName) return plainMessage(value);
  return timestampDate(value.message as Timestamp).toISOString();
}

function plainScalar(field: DescField, value: ScalarValue): Plain {
  if (value instanceof Uint8Array) return (BYTES[field.name] ?? utf8)(value);
  return typeof value === "bigint" ? value.toString() : value;
}

/** The word rules use for a value; without one its name, or its number when this version does not know it. */
export function enumWord(schema: DescEnum, value: number): string {
  return wordsOf(schema).get(value) ?? schema.value[value]?.name ?? String(value);
}
