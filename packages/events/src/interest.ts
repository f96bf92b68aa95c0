// What an interest admits, and the union of several: pure, so that kernel, rules and tests mean the same by it.
import { create } from "@bufbuild/protobuf";
import {
  CommandInterestSchema,
  type Interest,
  type PathInterest,
  PathInterestSchema,
  type PortInterest,
  PortInterestSchema,
  type TypeInterest,
  TypeInterestSchema,
  wholeType,
} from "@nightjar/proto";

/** Stands for the port of an end that has none. */
export const NO_PORT = 65_536;

/** The parts of a PathInterest; what is missing or empty says nothing. */
export type PathParts = { [part in PathPart]?: string };
type PathPart = "whole" | "begin" | "end" | "leaf" | "leafBegin" | "directory";

/** What the kernel knows of an event when it decides. */
export interface EventKeys {
  /** A number from 0 to 7, see TypeInterest. */
  class: number;
  /** Not there where the kernel could not tell it for sure: then it passes if any path is wanted. */
  path?: string;
  command: string;
  /** Not there where the event has no ends; NO_PORT where an end has no address. */
  remotePort?: number;
  localPort?: number;
}

/** One form for equal parts. */
export function pathName({ whole, begin, end, leaf, leafBegin, directory }: PathParts): string {
  return JSON.stringify([whole, begin, end, leaf, leafBegin, directory]);
}

/** Whether a path fits; resolved paths begin with a slash and have no empty parts. */
export function fitsPath(parts: PathParts, path: string): boolean {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  const directory = slash <= 0 ? "/" : path.slice(0, slash);
  return (
    path === (parts.whole || path) &&
    directory === (parts.directory || directory) &&
    name === (parts.leaf || name) &&
    path.startsWith(parts.begin ?? "") &&
    path.endsWith(parts.end ?? "") &&
    name.startsWith(parts.leafBegin ?? "")
  );
}

/** Whether an event of the type is wanted each time. */
export function admits(interest: TypeInterest, keys: EventKeys): boolean {
  const { path, command, remotePort, localPort } = keys;
  const bit = 1 << keys.class;
  const isOf = ({ classes }: { classes: number }) => (classes & bit) !== 0;
  return (
    (interest.everything & bit) !== 0 ||
    interest.paths.some((each) => isOf(each) && (path === undefined || fitsPath(each, path))) ||
    interest.commands.some((each) => isOf(each) && each.name === command) ||
    (remotePort !== undefined &&
      (portClasses(interest.remotePorts, interest.otherRemotePorts, remotePort) & bit) > 0) ||
    (localPort !== undefined && (portClasses(interest.localPorts, interest.otherLocalPorts, localPort) & bit) > 0)
  );
}

function portClasses(ports: readonly PortInterest[], others: number, port: number): number {
  return ports.find((each) => each.port === port)?.classes ?? others;
}

/** What at least one of the holders wants, by event type. Entries for types that are not wanted are not there. */
export function unionOfInterests(interests: Iterable<Interest>): Map<number, TypeInterest> {
  const union = new Map<number, TypeInterest>();
  for (const interest of interests) {
    const entries = new Map(interest.types.map((entry) => [entry.eventType, entry]));
    for (const eventType of interest.eventTypes) {
      const entry = entries.get(eventType) ?? wholeType(eventType);
      const before = union.get(eventType);
      union.set(eventType, before ? unionOfTypes(before, entry) : entry);
    }
  }
  return union;
}

function unionOfTypes(left: TypeInterest, right: TypeInterest): TypeInterest {
  const commands = new Map<string, number>();
  for (const { name, classes } of [...left.commands, ...right.commands])
    commands.set(name, (commands.get(name) ?? 0) | classes);
  const paths = new Map<string, PathInterest>();
  for (const each of [...left.paths, ...right.paths]) {
    const name = pathName(each);
    const classes = (paths.get(name)?.classes ?? 0) | each.classes;
    paths.set(name, create(PathInterestSchema, { ...each, classes }));
  }
  return create(TypeInterestSchema, {
    eventType: left.eventType,
    everything: left.everything | right.everything,
    paths: [...paths.values()],
    commands: [...commands].map(([name, classes]) => create(CommandInterestSchema, { name, classes })),
    remotePorts: unionOfPorts([left.remotePorts, left.otherRemotePorts], [right.remotePorts, right.otherRemotePorts]),
    localPorts: unionOfPorts([left.localPorts, left.otherLocalPorts], [right.localPorts, right.otherLocalPorts]),
    otherRemotePorts: left.otherRemotePorts | right.otherRemotePorts,
    otherLocalPorts: left.otherLocalPorts | right.otherLocalPorts,
    folded: left.folded | right.folded,
  });
}

type Ports = readonly [listed: readonly PortInterest[], others: number];

/** A port that one side does not list is one of its others. */
function unionOfPorts(left: Ports, right: Ports): PortInterest[] {
  const of = ([listed, others]: Ports) => {
    const classes = new Map(listed.map((each) => [each.port, each.classes]));
    return (port: number) => classes.get(port) ?? others;
  };
  const [ofLeft, ofRight] = [of(left), of(right)];
  const ports = new Set([...left[0], ...right[0]].map(({ port }) => port));
  return [...ports].map((port) => create(PortInterestSchema, { port, classes: ofLeft(port) | ofRight(port) }));
}
