// Tests the grants on a real server: every key can do its work, and is refused everything else.
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { type NatsConnection, PermissionViolationError } from "@nats-io/transport-node";
import {
  ASK_ATTACH_SUBJECT,
  ASK_CONTAINER_SUBJECT,
  ASK_INVENTORY_SUBJECT,
  ASK_RUNNING_SUBJECT,
  ASK_STATUS_SUBJECT,
  askStatuses,
  METADATA_CHANGED_SUBJECT,
  type StageName,
  stageNames,
  streams,
  TAPPED_SUBJECT,
} from "@nightjar/stage";
import test from "ava";
import { grantsOf, type KeyName, keyNames } from "./grants.ts";
import { attach, startBus, type TestBus } from "./testing.ts";

const DATA = [
  "nightjar.raw",
  "nightjar.events",
  "nightjar.facts",
  "nightjar.matches",
  "nightjar.detections.critical",
  "nightjar.indicators",
  "nightjar.verdicts",
  "nightjar.interest.rule-engine",
];
const DURABLES = [
  "RAW.enricher",
  "EVENTS.rule-engine",
  "FACTS.aggregator",
  "MATCHES.rule-engine",
  "DETECTIONS.uplink",
  "INDICATORS.uplink",
  "VERDICTS.aggregator",
];
const LOOK = [
  "$JS.API.INFO",
  "$JS.API.STREAM.LIST",
  "$JS.API.STREAM.INFO.RAW",
  ...DURABLES.map((one) => `$JS.API.CONSUMER.INFO.${one}`),
];
const NAMES = ["$JS.API.STREAM.NAMES", "$JS.API.CONSUMER.LIST.RAW", "$JS.API.CONSUMER.NAMES.RAW"];
const MANAGE = [
  "$JS.API.STREAM.CREATE.NEW",
  "$JS.API.STREAM.UPDATE.RAW",
  "$JS.API.STREAM.PURGE.RAW",
  "$JS.API.CONSUMER.CREATE.RAW",
  "$JS.API.CONSUMER.CREATE.RAW.other",
  "$JS.API.CONSUMER.DURABLE.CREATE.RAW.other",
  "$JS.API.CONSUMER.DELETE.RAW.enricher",
];
const INTEREST_GET = "$JS.API.DIRECT.GET.INTEREST.nightjar.interest.rule-engine";
const LEASE = "nightjar.interest.operator.one";
const SPOKEN = [TAPPED_SUBJECT, METADATA_CHANGED_SUBJECT];
const ASK_SERVICES = ["$SRV.PING", "$SRV.INFO.nightjar-enricher", "$SRV.STATS.nightjar-enricher.x"];
const servedBy = (stage: StageName) => ["$SRV.PING", `$SRV.INFO.nightjar-${stage}`, `$SRV.STATS.nightjar-${stage}.x`];
const inboxOf = (name: KeyName) => `_INBOX.${name}.x`;
const INBOXES = keyNames.map(inboxOf);

/** Every subject that somebody might like to publish to. */
const PUBLISH = [
  ...DATA,
  "nightjar.interest.enricher",
  "nightjar.interest.aggregator",
  LEASE,
  "nightjar.interest.operator",
  TAPPED_SUBJECT,
  METADATA_CHANGED_SUBJECT,
  ASK_CONTAINER_SUBJECT,
  ASK_RUNNING_SUBJECT,
  ASK_INVENTORY_SUBJECT,
  ASK_STATUS_SUBJECT,
  ASK_ATTACH_SUBJECT,
  ...LOOK,
  ...NAMES,
  ...MANAGE,
  INTEREST_GET,
  "$JS.API.STREAM.DELETE.RAW",
  "$JS.API.STREAM.MSG.GET.RAW",
  "$JS.API.STREAM.MSG.DELETE.RAW",
  "$JS.API.DIRECT.GET.RAW.nightjar.raw",
  "$JS.API.STREAM.SNAPSHOT.RAW",
  ...DURABLES.flatMap((one) => [`$JS.API.CONSUMER.MSG.NEXT.${one}`, `$JS.ACK.${one}.1.1.1.1.0`]),
  ...INBOXES,
  ...ASK_SERVICES,
  "$SYS.REQ.SERVER.PING",
  "other",
];
const SUBSCRIBE = [
  ">",
  "nightjar.>",
  ...DATA,
  LEASE,
  TAPPED_SUBJECT,
  METADATA_CHANGED_SUBJECT,
  ASK_CONTAINER_SUBJECT,
  ASK_STATUS_SUBJECT,
  ASK_ATTACH_SUBJECT,
  ...new Set(stageNames.flatMap(servedBy)),
  "_INBOX.>",
  ...INBOXES,
  "$JS.>",
];

const readerOf = (durable: string) => [
  `$JS.API.CONSUMER.INFO.${durable}`,
  `$JS.API.CONSUMER.MSG.NEXT.${durable}`,
  `$JS.ACK.${durable}.1.1.1.1.0`,
  ASK_ATTACH_SUBJECT,
];
const ASKERS = [inboxOf("operator"), inboxOf("listener"), inboxOf("uplink"), inboxOf("collector")];

/** What each key may do of the above. */
const ALLOWED: Record<KeyName, { publish: string[]; subscribe: string[] }> = {
  bus: {
    publish: [...ASKERS, inboxOf("enricher"), inboxOf("rule-engine"), inboxOf("aggregator"), inboxOf("uplink")],
    subscribe: [ASK_STATUS_SUBJECT, ASK_ATTACH_SUBJECT],
  },
  manager: { publish: [...LOOK, ...MANAGE], subscribe: [] },
  collector: {
    publish: ["nightjar.raw", INTEREST_GET, ASK_STATUS_SUBJECT, ...ASKERS],
    subscribe: ["nightjar.interest.rule-engine", LEASE, ASK_STATUS_SUBJECT],
  },
  metadata: {
    publish: [METADATA_CHANGED_SUBJECT, inboxOf("enricher"), ...ASKERS],
    subscribe: [ASK_CONTAINER_SUBJECT, ASK_STATUS_SUBJECT],
  },
  enricher: {
    publish: [
      "nightjar.events",
      "nightjar.facts",
      "nightjar.interest.enricher",
      TAPPED_SUBJECT,
      ASK_CONTAINER_SUBJECT,
      INTEREST_GET,
      ...readerOf("RAW.enricher"),
      ...ASKERS,
      inboxOf("aggregator"),
    ],
    subscribe: ["nightjar.interest.rule-engine", LEASE, METADATA_CHANGED_SUBJECT, ASK_STATUS_SUBJECT],
  },
  "rule-engine": {
    publish: [
      "nightjar.matches",
      "nightjar.detections.critical",
      "nightjar.interest.rule-engine",
      ...readerOf("EVENTS.rule-engine"),
      ...readerOf("MATCHES.rule-engine").filter((subject) => !subject.startsWith("$JS.ACK")),
      ...ASKERS,
    ],
    subscribe: [ASK_STATUS_SUBJECT],
  },
  aggregator: {
    publish: [
      "nightjar.detections.critical",
      "nightjar.indicators",
      "nightjar.interest.aggregator",
      ASK_RUNNING_SUBJECT,
      ...readerOf("FACTS.aggregator"),
      ...readerOf("VERDICTS.aggregator"),
      ...ASKERS,
    ],
    subscribe: [ASK_STATUS_SUBJECT],
  },
  uplink: {
    publish: [
      "nightjar.verdicts",
      ASK_STATUS_SUBJECT,
      ASK_INVENTORY_SUBJECT,
      ...readerOf("DETECTIONS.uplink"),
      ...readerOf("INDICATORS.uplink"),
      ...ASKERS,
    ],
    subscribe: [ASK_STATUS_SUBJECT],
  },
  operator: {
    publish: [
      ASK_STATUS_SUBJECT,
      ASK_CONTAINER_SUBJECT,
      ASK_INVENTORY_SUBJECT,
      ...LOOK,
      ...NAMES,
      ...ASK_SERVICES,
      INTEREST_GET,
      LEASE,
    ],
    subscribe: ["nightjar.>", ...DATA, LEASE, ...SPOKEN, ASK_CONTAINER_SUBJECT, ASK_STATUS_SUBJECT, ASK_ATTACH_SUBJECT],
  },
  listener: {
    publish: [...LOOK, ...NAMES, ...ASK_SERVICES],
    subscribe: ["nightjar.>", ...DATA, LEASE, ...SPOKEN, ASK_CONTAINER_SUBJECT, ASK_STATUS_SUBJECT, ASK_ATTACH_SUBJECT],
  },
};

/** Which of the subjects the server refuses; the payload is one that nothing acts on. */
async function refused(connection: NatsConnection, operation: "publish" | "subscription", subjects: string[]) {
  const found = new Set<string>();
  const following = (async () => {
    for await (const status of connection.status()) {
      if (status.type !== "error" || !(status.error instanceof PermissionViolationError)) continue;
      if (status.error.operation === operation) found.add(status.error.subject);
    }
  })();
  for (const subject of subjects) {
    if (operation === "publish") connection.publish(subject, "{");
    else connection.subscribe(subject, { callback: () => undefined });
  }
  // What the server refuses it says before it answers the ping.
  await connection.flush();
  await connection.close();
  await following;
  return [...found].sort();
}

function without(all: readonly string[], allowed: readonly string[]): string[] {
  return all.filter((subject) => !allowed.includes(subject)).sort();
}

test("each key is refused exactly what it is not granted", async (t) => {
  const bus = await startBus(t);
  for (const name of keyNames) {
    const { publish, subscribe } = ALLOWED[name];
    const publishing = await bus.connect(name);
    t.deepEqual(await refused(publishing, "publish", PUBLISH), without(PUBLISH, publish), `${name} publishes`);
    const subscribing = await bus.connect(name);
    const stage = stageNames.find((one) => one === name);
    const heard = [...subscribe, inboxOf(name), ...(stage ? servedBy(stage) : [])];
    const silent = await refused(subscribing, "subscription", SUBSCRIBE);
    t.deepEqual(silent, without(SUBSCRIBE, heard), `${name} subscribes`);
  }
});

/** Publishes to a stream as its writer, and reads it as its reader does: attach, pull, acknowledge. */
async function passOn(bus: TestBus, writer: StageName, subject: string, stream: string, reader: StageName) {
  const from = await bus.connect(writer);
  const to = await bus.connect(reader);
  await jetstream(from).publish(subject, `from ${writer}`, { msgID: writer });
  const error = await attach(to, reader);
  if (error) throw new Error(error);
  const consumer = await jetstream(to).consumers.get(stream, reader);
  const message = await consumer.next({ expires: 3_000 });
  await message?.ackAck();
  return message?.string();
}

test("each stage does its work with its key", async (t) => {
  const bus = await startBus(t);
  t.is(await passOn(bus, "collector", "nightjar.raw", "RAW", "enricher"), "from collector");
  t.is(await passOn(bus, "enricher", "nightjar.events", "EVENTS", "rule-engine"), "from enricher");
  t.is(await passOn(bus, "enricher", "nightjar.facts", "FACTS", "aggregator"), "from enricher");
  t.is(await passOn(bus, "aggregator", "nightjar.indicators", "INDICATORS", "uplink"), "from aggregator");
  t.is(await passOn(bus, "uplink", "nightjar.verdicts", "VERDICTS", "aggregator"), "from uplink");
  t.is(await passOn(bus, "rule-engine", "nightjar.detections.error", "DETECTIONS", "uplink"), "from rule-engine");
  const ruleEngine = await bus.connect("rule-engine");
  for (const value of ["first", "last"]) await jetstream(ruleEngine).publish("nightjar.interest.rule-engine", value);
  for (const reader of ["collector", "enricher"] as const) {
    const manager = await jetstreamManager(await bus.connect(reader), { checkAPI: false });
    const last = await manager.direct.getMessage("INTEREST", { last_by_subj: "nightjar.interest.rule-engine" });
    t.is(last?.string(), "last");
  }
  for (const asker of ["operator", "uplink"] as const) {
    const statuses = await askStatuses(await bus.connect(asker), 300);
    t.deepEqual(
      statuses.map(({ stage, ready }) => ({ stage, ready })),
      [{ stage: "bus", ready: true }],
    );
  }
});

test("the listener sees streams, consumers and traffic, and disturbs nothing", async (t) => {
  const bus = await startBus(t);
  const listener = await bus.connect("listener");
  const heard: string[] = [];
  listener.subscribe("nightjar.>", { callback: (_, message) => void heard.push(message.string()) });
  await listener.flush();
  t.is(await passOn(bus, "collector", "nightjar.raw", "RAW", "enricher"), "from collector");
  t.true(heard.includes("from collector"));
  const manager = await jetstreamManager(listener);
  const names = (await manager.streams.list().next()).map(({ config }) => config.name);
  t.deepEqual(names.sort(), streams.map(({ name }) => name).sort());
  t.deepEqual(
    (await manager.consumers.list("RAW").next()).map(({ name }) => name),
    ["enricher"],
  );
});

test("a reply subject cannot make the bus or a stage act for another", async (t) => {
  const bus = await startBus(t);
  const collector = await bus.connect("collector");
  await jetstream(collector).publish("nightjar.raw", "kept");
  const operator = await bus.connect("operator");
  const enricher = await bus.connect("enricher");
  // An empty message to this subject deletes the stream, one that is no JSON to the other purges it.
  for (const reply of ["$JS.API.STREAM.DELETE.RAW", "$JS.API.STREAM.PURGE.RAW", "nightjar.raw"]) {
    operator.publish(ASK_STATUS_SUBJECT, "", { reply });
    operator.publish("$SRV.PING", "", { reply });
    enricher.publish(ASK_ATTACH_SUBJECT, "\n\x08enricher", { reply });
  }
  await Promise.all([operator.flush(), enricher.flush()]);
  const status = await bus.status(operator);
  t.is(status.counters.asks_refused, 3n);
  const { state } = await (await jetstreamManager(operator)).streams.info("RAW");
  t.is(state.messages, 1);
});

test("grants follow the table", (t) => {
  const stream = {
    name: "RAW",
    subjects: ["a.*"],
    retention: "work_queue",
    writers: ["uplink"],
    readers: ["collector"],
    diskShare: 1,
  } as const;
  t.true(grantsOf("uplink", [stream]).publish.includes("a.*"));
  t.true(grantsOf("collector", [stream]).publish.includes("$JS.API.CONSUMER.MSG.NEXT.RAW.collector"));
  t.false(grantsOf("enricher", [stream]).publish.includes(ASK_ATTACH_SUBJECT));
});
