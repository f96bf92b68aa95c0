// Writes what the kernel programs and the addon must know of proto/: ids, values of enums, and tables of fields.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { DropReasonSchema, EventSchema, eventTypes, handledCalls } from "@nightjar/proto";

const NOTICE = "// Generated from proto/ by scripts/generate.ts.\n";
/** Event types are bits of a mask and keys of the ledger in the kernel; the last id is no type's (FILTER_SENSITIVE). */
const EVENT_TYPE_IDS_MAX = 256;

/** How a field is encoded, as `FieldKind` in addon/fields.h names it. */
const KINDS = new Map<ScalarType, string>([
  [ScalarType.UINT32, "Unsigned"],
  [ScalarType.UINT64, "Unsigned"],
  [ScalarType.INT32, "Signed"],
  [ScalarType.INT64, "Signed"],
  [ScalarType.BOOL, "Bool"],
  [ScalarType.BYTES, "Bytes"],
  [ScalarType.STRING, "Bytes"],
]);

const typeConstant = (name: string) => `EVENT_${name.toUpperCase()}`;

function enumInC(schema: DescEnum): string {
  const values = schema.values.map((value) => `  ${value.name} = ${value.number},`);
  return `enum ${schema.name.replace(/(?<!^)(?=[A-Z])/g, "_").toLowerCase()} {\n${values.join("\n")}\n};\n`;
}

/** Every enum that a field of an event has. */
function enumsOfEvent(): DescEnum[] {
  const enums = messagesOfEvent().flatMap(({ fields }) => fields.flatMap((field) => field.enum ?? []));
  return [...new Set(enums)];
}

/** The header that the kernel programs and the addon share. */
function eventsHeader(): string {
  const types = eventTypes.map(({ id, name }) => `  ${typeConstant(name)} = ${id},`);
  const tooHigh = eventTypes.find(({ id }) => id >= EVENT_TYPE_IDS_MAX - 1);
  if (tooHigh) throw new Error(`the event type ${tooHigh.name} needs an id below ${EVENT_TYPE_IDS_MAX - 1}`);
  const reasons = Math.max(...DropReasonSchema.values.map((value) => value.number)) + 1;
  return [
    `${NOTICE}#pragma once\n`,
    `enum event_type {\n${types.join("\n")}\n};\n`,
    `enum {\n  EVENT_TYPE_IDS_MAX = ${EVENT_TYPE_IDS_MAX},\n  DROP_REASONS = ${reasons},\n};\n`,
    ...[...enumsOfEvent(), DropReasonSchema].map(enumInC),
  ].join("\n");
}

/** One file that includes the program of every event type, so that one compiler run makes one object. */
function programs(): string {
  return NOTICE + eventTypes.map(({ name }) => `#include "../bpf/${name}.bpf.c"\n`).join("");
}

function kindOf(field: DescField): string {
  const of = field.fieldKind === "list" ? field.listKind : field.fieldKind;
  if (of === "message") return "Message";
  if (of === "enum") return "Unsigned";
  const kind = of === "scalar" && field.scalar !== undefined ? KINDS.get(field.scalar) : undefined;
  if (!kind) throw new Error(`${field.parent.typeName}.${field.name} has a kind the addon cannot encode`);
  return kind;
}

/** Every message reachable from Event, Event first. */
function messagesOfEvent(): DescMessage[] {
  const found: DescMessage[] = [EventSchema];
  for (const message of found) {
    for (const field of message.fields) {
      if (field.message && !found.includes(field.message)) found.push(field.message);
    }
  }
  return found;
}

/** The addon's tables: messages with their fields, event types, and the calls with the types that report them. */
function tables(): string {
  const messages = messagesOfEvent();
  const indexOf = (field: DescField) => (field.message ? messages.indexOf(field.message) : -1);
  const fieldRow = (field: DescField) => {
    const isList = field.fieldKind === "list";
    return `    {"${field.name}", ${field.number}, FieldKind::${kindOf(field)}, ${isList}, ${indexOf(field)}},`;
  };
  const fieldTables = messages.map(
    (message) => `const FieldSpec k${message.name}Fields[] = {\n${message.fields.map(fieldRow).join("\n")}\n};\n`,
  );
  const messageRows = messages.map(({ name }) => `    {"${name}", k${name}Fields, std::size(k${name}Fields)},`);
  const typeRows = eventTypes.map(({ id, name, field }) => `    {${id}, "${name}", ${indexOf(field)}},`);
  const callRows = handledCalls.map(({ word, call, type }) => `    {"${word}", ${call}, ${type}},`);
  return [
    `${NOTICE}#include "../addon/fields.h"\n\n#include <asm/unistd.h>\n\n#include <iterator>\n`,
    `#include "numbers.h"\n\nnamespace nightjar {\nnamespace {\n`,
    ...fieldTables,
    `const MessageSpec kMessages[] = {\n${messageRows.join("\n")}\n};\n`,
    `const TypeSpec kTypes[] = {\n${typeRows.join("\n")}\n};\n`,
    `const CallSpec kCalls[] = {\n${callRows.join("\n")}\n};\n`,
    "constexpr int kNativeNumbers[] = {CALL_NUMBERS};\n\n} // namespace\n",
    "Table<MessageSpec> messages() { return {kMessages, std::size(kMessages)}; }",
    "Table<TypeSpec> types() { return {kTypes, std::size(kTypes)}; }",
    "Table<CallSpec> calls() { return {kCalls, std::size(kCalls)}; }",
    "Table<int> native_numbers() { return {kNativeNumbers, std::size(kNativeNumbers)}; }\n\n} // namespace nightjar\n",
  ].join("\n");
}

/** Calls that headers on the machine that builds may not know yet. From 424 on a call has one number everywhere. */
const NEWER_CALLS: Record<string, number> = { fchmodat2: 452, setxattrat: 463, removexattrat: 466 };

/** The number of each call, row for row, from whichever ABI's header was included before; -1 where it has none. */
function numbers(): string {
  const words = handledCalls.map(({ word }) => word);
  const names = words.map((word) => `__NR_${word}`);
  const absent = [...new Set(words)].map(
    (word) => `#ifndef __NR_${word}\n#define __NR_${word} ${NEWER_CALLS[word] ?? -1}\n#endif\n`,
  );
  return `${NOTICE}#pragma once\n\n${absent.join("")}\n#define CALL_NUMBERS ${names.join(", ")}\n`;
}

function writeIfChanged(path: string, text: string): void {
  try {
    if (readFileSync(path, "utf8") === text) return;
  } catch {
    // It is not there yet.
  }
  writeFileSync(path, text);
}

/** Writes the generated files into `folder`; files that would not change are not touched. */
export function generate(folder: string): void {
  mkdirSync(folder, { recursive: true });
  writeIfChanged(join(folder, "events.h"), eventsHeader());
  writeIfChanged(join(folder, "programs.h"), programs());
  writeIfChanged(join(folder, "numbers.h"), numbers());
  writeIfChanged(join(folder, "tables.cc"), tables());
}
