// Makes the recordings that the enricher is measured with: batches of events as the probe encodes them.
import { createHash } from "node:crypto";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { encodeRecordingHeader, encodeRecordingPart } from "@nightjar/events";
import { BatchSchema, Call, DescriptorType, type EventSchema, type ExecSchema } from "@nightjar/proto";

type EventInit = Exclude<MessageInitShape<typeof EventSchema>, { $typeName: string; $unknown?: unknown }>;
type ExecInit = Exclude<MessageInitShape<typeof ExecSchema>, { $typeName: string; $unknown?: unknown }>;

/** As the collector cuts them. */
const EVENTS_PER_BATCH = 256;
/** Bytes an event takes in the ring. */
const POSITION_STEP = 512;
const NS_PER_EVENT = 10_000n;
const BOOT_TIME_UNIX_NS = 1_700_000_000_000_000_000n;

const utf8 = new TextEncoder();
const text = (value: string) => utf8.encode(value) as Uint8Array<ArrayBuffer>;

interface Actor {
  pid: number;
  start: bigint;
  name: string;
  parent?: Actor;
}

const INIT: Actor = { pid: 1, start: 1_000_000n, name: "systemd" };
const NAMESPACES = {
  ...{ mountNamespace: 4026531841, pidNamespace: 4026531836, networkNamespace: 4026531840, userNamespace: 4026531837 },
  ...{ utsNamespace: 4026531838, ipcNamespace: 4026531839, cgroupNamespace: 4026531835, timeNamespace: 4026531834 },
};
const IDS = { realUid: 1000, effectiveUid: 1000, savedUid: 1000, realGid: 1000, effectiveGid: 1000, savedGid: 1000 };

/** Gives the events of a recording their times and positions and cuts them into batches. */
class Recorder {
  readonly #parts: Uint8Array[] = [encodeRecordingHeader({})];
  #events: EventInit[] = [];
  #count = 0;
  #time = 60_000_000_000n;

  add(actor: Actor, data: EventInit["data"], more: EventInit = {}): void {
    const { parent } = actor;
    this.#time += NS_PER_EVENT;
    this.#events.push({
      ...{ position: BigInt(this.#count++ * POSITION_STEP), timeNs: this.#time },
      ...{ pid: actor.pid, tid: actor.pid, startTimeNs: actor.start, name: text(actor.name) },
      ...{ parentPid: parent?.pid ?? 0, parentStartTimeNs: parent?.start ?? 0n, uid: 1000, gid: 1000, cgroupId: 4321n },
      ...more,
      ...(data && { data }),
    });
    if (this.#events.length === EVENTS_PER_BATCH) this.cut();
  }

  fork(actor: Actor, pid: number): Actor {
    const child = { pid, start: this.#time, name: actor.name, parent: actor };
    const value = { childPid: pid, childStartTimeNs: child.start };
    const of = { childParentPid: actor.pid, childParentStartTimeNs: actor.start };
    this.add(actor, { case: "fork", value: { ...value, ...of } }, { call: Call.CLONE, result: BigInt(pid) });
    return child;
  }

  exec(actor: Actor, value: ExecInit): void {
    this.add(actor, { case: "exec", value }, { call: Call.EXECVE });
  }

  /** Ends the batch; batches touch each other. */
  cut(): void {
    const events = this.#events;
    if (events.length === 0) return;
    this.#events = [];
    const batch = create(BatchSchema, {
      ...{ bootId: new Uint8Array(16).fill(0xbe), epoch: 1n, bootTimeUnixNs: BOOT_TIME_UNIX_NS, events },
      firstPosition: events[0]?.position ?? 0n,
      nextPosition: BigInt(this.#count * POSITION_STEP),
    });
    this.#parts.push(encodeRecordingPart(toBinary(BatchSchema, batch)));
  }

  bytes(): Buffer {
    this.cut();
    return Buffer.concat(this.#parts);
  }
}

/** Every other service runs in a container. */
function cgroupOf(service: string): string {
  const digest = createHash("sha256").update(service).digest("hex");
  return digest < "8" ? `/system.slice/${service}.service` : `/system.slice/docker-${digest}.scope`;
}

/** An exec as a service's of a server: 550 to 600 bytes encoded. */
function execOf(pid: number, program: string, service = program): ExecInit {
  const configuration = `/etc/${program}/conf.d/instance-${pid}.conf`;
  return {
    ...{ executable: text(`/usr/lib/${program}/bin/${program}`), filename: text(`/usr/lib/${program}/bin/${program}`) },
    args: [`/usr/lib/${program}/bin/${program}`, "--configuration", configuration, "--verbose", "x".repeat(120)].map(
      text,
    ),
    ...{ argsSizeBytes: 220, environmentSizeBytes: 1_200, workingDirectory: text(`/var/lib/${program}`) },
    ...{ cgroup: text(cgroupOf(service)), loginUid: 4294967295, auditSessionId: 4294967295 },
    ...{ processGroupId: pid, sessionId: 1, namespacedPid: pid, namespacedProcessGroupId: pid, namespacedSessionId: 1 },
    ...{ device: 65025, inode: BigInt(pid), changedTimeNs: BOOT_TIME_UNIX_NS, modifiedTimeNs: BOOT_TIME_UNIX_NS },
    ...{ fileMode: 0o100755, capabilitiesBounding: 0x1ff_ffff_ffffn, filesystemUid: 1000, filesystemGid: 1000 },
    stdio: [{ type: DescriptorType.CHARACTER, name: text("null") }, { type: DescriptorType.SOCKET }, { type: 6 }],
    ...NAMESPACES,
    ...IDS,
  };
}

/** 120 processes in lines of three, made in the first batch; then what they do: files opened, connections made. */
export function eventsRecording(batches: number): Buffer {
  const recorder = new Recorder();
  recorder.exec(INIT, execOf(1, "systemd"));
  const actors: Actor[] = [];
  for (let line = 0; line < 40; line++) {
    let actor = INIT;
    for (let depth = 0; depth < 3; depth++) {
      actor = recorder.fork(actor, 100 + 3 * line + depth);
      actor.name = `worker-${line}`;
      recorder.exec(actor, execOf(actor.pid, actor.name));
      actors.push(actor);
    }
  }
  recorder.cut();
  const value = { directoryFd: -100, flags: 0n, fileMode: 0o100644, device: 65025, type: DescriptorType.FILE };
  for (let event = 0; event < batches * EVENTS_PER_BATCH; event++) {
    const actor = actors[(event * 7) % actors.length] as Actor;
    const path = text(`/srv/data/folder-${event % 40}/file-${event % 1000}.txt`);
    const data = { case: "open" as const, value: { ...value, path, requested: path, inode: BigInt(event) } };
    recorder.add(actor, data, { call: Call.OPENAT, result: 5n });
  }
  return recorder.bytes();
}

/** Processes of `programs` different executables, each forked by a shell, alive for one event and gone. */
export function execsRecording(execs: number, programs: number): Buffer {
  const recorder = new Recorder();
  const shell = recorder.fork(INIT, 2);
  for (let made = 0; made < execs; made++) {
    const child = recorder.fork(shell, 1_000 + made);
    child.name = `tool-${made % programs}`;
    recorder.exec(child, { ...execOf(child.pid, child.name), inode: BigInt(made % programs) });
    recorder.add(child, { case: "exit", value: { code: 0 } });
  }
  return recorder.bytes();
}

/** As many processes that run, each of an executable and with arguments of its own. */
export function processesRecording(processes: number): Buffer {
  const recorder = new Recorder();
  recorder.exec(INIT, execOf(1, "systemd"));
  for (let made = 0; made < processes; made++) {
    const child = recorder.fork(INIT, 1_000 + made);
    child.name = `server-${made % 200}`;
    recorder.exec(child, { ...execOf(child.pid, `${child.name}-${made}`, child.name), inode: BigInt(made % 2_000) });
  }
  return recorder.bytes();
}
