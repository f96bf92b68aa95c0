// A detection as a document of the Elastic Common Schema, version 8.
import type { Container, Detection, Event } from "@nightjar/proto";
import { isSubtechnique, tacticId, techniqueOf } from "./attack.ts";
import { type Actor, hexOf, lineageOf, rfc3339, type Target, targetOf, textOf, unixMs } from "./evidence.ts";
import type { Origin } from "./format.ts";
import { type JsonObject, known } from "./json.ts";
import { severityOf } from "./severity.ts";

/** Every field that is used is in it, and in all later 8.x. */
const ECS_VERSION = "8.11.0";
const NS_PER_MS = 1_000_000n;

type EventType = NonNullable<Event["data"]["case"]>;

/** event.category and event.type, in ECS's words, of the kinds of events that have any beyond intrusion_detection. */
const categories: Partial<Record<EventType, readonly [category: string, type: string]>> = {
  exec: ["process", "start"],
  fork: ["process", "start"],
  exit: ["process", "end"],
  execFailure: ["process", "info"],
  ptrace: ["process", "access"],
  processMemory: ["process", "access"],
  setId: ["process", "change"],
  capset: ["process", "change"],
  signal: ["process", "change"],
  library: ["library", "start"],
  open: ["file", "access"],
  firstWrite: ["file", "change"],
  rename: ["file", "change"],
  chmod: ["file", "change"],
  chown: ["file", "change"],
  truncate: ["file", "change"],
  setxattr: ["file", "change"],
  utime: ["file", "change"],
  unlink: ["file", "deletion"],
  mkdir: ["file", "creation"],
  mknod: ["file", "creation"],
  link: ["file", "creation"],
  symlink: ["file", "creation"],
  connect: ["network", "connection"],
  accept: ["network", "connection"],
  send: ["network", "protocol"],
  receive: ["network", "protocol"],
  dns: ["network", "protocol"],
  moduleLoad: ["driver", "start"],
  moduleUnload: ["driver", "end"],
};

export function ecs(detection: Detection, origin: Origin): JsonObject {
  const [actor, parent] = lineageOf(detection);
  const target = targetOf(detection);
  const severity = severityOf(detection.priority);
  return known({
    "@timestamp": rfc3339(detection.time, 3),
    ecs: { version: ECS_VERSION },
    message: detection.output,
    tags: detection.tags,
    event: eventOf(detection, severity.elastic),
    log: { level: severity.falco.toLowerCase(), syslog: { severity: { code: severity.syslog } } },
    rule: { name: detection.rule, reference: detection.rulePlace, version: detection.contentVersion },
    threat: threatOf(detection),
    agent: { id: origin.sensorId, type: "nightjar", version: origin.sensorVersion },
    host: hostOf(origin),
    process: actor && { ...processOf(actor), parent: parent && processOf(parent) },
    user: actor && { id: String(actor.process.uid), name: actor.process.userName },
    group: actor && { id: String(actor.process.gid), name: actor.process.groupName },
    ...(actor?.container && containerOf(actor.container)),
    ...targetFields(target),
    related: {
      hosts: [origin.host.name],
      ip: [target.source, target.destination].flatMap((end) => (end ? [end.ip] : [])),
      user: actor?.process.userName ? [actor.process.userName] : [],
      hash: actor?.executable ? [hexOf(actor.executable.sha256)] : [],
    },
  });
}

function eventOf(detection: Detection, severity: number): JsonObject {
  const { time, lastTime } = detection;
  const own = categories[detection.event?.data.case ?? "exec"];
  return {
    kind: "alert",
    category: ["intrusion_detection", ...(detection.event && own ? [own[0]] : [])],
    type: [detection.event && own ? own[1] : "info"],
    dataset: "nightjar.detection",
    module: "nightjar",
    provider: "nightjar",
    // Of a detection that goes out again the same, so that the document takes the place of the one before.
    id: detection.id,
    sequence: detection.revision,
    severity,
    reason: detection.output,
    start: rfc3339(time, 3),
    end: lastTime && rfc3339(lastTime, 3),
    duration: lastTime && time ? (unixMs(lastTime) - unixMs(time)) * NS_PER_MS : undefined,
  };
}

function threatOf({ techniques, tactics }: Detection): JsonObject | undefined {
  if (techniques.length === 0 && tactics.length === 0) return undefined;
  return {
    framework: "MITRE ATT&CK",
    tactic: { name: tactics, id: tactics.flatMap((name) => tacticId(name) ?? []) },
    technique: {
      id: [...new Set(techniques.map(techniqueOf))],
      subtechnique: { id: techniques.filter(isSubtechnique) },
    },
  };
}

function hostOf({ host }: Origin): JsonObject {
  return {
    name: host.name,
    hostname: host.name,
    id: host.machineId,
    architecture: host.architecture,
    boot: { id: host.bootId },
    os: { type: "linux", full: host.distribution, kernel: host.kernelRelease },
  };
}

function processOf({ process, entityId, startMs, path, name, args, executable }: Actor): JsonObject {
  return {
    pid: process.pid,
    entity_id: entityId,
    name,
    executable: path,
    args,
    args_count: args.length > 0 ? args.length : undefined,
    command_line: args.join(" "),
    working_directory: textOf(process.image?.workingDirectory),
    start: startMs === undefined ? undefined : new Date(Number(startMs)).toISOString(),
    hash: executable && { sha256: hexOf(executable.sha256) },
    user: { id: String(process.uid), name: process.userName },
  };
}

function containerOf({ pod, ...container }: Container): JsonObject {
  return {
    container: {
      id: container.fullId || container.id,
      name: container.name,
      runtime: container.runtime,
      image: {
        name: container.imageRepository || container.image,
        tag: container.imageTag ? [container.imageTag] : [],
        hash: { all: container.imageDigest ? [container.imageDigest] : [] },
      },
      labels: container.labels,
      security_context: { privileged: container.privileged },
    },
    orchestrator: pod && {
      type: "kubernetes",
      namespace: pod.namespace,
      resource: {
        type: "pod",
        name: pod.name,
        id: pod.uid,
        ip: pod.ips,
        parent: { type: pod.owners[0]?.kind.toLowerCase() },
      },
    },
  };
}

function targetFields({ path, source, destination, question }: Target): JsonObject {
  const slash = path.lastIndexOf("/");
  return {
    file: { path, name: path.slice(slash + 1), directory: slash > 0 ? path.slice(0, slash) : "" },
    source: source && { ip: source.ip, address: source.ip, port: source.port },
    destination: destination && { ip: destination.ip, address: destination.ip, port: destination.port },
    dns: { question: { name: question } },
  };
}
