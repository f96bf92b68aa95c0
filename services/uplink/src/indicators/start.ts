// Look-ups in the stage: INDICATORS in, questions to the portal, VERDICTS out, and what is forgotten when.
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { parseIndicator } from "@nightjar/indicators";
import {
  Disposition,
  type IndicatorBatch,
  IndicatorBatchSchema,
  IntelService,
  type Verdict,
  VerdictBatchSchema,
  VerdictSchema,
} from "@nightjar/proto";
import { Backoff, describeError, GarbageError, pause, type Stage, streamOf } from "@nightjar/stage";
import type { Parts } from "../detections.ts";
import {
  CONTACT_STEP_MS,
  DISK_RETRY_MS,
  INDICATORS_SWEEP_MS,
  INDICATORS_TRIM_MS,
  VERDICTS_BYTES_MAX,
} from "../limits.ts";
import { backoffOptions, crash } from "../retries.ts";
import { CurrentFilter } from "./filter.ts";
import { watchFilterFile } from "./filter-file.ts";
import { LookUps } from "./look-ups.ts";
import { LookUpStore } from "./store.ts";
import { sweep } from "./sweep.ts";

const MS_PER_S = 1_000;
const MS_PER_H = 60 * 60 * MS_PER_S;
const SUBJECT = streamOf("VERDICTS").subjects[0] as string;

export interface HostIndicators {
  /** Takes in a message of INDICATORS; resolves when what is known is on the bus and the rest on the disk. */
  take: (bytes: Uint8Array) => Promise<void>;
  /** A bundle of content brought this filter; "" when it brought none. The settings' file goes before it. */
  useFilter: (file: string) => void;
  /** The portal answered, and told its change counter. */
  heard: (generation: bigint) => void;
  /** Brings counters and facts up to date. */
  report: () => void;
}

/** For after the connection to the bus. Asks at once for what an earlier process left. */
export async function startIndicators(stage: Stage, parts: Parts): Promise<HostIndicators> {
  const { counters, facts, log, signal } = stage;
  const store = await openStore(stage);
  const filter = new CurrentFilter();
  const lookUps = makeLookUps(stage, parts, { store, filter });
  const loops = [lookUps.ask(signal), lookUps.follow(signal)];
  for (const loop of loops) loop.catch(crash);
  let bundled = "";
  const fileNow = () => stage.settings.uplink.indicator_filter_file || bundled;
  const watch = watchFilterFile(stage, fileNow, (next) => {
    filter.use(next);
    lookUps.filterChanged();
  });
  const stopSweeping = sweepAtIntervals(stage, store);
  stage.onStop(async () => {
    watch.stop();
    stopSweeping();
    await Promise.all(loops);
    await store.close();
  });
  return {
    take: (bytes) => take(stage, { store, filter }, bytes),
    useFilter: (file) => {
      bundled = file;
      watch.look();
    },
    heard: (generation) => {
      lookUps.heard(generation);
      if (Math.abs(Date.now() - store.contactAtMs) < CONTACT_STEP_MS) return;
      stage.health.resolve("INDICATORS_PURGED");
      store.setContact().catch((error) => log.warn("it cannot be noted that the portal was heard", { error }));
    },
    report: () => {
      counters.set("indicators_waiting", store.waiting);
      counters.set("indicators_remembered", store.entries);
      if (store.generation !== undefined) facts.set("indicator_generation", String(store.generation));
    },
  };
}

interface Memory {
  store: LookUpStore;
  filter: CurrentFilter;
}

function openStore(stage: Stage): Promise<LookUpStore> {
  const { uplink } = stage.settings;
  return LookUpStore.open(join(stage.folder, "indicators"), {
    ttl: {
      knownMs: uplink.indicator_known_ttl_s * MS_PER_S,
      unknownMs: uplink.indicator_unknown_ttl_s * MS_PER_S,
    },
    clock: Date.now,
    broken: (error) => {
      stage.counters.add("indicator_memories_broken");
      stage.log.error("the memory of look-ups cannot be read and is begun anew", { error: describeError(error) });
    },
  });
}

function makeLookUps(stage: Stage, { client, link }: Parts, memory: Memory): LookUps {
  const { counters, settings, signal } = stage;
  return new LookUps({
    ...memory,
    lookUp: (indicators) => client.call(IntelService, (intel, options) => intel.lookUp({ indicators }, options)),
    listChanges: (after) => client.call(IntelService, (intel, options) => intel.listChanges({ after }, options)),
    publish: (verdicts, number) => publish(stage, verdicts, `${number}`),
    backoff: () => new Backoff(backoffOptions(settings.uplink)),
    wait: (ms) => link.wait(ms, signal),
    answered: (verdicts) => {
      counters.add("indicators_asked", verdicts.length);
      const listed = verdicts.filter(({ disposition }) => disposition > Disposition.UNKNOWN).length;
      counters.add("indicators_listed", listed);
      stage.health.resolve("DISK_FULL");
      link.up();
    },
    failed: (failure) => link.down(failure),
    refused: (error) => diskRefused(stage, error),
  });
}

/** The disk is full, mostly; whoever waits for this tries again. */
async function diskRefused({ health, progress, signal }: Stage, error: unknown): Promise<void> {
  progress.advance();
  health.raise("DISK_FULL", `the memory of look-ups cannot be written: ${describeError(error)}`);
  await pause(DISK_RETRY_MS, signal);
}

let settledMessages = 0;

async function take(stage: Stage, { store, filter }: Memory, bytes: Uint8Array): Promise<void> {
  let batch: IndicatorBatch;
  try {
    batch = fromBinary(IndicatorBatchSchema, bytes);
  } catch (error) {
    throw new GarbageError(`no IndicatorBatch: ${describeError(error)}`);
  }
  const indicators = batch.indicators
    .map(({ kind, value }) => parseIndicator(kind, value))
    .filter((indicator) => indicator !== undefined);
  let settled: Verdict[] | undefined;
  while (!settled && !stage.signal.aborted) {
    try {
      settled = await store.take(indicators, (hash) => filter.isUnknown(hash));
    } catch (error) {
      await diskRefused(stage, error);
    }
  }
  // Not acknowledged: it comes again in the next life.
  if (!settled) return await new Promise<never>(() => {});
  await publish(stage, settled, `settled-${stage.instance}-${settledMessages++}`);
  stage.counters.add("indicators_in", batch.indicators.length);
  stage.counters.add("indicators_settled", settled.length);
  stage.counters.add("indicators_refused", batch.indicators.length - indicators.length);
}

/** Resolves when the bus has stored all of them; `name` is another one for each call, and the same in each life. */
async function publish(stage: Stage, verdicts: readonly Verdict[], name: string): Promise<void> {
  const messages: Promise<void>[] = [];
  let part: Verdict[] = [];
  let bytes = 0;
  const send = () => {
    const encoded = toBinary(VerdictBatchSchema, create(VerdictBatchSchema, { verdicts: part }));
    messages.push(stage.bus.publish("VERDICTS", SUBJECT, encoded, `verdicts-${name}-${messages.length}`));
    [part, bytes] = [[], 0];
  };
  for (const verdict of verdicts) {
    const size = toBinary(VerdictSchema, verdict).length;
    if (part.length > 0 && bytes + size > VERDICTS_BYTES_MAX) send();
    part.push(verdict);
    bytes += size;
  }
  if (part.length > 0) send();
  await Promise.all(messages);
}

/** Forgets at intervals what is stale; returns what ends that. */
function sweepAtIntervals(stage: Stage, store: LookUpStore): () => void {
  const { bus, counters, health, log, settings } = stage;
  const { stale_after_h: hours, indicator_remembered_h, indicators_remembered_max } = settings.uplink;
  const options = {
    store,
    staleMs: hours * MS_PER_H,
    clock: Date.now,
    purged: (contactAtMs: number) => {
      const message = toBinary(VerdictBatchSchema, create(VerdictBatchSchema, { purged: true }));
      return bus.publish("VERDICTS", SUBJECT, message, `purged-${contactAtMs}`);
    },
    told: (count: number) => {
      counters.add("indicators_purged", count);
      health.raise("INDICATORS_PURGED", `${count} indicators were deleted: no answer for ${hours} hours`);
    },
  };
  const trim = async () => {
    const before = Date.now() - indicator_remembered_h * MS_PER_H;
    counters.add("indicators_forgotten", await store.deleteSeenBefore(before, indicators_remembered_max));
  };
  const guarded = (work: () => Promise<void>) => () =>
    void work().catch((error) => log.error("the memory of look-ups cannot be looked through", { error }));
  const timers = [
    setInterval(
      guarded(() => sweep(options)),
      INDICATORS_SWEEP_MS,
    ),
    setInterval(guarded(trim), INDICATORS_TRIM_MS),
  ];
  guarded(() => sweep(options))();
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
