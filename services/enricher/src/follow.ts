// What events other than an exec change of a process: its working directory, ids, capabilities, session, namespaces.
import { FieldCursor, tagOf, varintSize, WIRE_BYTES, WIRE_VARINT, WireError, writeVarint } from "@nightjar/events";
import {
  CapsetSchema,
  ChdirSchema,
  CredentialsSchema,
  EventSchema,
  ExecSchema,
  NamespacesSchema,
  SetGroupSchema,
  SetIdSchema,
  SetNamespaceSchema,
} from "@nightjar/proto";

const EVENT = EventSchema.field;
const EXEC = ExecSchema.field;

/** For the number of a field, the number of the Exec field that takes its value. */
type Renumbering = ReadonlyMap<number, number>;

/** A message within the event, or at 0 the event itself, and which of its fields become which of Exec. */
type Source = readonly [number: number, fields: Renumbering];

interface Followed {
  sources: readonly Source[];
  /** It is about the thread that acted: only the first one's is the process's. */
  ofThread: boolean;
}

const CREDENTIALS: Renumbering = new Map(
  CredentialsSchema.fields.map((field) => [field.number, EXEC[field.localName as keyof typeof EXEC].number]),
);

/** Which pid namespace children will be born in is not the process's own. */
const NAMESPACES: Renumbering = new Map(
  NamespacesSchema.fields
    .filter(({ localName }) => localName !== "pidForChildren")
    .map((field) => [field.number, EXEC[`${field.localName}Namespace` as keyof typeof EXEC].number]),
);

const LEADERS: Renumbering = new Map([
  [SetGroupSchema.field.processGroupId.number, EXEC.processGroupId.number],
  [SetGroupSchema.field.sessionId.number, EXEC.sessionId.number],
  [SetGroupSchema.field.namespacedProcessGroupId.number, EXEC.namespacedProcessGroupId.number],
  [SetGroupSchema.field.namespacedSessionId.number, EXEC.namespacedSessionId.number],
]);

/** Of Exec: a session that is new has no terminal until it takes one. */
const TERMINAL: readonly number[] = [EXEC.tty.number, EXEC.ttyName.number];

const DIRECTORY: Renumbering = new Map([
  [ChdirSchema.field.path.number, EXEC.workingDirectory.number],
  [ChdirSchema.field.pathTruncated.number, EXEC.workingDirectoryTruncated.number],
]);

const FOLLOWED: ReadonlyMap<number, Followed> = new Map([
  [EVENT.chdir.number, { sources: [[0, DIRECTORY]], ofThread: false }],
  [EVENT.setGroup.number, { sources: [[0, LEADERS]], ofThread: false }],
  [EVENT.setId.number, { sources: [[SetIdSchema.field.after.number, CREDENTIALS]], ofThread: true }],
  [EVENT.capset.number, { sources: [[CapsetSchema.field.after.number, CREDENTIALS]], ofThread: true }],
  [
    EVENT.setNamespace.number,
    {
      sources: [
        [SetNamespaceSchema.field.after.number, NAMESPACES],
        [SetNamespaceSchema.field.credentials.number, CREDENTIALS],
      ],
      ofThread: true,
    },
  ],
]);

/** The ids of the event types that are followed. */
export const followedTypes: readonly number[] = [...FOLLOWED.keys()];

export const isFollowed = (type: number): boolean => FOLLOWED.has(type);

export const isOfThread = (type: number): boolean => FOLLOWED.get(type)?.ofThread ?? false;

const cursor = new FieldCursor();

/**
 * The encoded Exec in image[0, length) with what an event of a followed type, bytes[start, end), changes of it.
 * @throws WireError where either is no message.
 */
export function withChange(image: Uint8Array, type: number, bytes: Uint8Array, start: number, end: number): Uint8Array {
  const replaced = new Set<number>();
  const parts: Uint8Array[] = [];
  for (const [number, fields] of FOLLOWED.get(type)?.sources ?? []) {
    const [from, to] = number === 0 ? [start, end] : rangeOf(bytes, start, end, number);
    for (const field of fields.values()) replaced.add(field);
    parts.push(...renumbered(bytes, from, to, fields));
  }
  if (type === EVENT.setGroup.number && changesSession(image, bytes, start, end))
    for (const field of TERMINAL) replaced.add(field);
  cursor.enter(image, 0, image.length);
  const kept: Uint8Array[] = [];
  while (cursor.next()) if (!replaced.has(cursor.number)) kept.push(image.subarray(cursor.fieldStart, cursor.end));
  return Buffer.concat([...kept, ...parts]);
}

function changesSession(image: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  const session = numberIn(bytes, start, end, SetGroupSchema.field.sessionId.number);
  return session !== 0 && session !== numberIn(image, 0, image.length, EXEC.sessionId.number);
}

/** A field that is a number; 0 where it is absent. */
function numberIn(bytes: Uint8Array, start: number, end: number, number: number): number {
  let value = 0;
  cursor.enter(bytes, start, end);
  while (cursor.next()) if (cursor.number === number && cursor.wireType === WIRE_VARINT) value = cursor.uint();
  return value;
}

/** Where the message that is a field lies; nowhere is at the end. */
function rangeOf(bytes: Uint8Array, start: number, end: number, number: number): [from: number, to: number] {
  let range: [number, number] = [end, end];
  cursor.enter(bytes, start, end);
  while (cursor.next()) {
    if (cursor.number !== number) continue;
    if (cursor.wireType !== WIRE_BYTES) throw new WireError(`wire type ${cursor.wireType}`, cursor.fieldStart);
    range = [cursor.start, cursor.end];
  }
  return range;
}

/** The fields that Exec has too, encoded with its numbers. */
function renumbered(bytes: Uint8Array, start: number, end: number, fields: Renumbering): Uint8Array[] {
  const found: Uint8Array[] = [];
  cursor.enter(bytes, start, end);
  while (cursor.next()) {
    const number = fields.get(cursor.number);
    if (number === undefined) continue;
    const length = cursor.end - cursor.start;
    const hasLength = cursor.wireType === WIRE_BYTES;
    const tag = tagOf(number, hasLength ? WIRE_BYTES : WIRE_VARINT);
    const field = new Uint8Array(varintSize(tag) + (hasLength ? varintSize(length) : 0) + length);
    let offset = writeVarint(field, 0, tag);
    if (hasLength) offset = writeVarint(field, offset, length);
    field.set(bytes.subarray(cursor.start, cursor.end), offset);
    found.push(field);
  }
  return found;
}
