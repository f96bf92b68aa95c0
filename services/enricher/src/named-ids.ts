// The users and groups that events' arguments speak of, e.g. of setuid: their names go with the batch.
import { type DescField, getOption } from "@bufbuild/protobuf";
import { FieldCursor, tagOf, varintSize, WIRE_BYTES, WIRE_VARINT, writeVarint } from "@nightjar/events";
import { BatchSchema, eventTypes, IdNameSchema, render } from "@nightjar/proto";
import type { EventHeader } from "./scan.ts";
import type { UserNames } from "./users.ts";

const BATCH = BatchSchema.field;
const ID_NAME = IdNameSchema.field;
const ID_TAG = tagOf(ID_NAME.id.number, WIRE_VARINT);
const NAME_TAG = tagOf(ID_NAME.name.number, WIRE_BYTES);
const USERS_TAG = tagOf(BATCH.users.number, WIRE_BYTES);
const GROUPS_TAG = tagOf(BATCH.groups.number, WIRE_BYTES);
const NOTHING = new Uint8Array(0);

/** An event type's fields that hold a user's or a group's id, by number. */
export type IdFields = ReadonlyMap<number, "user" | "group">;

function idFieldsOf(fields: readonly DescField[]): IdFields {
  const found = new Map<number, "user" | "group">();
  for (const field of fields) {
    const rendering = getOption(field, render);
    if (rendering === "user" || rendering === "group") found.set(field.number, rendering);
  }
  return found;
}

/** The event types that have such fields, by id. Few have, so most events cost a look into this table. */
const ID_FIELDS: ReadonlyMap<number, IdFields> = new Map(
  eventTypes
    .map(({ id, field }) => [id, idFieldsOf(field.message?.fields ?? [])] as const)
    .filter(([, fields]) => fields.size > 0),
);

/** Collects the ids of a batch's events and encodes the names of those that have one. */
export class NamedIds {
  readonly #fields: ReadonlyMap<number, IdFields>;
  readonly #cursor = new FieldCursor();
  readonly #users = new Set<number>();
  readonly #groups = new Set<number>();
  #names: UserNames | undefined;

  constructor(fields = ID_FIELDS) {
    this.#fields = fields;
  }

  /** Empties it for another batch. */
  begin(names: UserNames): void {
    this.#names = names;
    this.#users.clear();
    this.#groups.clear();
  }

  add(bytes: Uint8Array, { type, dataStart, dataEnd }: EventHeader): void {
    const fields = this.#fields.get(type);
    if (!fields) return;
    const seen = new Set<number>();
    const cursor = this.#cursor.enter(bytes, dataStart, dataEnd);
    while (cursor.next()) {
      const kind = fields.get(cursor.number);
      if (kind === undefined || cursor.wireType !== WIRE_VARINT) continue;
      seen.add(cursor.number);
      this.#of(kind).add(cursor.uint());
    }
    // What is absent on the wire is 0: root.
    for (const [number, kind] of fields) if (!seen.has(number)) this.#of(kind).add(0);
  }

  #of(kind: "user" | "group"): Set<number> {
    return kind === "user" ? this.#users : this.#groups;
  }

  /** Fields of the batch; empty where there is nothing to name. */
  encode(): Uint8Array {
    const names = this.#names;
    if (!names || this.#users.size + this.#groups.size === 0) return NOTHING;
    const parts = [
      ...[...this.#users].map((id) => encodeName(USERS_TAG, id, names.user(id))),
      ...[...this.#groups].map((id) => encodeName(GROUPS_TAG, id, names.group(id))),
    ];
    return Uint8Array.from(parts.flatMap((part) => [...part]));
  }
}

function encodeName(tag: number, id: number, name: Uint8Array): Uint8Array {
  if (name.length === 0) return NOTHING;
  const size = varintSize(ID_TAG) + varintSize(id) + varintSize(NAME_TAG) + varintSize(name.length) + name.length;
  const bytes = new Uint8Array(varintSize(tag) + varintSize(size) + size);
  let offset = writeVarint(bytes, writeVarint(bytes, 0, tag), size);
  offset = writeVarint(bytes, writeVarint(bytes, offset, ID_TAG), id);
  offset = writeVarint(bytes, writeVarint(bytes, offset, NAME_TAG), name.length);
  bytes.set(name, offset);
  return bytes;
}
