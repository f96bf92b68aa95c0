// An event that is being put together: the messages it will be encoded as, before they are.
import type { DescMessage } from "@bufbuild/protobuf";
import { type EventType, ExecSchema, shortContainerId } from "@nightjar/proto";

/** A message by its fields' local names, as protobuf-es creates one from. */
export type Fields = Record<string, unknown>;

/** A row of the table of processes, and what it runs. */
export interface ProcessDraft {
  row: Fields;
  image: Fields;
}

/** So many ancestors may be described; what a rule asks of farther ones is in a recording. */
const ANCESTORS_MAX = 32;
const ACTOR_PID = 1000;

export class Draft {
  readonly type: EventType;
  readonly message: DescMessage;
  readonly event: Fields;
  /** The message of the event's type; of an exec what its process runs from then on. */
  readonly data: Fields;
  /** The container of the actor and its ancestors, and the pod; on the host there is nothing in them. */
  readonly container: Fields = {};
  readonly pod: Fields = {};
  /** The actor, its parent, and so on up. */
  readonly processes: ProcessDraft[] = [];

  constructor(type: EventType, call: number) {
    this.type = type;
    this.message = type.field.message as DescMessage;
    this.event = { call };
    const { image } = this.process(0) as ProcessDraft;
    this.data = this.message === ExecSchema ? image : {};
  }

  /** The process so many generations up; undefined beyond what can be described. */
  process(generation: number): ProcessDraft | undefined {
    if (!Number.isInteger(generation) || generation > ANCESTORS_MAX) return undefined;
    while (this.processes.length <= generation) this.processes.push({ row: {}, image: {} });
    return this.processes[generation];
  }

  get failed(): boolean {
    return ((this.event.result as bigint | undefined) ?? 0n) < 0n;
  }

  /** Where the descriptor's fields go: a message of its own, or beside the event's others. */
  get descriptor(): Fields {
    if (!this.message.fields.some(({ localName }) => localName === "descriptor")) return this.data;
    this.data.descriptor ??= {};
    return this.data.descriptor as Fields;
  }

  /** Fills in what every process and event of the sensor's has, where nothing was said of it. */
  complete(): void {
    for (const [generation, { row, image }] of this.processes.entries()) completeProcess(row, image, generation);
    if (Object.keys(this.pod).length > 0) this.container.pod = this.pod;
    if (Object.keys(this.container).length > 0) completeContainer(this.container);
    const [actor, parent] = this.processes;
    const { row } = actor as ProcessDraft;
    this.event.pid ??= row.pid;
    row.pid = this.event.pid;
    row.startTimeNs = BigInt(this.event.pid as number);
    this.event.tid ??= this.event.pid;
    this.event.startTimeNs = row.startTimeNs;
    this.event.parentPid ??= parent?.row.pid;
    if (parent) parent.row.pid = this.event.parentPid;
    this.event.name ??= row.name;
    this.event.uid ??= row.uid ?? 0;
    this.event.gid ??= row.gid ?? 0;
  }
}

/** Of a container of which only something else was said. */
const CONTAINER_ID = "0".repeat(64);

function completeContainer(container: Fields): void {
  container.fullId ??= container.id ?? CONTAINER_ID;
  container.id ??= shortContainerId(container.fullId as string);
}

const utf8 = new TextEncoder();
/** The kernel's TASK_COMM_LEN, less its closing NUL. */
const NAME_BYTES_MAX = 15;
const NO_LOGIN_UID = 4294967295;

function completeProcess(row: Fields, image: Fields, generation: number): void {
  const args = (image.args as Uint8Array[] | undefined) ?? [];
  const executable = (image.executable ?? args[0]) as Uint8Array | undefined;
  if (executable) {
    image.executable ??= executable;
    image.filename ??= executable;
    row.name ??= baseName(executable).slice(0, NAME_BYTES_MAX);
  }
  // An argument behind the first may have been given alone.
  if (args[0] === undefined && (args.length > 0 || executable || row.name))
    args[0] = (executable ?? row.name) as Uint8Array;
  image.args = Array.from(args, (argument) => argument ?? new Uint8Array());
  image.workingDirectory ??= utf8.encode("/root");
  image.loginUid ??= NO_LOGIN_UID;
  row.pid ??= ACTOR_PID - generation;
  row.startTimeNs ??= BigInt(row.pid as number);
  row.userName ??= "root";
}

function baseName(path: Uint8Array): Uint8Array {
  return path.subarray(path.lastIndexOf("/".charCodeAt(0)) + 1);
}
