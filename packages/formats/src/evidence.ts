// What the formats tell of a detection in common: who acted, where, on what, in texts and numbers.
import type { Container, Detection, Endpoint, Executable, Process } from "@nightjar/proto";
import { formatAddress } from "@nightjar/rules";

const NS_PER_S = 1_000_000_000n;
const NS_PER_MS = 1_000_000n;
const MS_DIGITS = 3;
const NS_DIGITS = 9;
/** Ancestors that are told; each is within the one before. */
const ANCESTORS_MAX = 8;
const decoder = new TextDecoder();

export type Timestamp = NonNullable<Detection["time"]>;

/** A process and the container and file that are its own. */
export interface Actor {
  process: Process;
  /** Unique among all processes of all boots. */
  entityId: string;
  startMs: bigint | undefined;
  path: string;
  name: string;
  args: string[];
  container: Container | undefined;
  executable: Executable | undefined;
}

/** What the event acted on; each is empty where it did not. */
export interface Target {
  path: string;
  source: Peer | undefined;
  destination: Peer | undefined;
  question: string;
}

export interface Peer {
  ip: string;
  port: number;
}

export function textOf(bytes: Uint8Array | undefined): string {
  return bytes ? decoder.decode(bytes) : "";
}

export function unixNs(time: Timestamp | undefined): bigint {
  return time ? time.seconds * NS_PER_S + BigInt(time.nanos) : 0n;
}

export function unixMs(time: Timestamp | undefined): bigint {
  return unixNs(time) / NS_PER_MS;
}

/** RFC 3339 in UTC: with all nine digits after the point, or rounded down to three. */
export function rfc3339(time: Timestamp | undefined, digits: typeof MS_DIGITS | typeof NS_DIGITS = NS_DIGITS): string {
  const seconds = new Date(Number(time?.seconds ?? 0n) * 1_000).toISOString().slice(0, -".000Z".length);
  const fraction = String(time?.nanos ?? 0).padStart(NS_DIGITS, "0");
  return `${seconds}.${fraction.slice(0, digits)}Z`;
}

/** The detection's id in the form of a UUID. */
export function uuidOf({ id }: Detection): string {
  return id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The process that acted, then its parent, up to the root or as many as are told. */
export function lineageOf(detection: Detection): Actor[] {
  return detection.processes.slice(0, ANCESTORS_MAX + 1).map((process) => actorOf(process, detection));
}

function actorOf(process: Process, { time, event, eventId, containers, executables }: Detection): Actor {
  const path = textOf(process.image?.executable);
  const boot = eventId.slice(0, Math.max(0, eventId.indexOf(":")));
  // The event's time on both clocks says when the host booted.
  const age = event ? event.timeNs - process.startTimeNs : undefined;
  return {
    process,
    entityId: `${boot}:${process.pid}:${process.startTimeNs}`,
    startMs: age === undefined || process.startTimeNs === 0n ? undefined : (unixNs(time) - age) / NS_PER_MS,
    path,
    name: path.slice(path.lastIndexOf("/") + 1) || textOf(process.name),
    args: (process.image?.args ?? []).map(textOf),
    container: containers[process.container - 1],
    executable: executables[process.executable - 1],
  };
}

/** Of the event's own fields, whatever type it is: a path, two ends of a connection, a name that was asked for. */
export function targetOf({ event }: Detection): Target {
  const fields = (event?.data.value ?? {}) as Partial<Record<string, unknown>>;
  const bytes = (name: string) => (fields[name] instanceof Uint8Array ? textOf(fields[name]) : "");
  const held = (fields.descriptor ?? {}) as { local?: Endpoint; remote?: Endpoint; isServer?: boolean };
  const local = peerOf((fields.local ?? held.local) as Endpoint | undefined);
  const remote = peerOf((fields.remote ?? held.remote) as Endpoint | undefined);
  const isServer = event?.data.case === "accept" || held.isServer === true;
  return {
    path: event?.data.case === "exec" ? "" : bytes("path") || bytes("absolute"),
    source: isServer ? remote : local,
    destination: isServer ? local : remote,
    question: bytes("questionName"),
  };
}

function peerOf(end: Endpoint | undefined): Peer | undefined {
  if (!end || end.address.length === 0) return undefined;
  return { ip: formatAddress(end.address), port: end.port };
}

export function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
