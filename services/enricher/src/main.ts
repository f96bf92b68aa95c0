// The stage enricher: RAW to EVENTS and FACTS, each event with its process, the ancestors and the users' names.
import { uptime } from "node:os";
import {
  ASK_PROCESSES_SUBJECT,
  ASK_RUNNING_SUBJECT,
  type CounterName,
  MESSAGE_BYTES_MAX,
  moduleBeside,
  readBootId,
  runStage,
  type Stage,
  streamOf,
  TAPPED_SUBJECT,
} from "@nightjar/stage";
import { CONTAINERS_ELSEWHERE, type ContainerSource } from "./context/containers.ts";
import { askContainers, followChanges } from "./context/metadata.ts";
import { NamespaceUsers } from "./context/namespace-users.ts";
import { NO_CONTEXT } from "./context/nothing.ts";
import { Enricher } from "./enricher.ts";
import { Executables } from "./executables/executables.ts";
import { FactsWriter, LIST_BYTES_MAX } from "./facts.ts";
import { createHandler, type WaitCounts } from "./handle.ts";
import { followWanted, OwnInterest } from "./interest.ts";
import { measure } from "./measure.ts";
import { listPids, namespacesOf, readProcess, scanProcfs } from "./procfs.ts";
import { ProcfsBudget } from "./procfs-budget.ts";
import { enrichRecording } from "./recording.ts";
import { answerRunning } from "./running/answer.ts";
import type { LookedAt } from "./running/look.ts";
import { TREE_LIMITS } from "./tree.ts";
import { UserFiles } from "./users.ts";

/** What the server counts to a message beside its contents: the header with the message id. */
const HEADER_BYTES_MAX = 1_024;
const OUTPUT_BYTES_MAX = MESSAGE_BYTES_MAX - HEADER_BYTES_MAX;
/** Which part of the batches that may be under way may wait for facts to fill a message. */
const FACTS_WAIT_DIVISOR = 4;
/** How often the tree is compared with the processes that run. */
const RECONCILE_MS = 60_000;
/** The first times after the start: who ended between the look into /proc and the first event is seen by that alone. */
const RECONCILE_FIRST_MS = [5_000, 10_000];
/** How often the tree lets go of what exited while no events come, of which each batch makes it let go. */
const SETTLE_IDLE_MS = 5_000;
/** With a longer lag the events of processes that ended meanwhile are still to come: no comparing then. */
const RECONCILE_LAG_MS_MAX = 10_000;

/** Not as a stage, but for a command: a recording in, the same enriched out. */
const RECORDING = "--recording";

/** Nor this: a measurement by its name. */
const MEASURE = "--measure";

if (process.argv[2] === RECORDING) process.exitCode = await enrichRecording();
else if (process.argv[2] === MEASURE) process.exitCode = await measure(process.argv[3]);
else await runStage("enricher", main);

async function main(stage: Stage): Promise<void> {
  const { settings, bus } = stage;
  const users = new NamespaceUsers(new UserFiles(), namespacesOf());
  users.refresh(performance.now());
  const procfs = new ProcfsBudget(
    (pid) => readProcess(pid, "full"),
    () => performance.now(),
  );
  const containers = askContainers(stage);
  const executables = new Executables(moduleBeside(import.meta.url, "worker"), {
    fileBytesMax: settings.enricher.hash_file_bytes_max,
    bytesPerSecond: settings.enricher.hash_bytes_per_s,
  });
  const enricher = new Enricher({
    bootId: readBootId(),
    bootTimeUnixNs: BigInt(Math.round(Date.now() - uptime() * 1_000)) * 1_000_000n,
    lookup: procfs.lookup,
    users,
    context: { containers, executables },
    elsewhere: { ...NO_CONTEXT, containers: CONTAINERS_ELSEWHERE },
    outputBytesMax: OUTPUT_BYTES_MAX - LIST_BYTES_MAX,
    limits: { ...TREE_LIMITS, processes: settings.enricher.processes_max },
  });
  const loadStart = performance.now();
  enricher.load(scanProcfs("brief"));
  stage.log.info("the process tree is read from /proc", {
    processes: enricher.tree.size,
    milliseconds: Math.round(performance.now() - loadStart),
  });
  await bus.connect();
  followChanges(stage, containers);
  const interest = new OwnInterest(stage);
  followWanted(stage, enricher, interest);
  const subject = streamOf("EVENTS").subjects[0] as string;
  const state = { lagMs: 0, takenAt: performance.now(), batchesWaited: 0, batchesWaitedInVain: 0 };
  const handle = createHandler(enricher, {
    publish: ({ bytes, id }) => {
      state.lagMs = Math.max(Date.now() - enricher.lastEventUnixMs, 0);
      return bus.publish("EVENTS", subject, bytes, id);
    },
    facts: factsOf(stage),
    tell: ({ bytes }) => bus.connection.publish(TAPPED_SUBJECT, bytes),
    counts: state,
  });
  bus.answer(ASK_PROCESSES_SUBJECT, () => enricher.snapshot());
  const running = {
    executables,
    tree: enricher.tree,
    describe: (lookedAt: readonly LookedAt[]) => enricher.running(lookedAt),
    bytesMax: OUTPUT_BYTES_MAX,
  };
  bus.answerSlowly(ASK_RUNNING_SUBJECT, (question) => answerRunning(question, running));
  const reported = { enricher, procfs, users, containers, executables, state };
  stage.beforeStatus = reporter(stage, reported);
  bus.consume(
    "RAW",
    (bytes) => {
      state.takenAt = performance.now();
      users.refresh(state.takenAt);
      return handle(bytes);
    },
    { inFlightMax: settings.enricher.in_flight_batches },
  );
  compareWithProcfs(stage, () => {
    if (state.lagMs < RECONCILE_LAG_MS_MAX) enricher.tree.reconcile(new Set(listPids()), enricher.lastEventNs);
    reportHealth(stage, reported);
  });
  const settling = setInterval(() => {
    const idleNs = (performance.now() - state.takenAt) * 1e6;
    enricher.tree.settle(enricher.lastEventNs + idleNs);
  }, SETTLE_IDLE_MS);
  stage.onStop(() => clearInterval(settling));
  stage.onStop(() => executables.close());
  await interest.publish();
  await executables.ready;
  stage.ready();
}

function factsOf({ bus, settings, signal }: Stage): FactsWriter {
  const subject = streamOf("FACTS").subjects[0] as string;
  const facts = new FactsWriter({
    publish: (bytes, id) => bus.publish("FACTS", subject, bytes, id),
    batchesMax: Math.max(1, Math.floor(settings.enricher.in_flight_batches / FACTS_WAIT_DIVISOR)),
    bytesMax: OUTPUT_BYTES_MAX,
  });
  signal.addEventListener("abort", () => facts.flush(), { once: true });
  return facts;
}

function compareWithProcfs(stage: Stage, compare: () => void): void {
  const first = RECONCILE_FIRST_MS.map((milliseconds) => setTimeout(compare, milliseconds));
  const always = setInterval(compare, RECONCILE_MS);
  stage.onStop(() => {
    for (const timer of first) clearTimeout(timer);
    clearInterval(always);
  });
}

interface Reported {
  enricher: Enricher;
  procfs: ProcfsBudget;
  users: NamespaceUsers;
  containers: ContainerSource;
  executables: Executables;
  state: WaitCounts & { lagMs: number };
}

function reportHealth(stage: Stage, { enricher, users, containers, executables }: Reported): void {
  const { evictedAlive } = enricher.tree.counts;
  if (evictedAlive > stage.counters.get("processes_evicted_running")) {
    stage.health.raise("ENRICHMENT_LOST", `${evictedAlive} running processes were evicted from the process tree`);
    stage.counters.set("processes_evicted_running", evictedAlive);
  } else stage.health.resolve("ENRICHMENT_LOST");
  for (const problem of containers.health().problems) stage.log.warn(problem);
  const [unread] = executables.health().problems;
  if (unread === undefined) stage.health.resolve("FILES_UNREAD");
  else stage.health.raise("FILES_UNREAD", unread);
  for (const problem of users.health().problems) stage.log.warn("user names are not up to date", { cause: problem });
}

function reporter(stage: Stage, { enricher, procfs, users, containers, executables, state }: Reported): () => void {
  let eventsBefore = 0;
  let askedAt = performance.now();
  return () => {
    const { counts, tree } = enricher;
    const values: Partial<Record<CounterName, number>> = {
      batches: counts.batches,
      batches_repeated: counts.batchesRepeated,
      events_in: counts.eventsIn,
      events_out: counts.eventsOut,
      events_filtered: counts.eventsFiltered,
      events_tapped: counts.eventsTapped,
      facts: counts.eventsFacts,
      facts_late: counts.eventsLate,
      outputs_split: counts.outputsSplit,
      ancestors_lost: counts.ancestorsLost,
      ranges_forgotten: enricher.processed.forgotten,
      processes: tree.size,
      process_image_bytes: tree.imageBytes,
      unknown_actors: tree.counts.unknownActors,
      header_only_processes: tree.counts.headerOnly,
      exits_missed: tree.counts.exitsMissed,
      ancestors_spliced: tree.counts.ancestorsSpliced,
      processes_evicted: tree.counts.evicted,
      names_of_addresses: enricher.addresses.size,
      names_evicted: enricher.addresses.counts.evicted,
      batches_waited: state.batchesWaited,
      batches_waited_in_vain: state.batchesWaitedInVain,
      containers: containers.size,
      ...containers.health().counts,
      user_files_read: users.counts.reads,
      user_files_unread: users.counts.unread,
      user_files_refused: users.counts.refused,
      user_files_evicted: users.counts.evicted,
      ...executables.health().counts,
      procfs_reads: procfs.reads,
      procfs_reads_refused: procfs.refused,
    };
    for (const [name, value] of Object.entries(values)) stage.counters.set(name as CounterName, value);
    const now = performance.now();
    const perSecond = ((counts.eventsIn - eventsBefore) * 1_000) / Math.max(now - askedAt, 1);
    eventsBefore = counts.eventsIn;
    askedAt = now;
    const figure = (value: number) => Math.round(value).toLocaleString("en");
    stage.summary = `${figure(tree.size)} processes, ${figure(perSecond)} events/s, lag ${figure(state.lagMs)} ms`;
  };
}
