// Watches the kernel: the probe's batches to RAW, its ledger to the status, the rules' interest to its filters.
import { create } from "@bufbuild/protobuf";
import { sourceIdOf } from "@nightjar/events";
import { openProbe, type Probe, ProbeError } from "@nightjar/native-probe";
import { EVERY_CLASS, eventTypeName, eventTypes, LedgerEntrySchema, wholeType } from "@nightjar/proto";
import { followInterest, type Stage, type Wanted } from "@nightjar/stage";
import { ownProcesses } from "./own-processes.ts";
import { RawPublisher } from "./raw-publisher.ts";

/** A kernel that was built without a part has nothing of it to see. */
const ABSENT = "ENOENT";
const OWN_PROCESSES_REFRESH_MS = 1_000;
/** What the enricher follows processes by, whatever the rules want. */
const ALWAYS_WANTED = new Set(["exec", "fork", "exit"]);

/** Loads the probe and attaches it; batches are published as soon as it returns. Throws ProbeError. */
export function watchKernel(stage: Stage): void {
  const { ring_bytes, in_flight_batches } = stage.settings.collector;
  let publisher: RawPublisher | undefined;
  const probe = openProbe({
    ringBytes: ring_bytes,
    batchesInFlightMax: in_flight_batches,
    onBatch: (bytes, firstPosition, nextPosition, events) => {
      publisher?.publish({ bytes, firstPosition, nextPosition, events });
    },
    onError: (error) => {
      throw error;
    },
  });
  const source = sourceIdOf(probe.bootId, probe.epoch);
  publisher = new RawPublisher(stage, source, (position) => probe.release(position));
  stage.onStop(async () => {
    const { unreadBytes } = await probe.stop();
    if (unreadBytes > 0) stage.log.error("the bus did not take all that was in the ring", { bytes: unreadBytes });
  });
  reportAttachments(stage, probe);
  // All passes until the rules' interest is known.
  followInterest(stage, (wanted) => applyInterest(stage, probe, wanted));
  keepOwnProcesses(stage, probe);
  stage.facts.set("source", source);
  stage.beforeStatus = () => report(stage, probe, publisher);
}

/** What nobody wants is only counted in the kernel, if at all. */
function applyInterest(stage: Stage, probe: Probe, wanted: Wanted): void {
  const known = [...wanted].filter(([id]) => eventTypes.some((type) => type.id === id));
  const always = eventTypes.filter(({ name }) => ALWAYS_WANTED.has(name));
  const all = new Map([...known, ...always.map(({ id }) => [id, wholeType(id)] as const)]);
  const { widened } = probe.setInterest(all);
  const narrowed = [...all.values()].filter(({ eventType, everything }) => {
    return everything !== EVERY_CLASS && !widened.includes(eventType);
  });
  stage.facts.set("wanted", [...all.keys()].map(eventTypeName).join(", "));
  stage.facts.set("narrowed", narrowed.map(({ eventType }) => eventTypeName(eventType)).join(", "));
  const names = widened.map(eventTypeName).join(", ");
  if (widened.length === 0) stage.health.resolve("FILTERS_WIDENED");
  else
    stage.health.raise("FILTERS_WIDENED", `everything is taken of ${names}: the kernel has no room for their filters`);
}

function reportAttachments(stage: Stage, probe: Probe): void {
  const refused = probe.attachments.filter(({ attached, code }) => !attached && code !== ABSENT);
  for (const { program, point, attached, code } of probe.attachments) {
    const why = code === ABSENT ? "not in this kernel" : `refused: ${code}`;
    stage.facts.set(`attachment.${program}`, attached ? point : why);
  }
  if (refused.length === 0) return;
  const list = refused.map(({ program, point, code }) => `${program} (${point}: ${code})`).join(", ");
  stage.health.raise("PROBE_PARTIAL", `the kernel refused ${list}`);
}

function keepOwnProcesses(stage: Stage, probe: Probe): void {
  let asking = false;
  const refresh = async () => {
    if (asking || stage.signal.aborted) return;
    asking = true;
    try {
      probe.setOwnProcesses(await ownProcesses(stage));
    } catch (error) {
      stage.log.debug("the stages cannot be asked now", { error: error as Error });
    } finally {
      asking = false;
    }
  };
  void refresh();
  const timer = setInterval(() => void refresh(), OWN_PROCESSES_REFRESH_MS);
  stage.onStop(() => clearInterval(timer));
}

function report(stage: Stage, probe: Probe, publisher: RawPublisher): void {
  const ledger = probe.ledger();
  stage.ledger = ledger.map(({ type, seen, filtered, submitted, drops }) =>
    create(LedgerEntrySchema, {
      type,
      seen,
      filtered,
      submitted,
      drops: [...drops].map(([reason, count]) => ({ reason, count })),
    }),
  );
  const dropped = ledger.flatMap(({ drops }) => [...drops.values()]).reduce((sum, count) => sum + count, 0n);
  if (dropped > 0n) stage.health.raise("EVENTS_DROPPED", `${dropped} events were dropped in the kernel`);
  stage.counters.set("ring_bytes", probe.ringBytes);
  stage.counters.set("ring_used_bytes", probe.ringUsed());
  stage.counters.set("batches_pending", publisher.pending);
  stage.facts.set("stored", String(publisher.stored));
  stage.summary = `${stage.counters.get("events_published")} events published, ${dropped} dropped`;
}

/** What a person who may not load eBPF here should read. */
export function explain(error: unknown): { message: string; fields: Record<string, unknown> } {
  if (!(error instanceof ProbeError)) throw error;
  const { message, code, errno, cause, hints } = error;
  return { message, fields: { code, errno, cause, hints } };
}
