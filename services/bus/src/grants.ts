// Who may say and hear what on the bus, derived from the stream table: nothing else is granted.
import {
  ASK_ATTACH_SUBJECT,
  ASK_CONTAINER_SUBJECT,
  ASK_CONTENT_SUBJECT,
  ASK_INVENTORY_SUBJECT,
  ASK_OUTPUT_TEST_SUBJECT,
  ASK_PROCESSES_SUBJECT,
  ASK_RUNNING_SUBJECT,
  ASK_STATUS_SUBJECT,
  streams as allStreams,
  type ClientName,
  clientNames,
  LEASED_INTEREST_SUBJECT,
  METADATA_CHANGED_SUBJECT,
  type StageName,
  type Stream,
  serviceName,
  stageNames,
  streamOf,
  TAPPED_SUBJECT,
} from "@nightjar/stage";
import { hasDurable } from "./provision.ts";

/**
 * Who holds a key. "manager" is the bus too, on a connection of its own: NATS lets the reply subject of a question be
 * anything, so whoever may change streams answers no questions.
 */
export type KeyName = StageName | ClientName | "manager";
export const keyNames: readonly KeyName[] = [...stageNames, ...clientNames, "manager"];

/** NATS subjects, wildcards allowed. */
export interface Grants {
  publish: readonly string[];
  subscribe: readonly string[];
}

/** Whatever is asked is answered here: a name's own inboxes, which nobody else may hear. */
export function inboxPrefix(name: KeyName): string {
  return `_INBOX.${name}`;
}

/** What the manager asks JetStream; nobody else may create, change, purge or delete. */
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

/** What NATS's service protocol asks (ADR-32): who is there, what it answers, how often it was asked. */
const SERVICE_VERBS = ["PING", "INFO", "STATS"].map((verb) => `$SRV.${verb}`);
const SERVICE_ASKERS: readonly KeyName[] = ["operator", "listener"];

/** Asking all services, those of a name, one of them. */
const ASK_SERVICES: Grants = {
  publish: SERVICE_VERBS.flatMap((verb) => [verb, `${verb}.*`, `${verb}.*.*`]),
  subscribe: [],
};

function partInServices(name: KeyName, stage: StageName | undefined): Grants {
  if (!stage) return SERVICE_ASKERS.includes(name) ? ASK_SERVICES : NOTHING;
  const own = serviceName(stage);
  return {
    publish: SERVICE_ASKERS.map((asker) => `${inboxPrefix(asker)}.>`),
    subscribe: SERVICE_VERBS.flatMap((verb) => [verb, `${verb}.${own}`, `${verb}.${own}.*`]),
  };
}

/** What the holders of interest said last, which a recording notes. */
const LAST_INTERESTS = "$JS.API.DIRECT.GET.INTEREST.nightjar.interest.*";

const EVERYTHING_OURS = "nightjar.>";

/** What a name may do besides its part in streams, questions and notices. */
const SPECIAL: Partial<Record<KeyName, Grants>> = {
  manager: { publish: MANAGE, subscribe: [] },
  operator: { publish: [...LOOK, LAST_INTERESTS], subscribe: [EVERYTHING_OURS] },
  listener: { publish: LOOK, subscribe: [EVERYTHING_OURS] },
};

interface Question {
  subject: string;
  askers: readonly KeyName[];
  answerers: readonly KeyName[];
}

function questionsOf(streams: readonly Stream[]): Question[] {
  const queueReaders = streams.filter(hasDurable).flatMap(({ readers }) => readers);
  return [
    // The uplink's heartbeats tell the portal how all stages are; the collector learns which processes are the
    // sensor's own.
    { subject: ASK_STATUS_SUBJECT, askers: ["operator", "uplink", "collector"], answerers: stageNames },
    { subject: ASK_PROCESSES_SUBJECT, askers: ["operator"], answerers: ["enricher"] },
    { subject: ASK_RUNNING_SUBJECT, askers: ["aggregator"], answerers: ["enricher"] },
    { subject: ASK_INVENTORY_SUBJECT, askers: ["operator", "uplink"], answerers: ["aggregator"] },
    { subject: ASK_CONTAINER_SUBJECT, askers: ["operator", "enricher"], answerers: ["metadata"] },
    { subject: ASK_CONTENT_SUBJECT, askers: ["uplink"], answerers: ["rule-engine"] },
    { subject: ASK_OUTPUT_TEST_SUBJECT, askers: ["operator"], answerers: ["uplink"] },
    { subject: ASK_ATTACH_SUBJECT, askers: [...new Set(queueReaders)], answerers: ["bus"] },
  ];
}

/** What is said on the bus and kept by no stream. */
interface Notice {
  subject: string;
  speakers: readonly KeyName[];
  /** Beside the command line, which hears everything of ours. */
  listeners: readonly KeyName[];
}

const NOTICES: readonly Notice[] = [
  { subject: LEASED_INTEREST_SUBJECT, speakers: ["operator"], listeners: streamOf("INTEREST").readers },
  { subject: TAPPED_SUBJECT, speakers: ["enricher"], listeners: [] },
  { subject: METADATA_CHANGED_SUBJECT, speakers: ["metadata"], listeners: ["enricher"] },
];

function partInNotice({ subject, speakers, listeners }: Notice, name: KeyName): Grants {
  return {
    publish: speakers.includes(name) ? [subject] : [],
    subscribe: listeners.includes(name) ? [subject] : [],
  };
}

/** The grants of a key, from the part its holder has in `streams`. */
export function grantsOf(name: KeyName, streams: readonly Stream[] = allStreams): Grants {
  const stage = stageNames.find((one) => one === name);
  const parts = [
    ...(stage ? streams.map((stream) => partIn(stream, stage)) : []),
    ...questionsOf(streams).map((question) => partInQuestion(question, name)),
    ...NOTICES.map((notice) => partInNotice(notice, name)),
    partInServices(name, stage),
    SPECIAL[name] ?? NOTHING,
    { publish: [], subscribe: [`${inboxPrefix(name)}.>`] },
  ];
  return {
    publish: [...new Set(parts.flatMap((part) => part.publish))],
    subscribe: [...new Set(parts.flatMap((part) => part.subscribe))],
  };
}

const NOTHING: Grants = { publish: [], subscribe: [] };

/**
 * Answers may go to the inboxes of those who ask and nowhere else. NATS's own allow_responses would grant whatever
 * reply subject a question names: whoever asks could have another publish to the subject that purges a stream.
 */
function partInQuestion({ subject, askers, answerers }: Question, name: KeyName): Grants {
  const answers = answerers.includes(name);
  return {
    publish: [
      ...(askers.includes(name) ? [subject] : []),
      ...(answers ? askers.map((asker) => `${inboxPrefix(asker)}.>`) : []),
    ],
    subscribe: answers ? [subject] : [],
  };
}

function partIn(stream: Stream, stage: StageName): Grants {
  const publish: string[] = [];
  const subscribe: string[] = [];
  if (stream.writers.includes(stage)) {
    // Each holder of a last value has a subject of its own, and may write no other's.
    publish.push(...stream.subjects.map((subject) => (hasDurable(stream) ? subject : subject.replace("*", stage))));
  }
  if (stream.readers.includes(stage) && hasDurable(stream)) {
    publish.push(`$JS.API.CONSUMER.INFO.${stream.name}.${stage}`, `$JS.API.CONSUMER.MSG.NEXT.${stream.name}.${stage}`);
    // What is read from a log is not acknowledged.
    if (stream.retention === "work_queue") publish.push(`$JS.ACK.${stream.name}.${stage}.>`);
  }
  if (stream.readers.includes(stage) && !hasDurable(stream)) {
    // Direct get needs no consumer, so a reader of last values may create none.
    publish.push(...stream.subjects.map((subject) => `$JS.API.DIRECT.GET.${stream.name}.${subject}`));
    subscribe.push(...stream.subjects);
  }
  return { publish, subscribe };
}
