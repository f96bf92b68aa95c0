// Who may say and hear what on the bus, derived from the stream table: nothing else is granted.
import {
  ASK_ATTACH_SUBJECT,
  ASK_STATUS_SUBJECT,
  type ClientName,
  type StageName,
  type Stream,
  stageNames,
  streams as allStreams,
} from "@nightjar/stage";

export type KeyName = StageName | ClientName;

/** NATS subjects, wildcards allowed. Who may answer may publish once to the reply subject of a message it was given. */
export interface Grants {
  publish: readonly string[];
  subscribe: readonly string[];
  answers: boolean;
}

/** Whatever is asked is answered here: a name's own inboxes, which nobody else may hear. */
export function inboxPrefix(name: KeyName): string {
  return `_INBOX.${name}`;
}

/** What the bus asks JetStream; nobody else may create, change, purge or delete. */
const MANAGE = [
  "$JS.API.INFO",
  "$JS.API.STREAM.CREATE.*",
  "$JS.API.STREAM.UPDATE.*",
  "$JS.API.STREAM.INFO.*",
  "$JS.API.STREAM.LIST",
  "$JS.API.STREAM.PURGE.*",
  "$JS.API.CONSUMER.CREATE.>",
  "$JS.API.CONSUMER.DURABLE.CREATE.*.*",
  "$JS.API.CONSUMER.DELETE.*.*",
  "$JS.API.CONSUMER.INFO.*.*",
];

/** Looking at streams and consumers, which changes nothing: what `nats stream ls` and `nats consumer report` ask. */
const LOOK = [
  "$JS.API.INFO",
  "$JS.API.STREAM.NAMES",
  "$JS.API.STREAM.LIST",
  "$JS.API.STREAM.INFO.*",
  "$JS.API.CONSUMER.NAMES.*",
  "$JS.API.CONSUMER.LIST.*",
  "$JS.API.CONSUMER.INFO.*.*",
];

const EVERYTHING_OURS = "nightjar.>";

/** What a name may do besides its part in the streams. */
const SPECIAL: Partial<Record<KeyName, { publish: readonly string[]; subscribe: readonly string[] }>> = {
  bus: { publish: MANAGE, subscribe: [ASK_ATTACH_SUBJECT] },
  // Its heartbeats tell the portal how all stages are.
  uplink: { publish: [ASK_STATUS_SUBJECT], subscribe: [] },
  operator: { publish: ["nightjar.ask.>", ...LOOK], subscribe: [EVERYTHING_OURS] },
  listener: { publish: LOOK, subscribe: [EVERYTHING_OURS] },
};

/** The grants of a key, from the part its holder has in `streams`. */
export function grantsOf(name: KeyName, streams: readonly Stream[] = allStreams): Grants {
  const isStage = (stageNames as readonly string[]).includes(name);
  const roles = isStage ? streams.map((stream) => roleIn(stream, name as StageName)) : [];
  const readsQueue = streams.some((stream) => stream.retention === "work_queue" && isReader(stream, name));
  const special = SPECIAL[name] ?? { publish: [], subscribe: [] };
  return {
    publish: [
      ...roles.flatMap((role) => role.publish),
      ...(readsQueue ? [ASK_ATTACH_SUBJECT] : []),
      ...special.publish,
    ],
    subscribe: [
      ...roles.flatMap((role) => role.subscribe),
      ...(isStage ? [ASK_STATUS_SUBJECT] : []),
      ...special.subscribe,
      `${inboxPrefix(name)}.>`,
    ],
    answers: isStage,
  };
}

function isReader(stream: Stream, name: KeyName): boolean {
  return (stream.readers as readonly string[]).includes(name);
}

function roleIn(stream: Stream, stage: StageName): { publish: string[]; subscribe: string[] } {
  const publish: string[] = [];
  const subscribe: string[] = [];
  const queue = stream.retention === "work_queue";
  if (stream.writers.includes(stage)) {
    // Each holder of a last value has a subject of its own, and may write no other's.
    publish.push(...stream.subjects.map((subject) => (queue ? subject : subject.replace("*", stage))));
  }
  if (stream.readers.includes(stage) && queue) {
    publish.push(
      `$JS.API.CONSUMER.INFO.${stream.name}.${stage}`,
      `$JS.API.CONSUMER.MSG.NEXT.${stream.name}.${stage}`,
      `$JS.ACK.${stream.name}.${stage}.>`,
    );
  }
  if (stream.readers.includes(stage) && !queue) {
    // Direct get needs no consumer, so a reader of last values may create none.
    publish.push(...stream.subjects.map((subject) => `$JS.API.DIRECT.GET.${stream.name}.${subject}`));
    subscribe.push(...stream.subjects);
  }
  return { publish, subscribe };
}
