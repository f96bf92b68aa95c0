// Who has vulnerable code loaded, and from where it could be reached.
import { create } from "@bufbuild/protobuf";
import {
  Exposure,
  type FindingEvidence,
  FindingEvidenceSchema,
  type PortItem,
  type ProgramItem,
} from "@nightjar/proto";
import type { Use } from "./candidates.ts";
import type { Host } from "./host.ts";

export const PROGRAMS_MAX = 16;
const PORTS_MAX = 16;
const PROTOCOLS: Readonly<Record<number, string>> = { 6: "tcp", 17: "udp", 132: "sctp", 136: "udplite" };
const IPV4_BYTES = 4;

/** Of several uses the one that is reached most easily counts. */
export function exposureOf(host: Host, uses: readonly Use[]): Exposure {
  const exposures = uses.map(({ program }) => exposureOfProgram(host, program));
  return Math.max(Exposure.NOT_LOADED, ...exposures) as Exposure;
}

/** A row for each program, those that are reached most easily first. */
export function evidenceOf(host: Host, uses: readonly Use[]): FindingEvidence[] {
  const byProgram = new Map(uses.map((use) => [use.program, use]));
  const known = [...byProgram.values()].map((use) => ({ use, exposure: exposureOfProgram(host, use.program) }));
  known.sort((one, other) => other.exposure - one.exposure || one.use.program.uid - other.use.program.uid);
  return known.map(({ use: { program, path } }) => {
    const { script, uid, userName, unit, containerId, running, processes, runningSince } = program;
    return create(FindingEvidenceSchema, {
      program: program.path,
      ...{ script, path, uid, userName, unit, containerId, running },
      pids: processes.map(({ pid }) => pid),
      ...(runningSince && { runningSince }),
      listening: host.portsOf(program).slice(0, PORTS_MAX).map(portText),
    });
  });
}

function exposureOfProgram(host: Host, program: ProgramItem): Exposure {
  const ports = host.portsOf(program);
  if (ports.length === 0) return Exposure.LOADED;
  return ports.every(({ address }) => isLoopback(address)) ? Exposure.LOCAL : Exposure.NETWORK;
}

/** 127.0.0.0/8, also as IPv6 writes it (::ffff:127.0.0.1), and ::1. */
function isLoopback(address: Uint8Array): boolean {
  if (address.length === IPV4_BYTES) return address[0] === 127;
  const text = Buffer.from(address).toString("hex");
  return /^0{31}1$/.test(text) || /^0{20}ffff7f/.test(text);
}

function portText({ protocol, address, port }: PortItem): string {
  const text = addressText(address);
  return `${PROTOCOLS[protocol] ?? protocol} ${text.includes(":") ? `[${text}]` : text}:${port}`;
}

function addressText(address: Uint8Array): string {
  if (address.length === IPV4_BYTES) return address.join(".");
  const groups = Buffer.from(address).toString("hex").match(/.{4}/g) ?? [];
  // The URL parser writes it as RFC 5952 asks.
  const url = URL.parse(`http://[${groups.join(":")}]/`);
  return url ? url.hostname.slice(1, -1) : Buffer.from(address).toString("hex");
}
