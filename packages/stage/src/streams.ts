// The bus's streams: who writes, who reads, how long things stay. ARCHITECTURE.md shows this table, which a test holds
// to it.

export const stageNames = ["bus", "collector", "metadata", "enricher", "rule-engine", "aggregator", "uplink"] as const;
export type StageName = (typeof stageNames)[number];

/** Those that hold a key without being a stage: the command line, and the listener that may only listen. */
export const clientNames = ["operator", "listener"] as const;
export type ClientName = (typeof clientNames)[number];

export type StreamName =
  | "RAW"
  | "EVENTS"
  | "FACTS"
  | "MATCHES"
  | "DETECTIONS"
  | "INDICATORS"
  | "VERDICTS"
  | "INVENTORY"
  | "INTEREST"
  | "CONTENT";

export interface Stream {
  name: StreamName;
  /** The subjects it takes, as NATS filters. */
  subjects: readonly string[];
  /**
   * "work_queue": what is acknowledged is gone. "log": all stays for as long as its reader asked when it attached, the
   * oldest go first where there is no room. "last_value": the last message of each subject stays.
   */
  retention: "work_queue" | "log" | "last_value";
  /** Of a queue that never holds its writer back: where there is no room the oldest go, and its reader counts them. */
  oldestGo?: true;
  writers: readonly StageName[];
  /** Of a queue or log its one reader, whose durable consumer has the reader's name; of last values all who read. */
  readers: readonly StageName[];
  /** Its part of the bus's disk budget, in percent. */
  diskShare: number;
}

export const streams: readonly Stream[] = [
  {
    name: "RAW",
    subjects: ["nightjar.raw"],
    retention: "work_queue",
    writers: ["collector"],
    readers: ["enricher"],
    diskShare: 35,
  },
  {
    name: "EVENTS",
    subjects: ["nightjar.events"],
    retention: "work_queue",
    writers: ["enricher"],
    readers: ["rule-engine"],
    diskShare: 35,
  },
  {
    name: "FACTS",
    subjects: ["nightjar.facts"],
    retention: "work_queue",
    oldestGo: true,
    writers: ["enricher"],
    readers: ["aggregator"],
    diskShare: 5,
  },
  {
    name: "MATCHES",
    subjects: ["nightjar.matches"],
    retention: "log",
    writers: ["rule-engine"],
    readers: ["rule-engine"],
    diskShare: 5,
  },
  {
    name: "DETECTIONS",
    subjects: ["nightjar.detections.*"],
    retention: "work_queue",
    writers: ["rule-engine", "aggregator"],
    readers: ["uplink"],
    diskShare: 12,
  },
  {
    name: "INDICATORS",
    subjects: ["nightjar.indicators"],
    retention: "work_queue",
    writers: ["aggregator"],
    readers: ["uplink"],
    diskShare: 2,
  },
  {
    name: "VERDICTS",
    subjects: ["nightjar.verdicts"],
    retention: "work_queue",
    writers: ["uplink"],
    readers: ["aggregator"],
    diskShare: 2,
  },
  {
    name: "INVENTORY",
    subjects: ["nightjar.inventory"],
    retention: "work_queue",
    writers: ["aggregator"],
    readers: ["uplink"],
    diskShare: 2,
  },
  {
    name: "INTEREST",
    subjects: ["nightjar.interest.*"],
    retention: "last_value",
    writers: ["rule-engine", "enricher", "aggregator"],
    readers: ["enricher", "collector"],
    diskShare: 1,
  },
  {
    name: "CONTENT",
    subjects: ["nightjar.content.*"],
    retention: "last_value",
    writers: ["uplink"],
    readers: ["rule-engine"],
    diskShare: 1,
  },
];

export function streamOf(name: StreamName): Stream {
  const stream = streams.find((one) => one.name === name);
  if (!stream) throw new Error(`no stream ${name}`);
  return stream;
}

/** As `nats micro` lists a stage. */
export function serviceName(stage: StageName): string {
  return `nightjar-${stage}`;
}

/** Every stage answers here with a StageStatus. */
export const ASK_STATUS_SUBJECT = "nightjar.ask.status";
/** The bus makes a stage's durables anew: AttachRequest, AttachResponse. */
export const ASK_ATTACH_SUBJECT = "nightjar.ask.attach";

/** The enricher answers with the processes it knows, in batches without events; an empty message ends them. */
export const ASK_PROCESSES_SUBJECT = "nightjar.ask.processes";

/** The enricher answers the aggregator with what runs: RunningRequest, Running, several; an empty message ends them. */
export const ASK_RUNNING_SUBJECT = "nightjar.ask.running";

/** The aggregator answers with its inventory: InventoryRequest, InventoryDelta, several; an empty message ends them. */
export const ASK_INVENTORY_SUBJECT = "nightjar.ask.inventory";

/** The uplink sends a test detection by an output: OutputTestRequest, OutputTestResponse. */
export const ASK_OUTPUT_TEST_SUBJECT = "nightjar.ask.output_test";

/** The uplink asks the rule engine whether it can work with a bundle: TryContentRequest, TryContentResponse. */
export const ASK_CONTENT_SUBJECT = "nightjar.ask.content";

/** Asked of the stage metadata, by who meets a container: ContainerRequest, ContainerResponse. */
export const ASK_CONTAINER_SUBJECT = "nightjar.ask.container";
/** Of what has been asked something else is known now: Changed. */
export const METADATA_CHANGED_SUBJECT = "nightjar.metadata.changed";

/**
 * Whoever is no stage and wants events leases its interest here, under a name of its own for the wildcard: it is said
 * again before the lease is over, and kept nowhere.
 */
export const LEASED_INTEREST_SUBJECT = "nightjar.interest.operator.*";
/** Events that only leased interests want, enriched, for who listens: kept nowhere. */
export const TAPPED_SUBJECT = "nightjar.tapped";

/** Where the server begins to give a message again that was not acknowledged. */
export const ACK_WAIT_MS = 20_000;
/** The most messages a reader may hold without acknowledging them. */
export const ACK_PENDING_MAX = 256;
/** The bus's largest message; an output above it is split. */
export const MESSAGE_BYTES_MAX = 1024 * 1024;
