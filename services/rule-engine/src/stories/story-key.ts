// Says which story a detection belongs to: its rule, which programs did it, in which container, and to what.
import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { formatAddress } from "@nightjar/events";
import {
  type Descriptor,
  type Detection,
  type Endpoint,
  type Event,
  type Process,
  type Story,
  StorySchema,
  type Target,
} from "@nightjar/proto";

const KEY_HEX_DIGITS = 32;
/** Programs of a lineage; those further up are the same for all of a service. */
const LINEAGE_MAX = 16;
/** Of a program's path, a directory, a name. */
const TEXT_CHARACTERS_MAX = 256;

/** What repeats of a detection have in common beside its rule. */
export function storyOf(detection: Pick<Detection, "event" | "processes" | "containers">): Story {
  const { event, processes } = detection;
  const lineage: string[] = [];
  for (const process of processes) {
    const program = programOf(process);
    // A shell that forks itself, or a script of scripts, goes deeper with each turn of the same story.
    if (program !== lineage.at(-1)) lineage.push(program);
    if (lineage.length === LINEAGE_MAX) break;
  }
  return create(StorySchema, { lineage, container: containerOf(detection), target: event ? targetOf(event) : "" });
}

/** 32 hexadecimal digits, the same for repeats of the same story. */
export function storyKey(rule: string, { lineage, container, target }: Story): string {
  const text = JSON.stringify([rule, lineage, container, target]);
  return createHash("sha256").update(text).digest("hex").slice(0, KEY_HEX_DIGITS);
}

/** Its path, not its pid: a loop starts the same program again and again. */
function programOf({ image, name }: Process): string {
  return short(image && image.executable.length > 0 ? image.executable : name);
}

function containerOf({ processes, containers }: Pick<Detection, "processes" | "containers">): string {
  return containers[(processes[0]?.container ?? 0) - 1]?.id ?? "";
}

interface TargetRow {
  /** The field of the event that is looked at. */
  field: string;
  /** What is taken of it, for the documentation. */
  doc: string;
  of: (value: never) => string;
}

/** What an event acted on is told by the first of these that it has; docs/detections.md shows them. */
export const TARGETS: readonly TargetRow[] = [
  { field: "executable", doc: "the program's path", of: short },
  { field: "path", doc: "the directory", of: directoryOf },
  { field: "newAbsolute", doc: "the directory", of: directoryOf },
  { field: "absolute", doc: "the directory", of: directoryOf },
  { field: "questionName", doc: "the name that was asked for", of: short },
  { field: "remote", doc: "the peer's address and port", of: (peer: Endpoint) => endpointOf(peer) },
  { field: "descriptor", doc: "the peer's address and port, of a server's the address; or the directory", of: heldBy },
  { field: "target", doc: "the name of the process", of: (target: Target) => (target.name ? short(target.name) : "") },
  { field: "name", doc: "the name", of: short },
];

function targetOf({ data }: Event): string {
  const fields = (data.value ?? {}) as unknown as Record<string, unknown>;
  for (const { field, of } of TARGETS) {
    const value = fields[field];
    const text = value === undefined ? "" : of(value as never);
    if (text !== "") return text;
  }
  return "";
}

/** Numbers and long hexadecimal texts tell apart what a loop makes, not stories: /proc/812/maps, /tmp/x.4f1a09bc. */
const VARYING = /[0-9a-f]{8,}|\d+/gi;

function directoryOf(path: Uint8Array): string {
  const text = textOf(path);
  return text
    .slice(0, text.lastIndexOf("/") + 1)
    .replaceAll(VARYING, "#")
    .slice(0, TEXT_CHARACTERS_MAX);
}

/** A client's port is another with each connection. */
function endpointOf({ address, port, path }: Endpoint, ofClient = false): string {
  if (path.length > 0) return short(path);
  if (address.length === 0) return "";
  return ofClient ? formatAddress(address) : `${formatAddress(address)} ${port}`;
}

function heldBy({ remote, path, isServer }: Descriptor): string {
  return (remote && endpointOf(remote, isServer)) || directoryOf(path);
}

function short(bytes: Uint8Array): string {
  return textOf(bytes).slice(0, TEXT_CHARACTERS_MAX);
}

function textOf(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

const utf8 = new TextDecoder();
