// Makes encoded batches of events that are written briefly: fields by the names that rules use, and who acted.
import { create, type DescField, getOption, toBinary } from "@bufbuild/protobuf";
import { BatchReader } from "@nightjar/events";
import {
  BatchSchema,
  ContainerSchema,
  EventSchema,
  type EventType,
  ExecSchema,
  eventTypes,
  falco,
  PodSchema,
  ProcessSchema,
  reportedCalls,
} from "@nightjar/proto";
import { EventView } from "../engine/event-view.ts";
import { formatValue } from "../engine/format.ts";
import { getterOf } from "../engine/interpret.ts";
import { findField } from "../fields/catalogue.ts";
import { joinPath } from "../fields/path.ts";
import { type Term, termName } from "../language/expression.ts";
import { type Place, type Problem, problem } from "../problem.ts";
import { termOf } from "../sigma/fields.ts";
import { COMMON, SERVED } from "../sigma/logsources.ts";
import { Draft, type Fields, type ProcessDraft } from "./draft.ts";
import { valueOfText, wholeNumber } from "./inverse.ts";
import { completeDescriptor, EVENT_WRITERS, RESULT_WRITERS, SIDE_WRITERS } from "./write-event.ts";
import { type Given, PROCESS_WRITERS, type Writer, writeCommand } from "./write-process.ts";

/** A field's value as it was written, and where. */
export interface BriefValue {
  given: Given;
  place: Place;
}

/** Values by the names that rules use: fd.name, proc.aname[2], evt.arg.flags. */
export type BriefFields = ReadonlyMap<string, BriefValue>;

export interface BriefEvent {
  /** What happened: an event type or one of its calls, e.g. "open" or "openat". */
  type: BriefValue;
  fields: BriefFields;
  /** The actor and its ancestors: a command line each, or fields as if it were the actor. */
  processes: readonly (BriefValue | BriefFields)[];
  /** When, in ns after the first. */
  afterNs: bigint;
}

export type EncodedBrief = { bytes: Uint8Array; problems: [] } | { bytes?: never; problems: Problem[] };

/** Ends the making of an event; caught in encodeBrief. */
class BriefError extends Error {
  readonly place: Place;
  constructor(message: string, place: Place) {
    super(message);
    this.place = place;
  }
}

const utf8 = new TextEncoder();

/**
 * Encodes events as the sensor would: with all that the probe and the enricher tell of such an event, and each value
 * that was given read back through the catalogue of fields. What does not come back the same is a problem.
 */
export function encodeBrief(events: readonly BriefEvent[]): EncodedBrief {
  const drafts: Draft[] = [];
  const problems: Problem[] = [];
  const trying = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof BriefError)) throw error;
      problems.push(problem("TEST_EVENT_INVALID", error.message, error.place));
    }
  };
  for (const event of events) trying(() => drafts.push(draftOf(event)));
  if (problems.length > 0) return { problems };
  const bytes = encode(drafts, events);
  const view = new EventView();
  view.open(new BatchReader(bytes));
  for (const [index, { fields, processes }] of events.entries()) {
    view.select(index);
    const [actor] = processes;
    const given = [...(actor && isFields(actor) ? actor : []), ...fields];
    for (const [name, value] of given) trying(() => readBack(view, name, value));
  }
  return problems.length > 0 ? { problems } : { bytes, problems: [] };
}

function draftOf(event: BriefEvent): Draft {
  const draft = new Draft(...typeOf(event.type));
  const fields = [...event.fields];
  const write = (wanted: (name: string) => boolean): void => {
    for (const [name, value] of fields) if (wanted(name)) writeField(draft, name, value);
  };
  write((name) => RESULT_WRITERS.has(name));
  write((name) => SIDE_WRITERS.has(name));
  for (const [generation, process] of event.processes.entries()) writeProcess(draft, generation, process);
  write((name) => !RESULT_WRITERS.has(name) && !SIDE_WRITERS.has(name));
  completeDescriptor(draft);
  completePaths(draft);
  draft.complete();
  draft.event.result ??= 0n;
  return draft;
}

function typeOf({ given, place }: BriefValue): [EventType, number] {
  const call = reportedCalls.find(({ word }) => word === given);
  const type = eventTypes.find(({ id, name }) => (call ? id === call.type : name === given));
  if (!type) throw new BriefError(`'${String(given)}' is no event type and no call`, place);
  return [type, call?.call ?? reportedCalls.find((each) => each.type === type.id)?.call ?? 0];
}

const isFields = (process: BriefValue | BriefFields): process is BriefFields => !("given" in process);

/** What is said of an ancestor is said of it as if it were the actor: proc.name, user.name. */
function writeProcess(draft: Draft, generation: number, process: BriefValue | BriefFields): void {
  const target = draft.process(generation);
  if (!isFields(process)) {
    if (!target || !writeCommand(target, process.given)) throw new BriefError("no process", process.place);
    return;
  }
  for (const [name, value] of process) {
    const ancestor = { processes: [target], event: {}, data: {}, message: ExecSchema } as unknown as Draft;
    const isOwn = name.startsWith("proc.") || name.startsWith("user.") || name.startsWith("group.");
    if (!target || !isOwn) throw new BriefError(`'${name}' says nothing of a process`, value.place);
    writeField(generation === 0 ? draft : ancestor, name, value);
    if (generation > 0) Object.assign(target.row, rowOf(ancestor.event));
  }
}

/** What an actor's event says of it stands, of an ancestor, in its row. */
function rowOf({ pid, uid, gid }: Fields): Fields {
  return { ...(pid !== undefined && { pid }), ...(uid !== undefined && { uid }), ...(gid !== undefined && { gid }) };
}

type FieldTerm = Term & { kind: "field" };

/** What a name of Sigma's stands for on events of a type; undefined of any other name. */
function sigmaTerm(name: string, typeId: number): FieldTerm | undefined {
  const served = SERVED.find(({ type, names }) => type.id === typeId && names.has(name));
  const term = (served?.names ?? COMMON).get(name);
  return term?.kind === "field" ? term : undefined;
}

function writeField(draft: Draft, written: string, { given, place }: BriefValue): void {
  const term = sigmaTerm(written, draft.type?.id ?? 0);
  const name = term ? termName(term) : written;
  const [, bare = name, argument] = /^([^[]*)\[(.*)\]$/.exec(name) ?? [];
  const writer: Writer | undefined =
    RESULT_WRITERS.get(bare) ?? SIDE_WRITERS.get(bare) ?? EVENT_WRITERS.get(bare) ?? PROCESS_WRITERS.get(bare);
  const isWritten = writer ? writer(draft, given, argument) : writeMessages(draft, name, given);
  if (!isWritten) throw new BriefError(`${JSON.stringify(given)} is no value of ${written}`, place);
}

/** What container.id, name and type are outside of all containers. */
const OUTSIDE = "host";

/** Writes the fields of the messages that have this name; one that only follows from others is left to them. */
function writeMessages(draft: Draft, name: string, given: Given): boolean {
  const { row, image } = draft.processes[0] as ProcessDraft;
  const places: readonly (readonly [readonly DescField[], Fields])[] = [
    [draft.message.fields, draft.data],
    [EventSchema.fields.filter((field) => field.oneof === undefined), draft.event],
    [ProcessSchema.fields, row],
    [ExecSchema.fields, image],
    [ContainerSchema.fields, draft.container],
    [PodSchema.fields, draft.pod],
  ];
  // That it is on the host is said by saying nothing of a container.
  if (name.startsWith("container.") && given === OUTSIDE) return true;
  for (const [fields, target] of places) {
    const named = fields.filter((field) => getOption(field, falco).includes(name));
    for (const field of named) {
      const value = valueOfText(field, given);
      if (value === undefined) return false;
      target[field.localName] = value;
    }
    if (named.length > 0) return true;
  }
  return true;
}

const decoder = new TextDecoder();

/** A path that was asked for and the same made absolute come together. */
function completePaths(draft: Draft): void {
  const { message, data } = draft;
  const directory = (draft.processes[0] as ProcessDraft).image.workingDirectory as Uint8Array | undefined;
  for (const { localName } of message.fields) {
    const [, before, absolute] = /^(.*?)(absolute|Absolute)$/.exec(localName) ?? [];
    if (absolute === undefined) continue;
    const requested = `${before}${absolute === "absolute" ? "requested" : "Requested"}`;
    if (!message.fields.some((field) => field.localName === requested)) continue;
    const given = (data[requested] ?? data[localName] ?? data.path) as Uint8Array | undefined;
    if (!given) continue;
    data[requested] = given;
    // Of an open that went well the path is resolved instead.
    if (data.path === undefined)
      data[localName] = utf8.encode(joinPath(decoder.decode(directory ?? utf8.encode("/root")), decoder.decode(given)));
  }
}

const BOOT_ID = new Uint8Array(16).fill(0x5e);
/** A minute after boot, at a second that says it is made up: 2026-01-01 in UTC. */
const FIRST_TIME_NS = 60_000_000_000n;
const BOOT_TIME_UNIX_NS = 1_767_225_600_000_000_000n;

function encode(drafts: readonly Draft[], events: readonly BriefEvent[]): Uint8Array {
  const processes: Fields[] = [];
  const containers: Fields[] = [];
  const actors: number[] = [];
  const encoded = drafts.map((draft, at) => {
    const first = processes.length;
    actors.push(first + 1);
    const hasContainer = Object.keys(draft.container).length > 0;
    if (hasContainer) containers.push(draft.container);
    for (const [generation, { row, image }] of draft.processes.entries()) {
      const parent = generation + 1 < draft.processes.length ? first + generation + 2 : 0;
      processes.push({ ...row, parent, image, container: hasContainer ? containers.length : 0 });
    }
    const timeNs = FIRST_TIME_NS + (events[at] as BriefEvent).afterNs;
    const data = { case: draft.type.member, value: draft.data };
    return { ...draft.event, position: BigInt(at), timeNs, data };
  });
  const batch = {
    ...{ bootId: BOOT_ID, epoch: 1n, firstPosition: 0n, nextPosition: BigInt(drafts.length) },
    ...{ bootTimeUnixNs: BOOT_TIME_UNIX_NS, events: encoded, processes, containers, actors },
  };
  return toBinary(BatchSchema, create(BatchSchema, batch as Parameters<typeof create<typeof BatchSchema>>[1]));
}

/** A value that was given must be what a rule will see. */
function readBack(view: EventView, name: string, { given, place }: BriefValue): void {
  const term = sigmaTerm(name, view.type) ?? termNamed(name, place);
  const { field } = term;
  if (!field.getter) throw new BriefError(`no event has ${name}: ${field.from}`, place);
  const value = getterOf(term)(view);
  const text = typeof given === "string" ? given : given.join(" ");
  if (value === undefined && text !== "") {
    throw new BriefError(`this event does not have ${name} (from: ${field.from})`, place);
  }
  const seen = value === undefined ? "" : formatValue(value);
  if (seen === text || (wholeNumber(text) !== undefined && Number(seen) === wholeNumber(text))) return;
  throw new BriefError(`${name} comes out as ${JSON.stringify(seen)} (from: ${field.from})`, place);
}

function termNamed(name: string, place: Place): FieldTerm {
  const [, bare = name, argument] = /^([^[]*)\[(.*)\]$/.exec(name) ?? [];
  const term = findField(bare, argument) && termOf(name);
  if (term?.kind !== "field") throw new BriefError(`there is no field ${name}`, place);
  return term;
}
