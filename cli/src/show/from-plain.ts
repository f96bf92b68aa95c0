// The way back from the JSON that the command line writes to the message it was made of.
import { create, type DescEnum, type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";
import { wordsOf } from "@nightjar/proto";
import { addressBytes } from "./text.ts";

type Json = Readonly<Record<string, unknown>>;

/** Bytes that are no text, by field name: as BYTES in plain.ts, the other way round. */
const BYTES: Readonly<Record<string, (text: string) => Uint8Array>> = {
  address: addressBytes,
  boot_id: fromHex,
  sha256: fromHex,
  build_id: fromHex,
};

function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "hex"));
}

const utf8 = new TextEncoder();
const WIDE: readonly ScalarType[] = [ScalarType.INT64, ScalarType.UINT64, ScalarType.FIXED64];

/** A message of what toPlain() made of one; keys that it does not have are passed over, and maps. */
export function fromPlain(schema: DescMessage, json: Json): Message {
  return create(schema, fieldsOf(schema, json));
}

function fieldsOf(schema: DescMessage, json: Json): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const field of schema.fields) {
    const value = json[field.name];
    if (value === undefined || field.fieldKind === "map") continue;
    const read =
      field.fieldKind === "list" && Array.isArray(value)
        ? value.map((one) => elementOf(field, one))
        : elementOf(field, value);
    if (field.oneof) fields[field.oneof.localName] = { case: field.localName, value: read };
    else fields[field.localName] = read;
  }
  return fields;
}

function elementOf(field: DescField, value: unknown): unknown {
  if (field.message) return fieldsOf(field.message, (value ?? {}) as Json);
  if (field.enum) return numberOfWord(field.enum, value);
  if (field.scalar === ScalarType.BYTES) return BYTES[field.name]?.(String(value)) ?? utf8.encode(String(value));
  return WIDE.includes(field.scalar as ScalarType) ? BigInt(value as string) : value;
}

function numberOfWord(schema: DescEnum, word: unknown): number {
  const [number] = [...wordsOf(schema)].find(([, one]) => one === word) ?? [];
  return number ?? schema.values.find(({ name }) => name === word)?.number ?? Number(word);
}
