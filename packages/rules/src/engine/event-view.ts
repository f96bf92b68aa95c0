// An event as rules see it: its own fields, those of its event type, and the processes it speaks of.
import { type BatchReader, WireError } from "@nightjar/events";
import { BatchSchema, ContainerSchema, EventSchema, ExecSchema, eventTypes, ProcessSchema } from "@nightjar/proto";
import { decodeText, Message } from "./message.ts";

const EVENT = EventSchema.field;
const PROCESS = ProcessSchema.field;
const EXEC = ExecSchema.field;
const CONTAINER = ContainerSchema.field;
const TYPE_IDS: ReadonlySet<number> = new Set(eventTypes.map((type) => type.id));
/** Event's own fields have lower numbers than all event types. */
const EVENT_FIELD_MAX = Math.min(...TYPE_IDS) - 1;
const EXEC_TYPE = eventTypes.find((type) => type.name === "exec")?.id ?? 0;

/** A message that events share, with what was worked out from it. */
export class SharedMessage {
  readonly message = new Message();
  /** Values that getters have worked out, by the number they drew with `newCacheKey`. */
  cache: unknown[] = [];

  load(bytes: Uint8Array, begin: number, end: number): void {
    this.message.load(bytes, begin, end);
    this.cache.length = 0;
  }
}

/** What a process runs since its last exec: an encoded Exec. */
export class Image extends SharedMessage {
  #args: string[] | undefined;
  #environment: string[] | undefined;

  override load(bytes: Uint8Array, begin: number, end: number): void {
    super.load(bytes, begin, end);
    this.#args = undefined;
    this.#environment = undefined;
  }

  /** All arguments, argv[0] first. */
  get args(): readonly string[] {
    this.#args ??= this.#texts(EXEC.args.number);
    return this.#args;
  }

  /** The environment, NAME=value each; empty where it was not asked for. */
  get environment(): readonly string[] {
    this.#environment ??= this.#texts(EXEC.environment.number);
    return this.#environment;
  }

  #texts(number: number): string[] {
    const { message } = this;
    const bounds = message.occurrences(number);
    const texts: string[] = [];
    for (let at = 0; at < bounds.length; at += 2) {
      texts.push(decodeText(message.bytes, bounds[at] as number, bounds[at + 1] as number));
    }
    return texts;
  }
}

/** A row of the batch's table of containers. */
export class ContainerView extends SharedMessage {
  readonly #pod = new SharedMessage();
  #podLoaded = false;

  override load(bytes: Uint8Array, begin: number, end: number): void {
    super.load(bytes, begin, end);
    this.#podLoaded = false;
  }

  /** The Pod it belongs to. */
  get pod(): SharedMessage | undefined {
    const start = this.message.start(CONTAINER.pod.number);
    if (start === 0) return undefined;
    if (!this.#podLoaded) this.#pod.load(this.message.bytes, start, this.message.stop(CONTAINER.pod.number));
    this.#podLoaded = true;
    return this.#pod;
  }
}

/** The rows of one of a batch's tables, each made ready when it is asked for. */
class RowViews<View extends { load(bytes: Uint8Array, begin: number, end: number): void }> {
  readonly #make: () => View;
  readonly #views: View[] = [];
  #loaded: boolean[] = [];
  #bytes: Uint8Array = new Uint8Array(0);
  #bounds: readonly number[] = [];

  constructor(make: () => View) {
    this.#make = make;
  }

  open(bytes: Uint8Array, bounds: readonly number[]): void {
    this.#bytes = bytes;
    this.#bounds = bounds;
    this.#loaded = new Array(bounds.length / 2).fill(false);
  }

  /** Undefined for -1; throws a WireError where there is no such row. */
  row(row: number): View | undefined {
    if (row < 0) return undefined;
    if (row >= this.#loaded.length) throw new WireError(`no row ${row} in a table of ${BatchSchema.typeName}`, 0);
    this.#views[row] ??= this.#make();
    const view = this.#views[row];
    if (!this.#loaded[row]) {
      view.load(this.#bytes, this.#bounds[2 * row] as number, this.#bounds[2 * row + 1] as number);
      this.#loaded[row] = true;
    }
    return view;
  }
}

/** A row of the batch's table of processes. */
export class ProcessView {
  readonly message = new Message();
  readonly #image = new Image();
  parentRow = -1;
  /** Rows in the tables of containers and executables, -1 for none. */
  containerRow = -1;
  executableRow = -1;
  #name: string | undefined;
  #imageLoaded = false;

  load(bytes: Uint8Array, begin: number, end: number): void {
    this.message.load(bytes, begin, end);
    this.parentRow = this.message.uint(PROCESS.parent.number) - 1;
    this.containerRow = this.message.uint(PROCESS.container.number) - 1;
    this.executableRow = this.message.uint(PROCESS.executable.number) - 1;
    this.#name = undefined;
    this.#imageLoaded = false;
  }

  get name(): string | undefined {
    this.#name ??= this.message.text(PROCESS.name.number);
    return this.#name;
  }

  get image(): Image | undefined {
    const start = this.message.start(PROCESS.image.number);
    if (start === 0) return undefined;
    if (!this.#imageLoaded) {
      this.#image.load(this.message.bytes, start, this.message.stop(PROCESS.image.number));
      this.#imageLoaded = true;
    }
    return this.#image;
  }
}

/** How far up ancestors are looked for; a longer line is cut there. */
export const ANCESTORS_MAX = 128;

/** Moves over the events of a batch. Everything it gives out holds until the next `select` or `open`. */
export class EventView {
  batch!: BatchReader;
  index = -1;
  /** Grows with every `select`: tells whether what was worked out is still of this event. */
  serial = 0;
  /** The event type's id. */
  type = 0;
  readonly event = new Message(EVENT_FIELD_MAX);
  /** The message of the event's type: an Exec, Open, … */
  readonly data = new Message();
  readonly #ownImage = new Image();
  readonly #processes = new RowViews(() => new ProcessView());
  readonly #containers = new RowViews(() => new ContainerView());
  readonly #executables = new RowViews(() => new SharedMessage());
  #name: string | undefined;
  #actor: ProcessView | undefined;

  open(batch: BatchReader): void {
    this.batch = batch;
    this.#processes.open(batch.bytes, batch.processBounds);
    this.#containers.open(batch.bytes, batch.containerBounds);
    this.#executables.open(batch.bytes, batch.executableBounds);
    this.index = -1;
  }

  /** Goes to an event and returns its type's id, 0 where it has none. */
  select(index: number): number {
    const { batch, event } = this;
    event.load(batch.bytes, batch.eventStart(index), batch.eventEnd(index));
    this.index = index;
    this.serial++;
    this.#name = undefined;
    this.#actor = this.process(batch.actor(index));
    const type = event.beyond;
    this.type = TYPE_IDS.has(type) ? type : 0;
    if (this.type !== 0) this.data.load(batch.bytes, event.beyondStart, event.beyondEnd);
    if (this.type === EXEC_TYPE) this.#ownImage.load(batch.bytes, event.beyondStart, event.beyondEnd);
    return this.type;
  }

  get position(): number {
    return this.event.uint(EVENT.position.number);
  }

  /** The row of a process; undefined for -1. */
  process(row: number): ProcessView | undefined {
    return this.#processes.row(row);
  }

  get actor(): ProcessView | undefined {
    return this.#actor;
  }

  /** The container that a process is in; without one, the actor's. Undefined outside of all containers. */
  container(process = this.#actor): ContainerView | undefined {
    return process && this.#containers.row(process.containerRow);
  }

  /** The Executable that a process executes; without one, the actor. Undefined where nothing is known of it. */
  executable(process = this.#actor): SharedMessage | undefined {
    return process && this.#executables.row(process.executableRow);
  }

  /** The Executable that is the file the event mapped. */
  get mapped(): SharedMessage | undefined {
    return this.#executables.row(this.batch.mapped(this.index));
  }

  /** What the actor runs: for an exec, what it runs from now on. */
  get image(): Image | undefined {
    return this.type === EXEC_TYPE ? this.#ownImage : this.#actor?.image;
  }

  /** The actor's name as the kernel had it; where the table has the same, its text serves for all events. */
  get name(): string | undefined {
    if (this.#name !== undefined) return this.#name;
    const start = this.event.start(EVENT.name.number);
    const stop = this.event.stop(EVENT.name.number);
    const actor = this.#actor;
    if (start === stop) this.#name = actor?.name;
    else if (actor && sameBytes(actor.message, PROCESS.name.number, this.event.bytes, start, stop))
      this.#name = actor.name;
    else this.#name = decodeText(this.event.bytes, start, stop);
    return this.#name;
  }

  /** The ancestor so many generations up: 0 is the actor, 1 its parent. */
  ancestor(generation: number): ProcessView | undefined {
    let view = this.#actor;
    for (let up = 0; up < generation && up < ANCESTORS_MAX && view; up++) view = this.process(view.parentRow);
    return generation <= ANCESTORS_MAX ? view : undefined;
  }

  /** The ancestors, the parent first. */
  ancestors(): ProcessView[] {
    const found: ProcessView[] = [];
    let view = this.#actor && this.process(this.#actor.parentRow);
    for (; view && found.length < ANCESTORS_MAX; view = this.process(view.parentRow)) found.push(view);
    return found;
  }
}

function sameBytes(message: Message, number: number, bytes: Uint8Array, start: number, stop: number): boolean {
  const other = message.start(number);
  if (message.stop(number) - other !== stop - start) return false;
  for (let at = 0; at < stop - start; at++) if (message.bytes[other + at] !== bytes[start + at]) return false;
  return true;
}
