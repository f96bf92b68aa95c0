// Watches the kernel: the probe's batches to RAW, its ledger to the status, the holders' interest to its filters.
import { create } from "@bufbuild/protobuf";
import { sourceIdOf } from "@nightjar/events";
import { type Ledger, type Probe, ProbeError } from "@nightjar/native-probe";
import { LedgerEntrySchema } from "@nightjar/proto";
import { followInterest, pause, readHost, type Stage } from "@nightjar/stage";
import type { Governor } from "./governor/governor.ts";
import { startGovernor } from "./governor/start.ts";
import { applyInterest } from "./interest.ts";
import { drainRetired, openKernel } from "./open.ts";
import { ownProcesses } from "./own-processes.ts";
import { RawPublisher } from "./raw-publisher.ts";
import { followRing } from "./ring-size.ts";

/** A kernel that was built without a part has nothing of it to see. */
const ABSENT = "ENOENT";
const STATUSES_REFRESH_MS = 1_000;
const STATUSES_WAIT_MS = 500;
/** How long a stop waits for the bus to store what was read last. What it does not store stays in a pinned ring. */
const LEAVE_MS_MAX = 2_000;
/** Opens the probe and goes on from where the collector before it was; batches are published. Throws ProbeError. */
export async function watchKernel(stage: Stage): Promise<void> {
  let publisher: RawPublisher | undefined;
  const opened = openKernel(stage, (bytes, firstPosition, nextPosition, events) => {
    publisher?.publish({ bytes, firstPosition, nextPosition, events });
  });
  const { probe } = opened;
  const source = sourceIdOf(probe.bootId, probe.epoch);
  publisher = new RawPublisher(stage, source, (position) => probe.release(position));
  endInOrder(stage, opened, publisher);
  reportAttachments(stage, probe);
  const governor = startGovernor(stage, probe);
  followStages(stage, probe, governor);
  probe.setFoldWindow(stage.settings.collector.fold_window_s);
  followInterest(stage, (holders) => {
    applyInterest(stage, probe, holders);
    governor?.setHolders(holders);
  });
  stage.facts.set("source", source);
  stage.host = readHost();
  const ofOthers = opened.retired.length > 0 ? await drainRetired(stage, opened) : [];
  if (stage.signal.aborted) return;
  probe.start();
  followRing(stage, probe, source);
  watchReader(stage, probe, publisher);
  stage.beforeStatus = () => report(stage, probe, publisher, ofOthers);
}

/** A pinned probe goes on without this process: only what it holds by now is handed over. */
function endInOrder(
  stage: Stage,
  { probe, isPinned }: { probe: Probe; isPinned: boolean },
  publisher: RawPublisher,
): void {
  stage.onStop(async () => {
    const { unreadBytes } = isPinned ? await probe.leave() : await probe.stop();
    const stored = publisher.fewerThan(1).then(() => true);
    const inTime = await Promise.race([stored, pause(LEAVE_MS_MAX).then(() => false)]);
    if (unreadBytes > 0 || !inTime)
      stage.log.error("the bus did not take all that was in the ring", {
        bytes: unreadBytes,
        batches: publisher.pending,
      });
    probe.close();
  });
}

/** The reader is a thread of its own: what it leaves unread while the bus has all it was given shows a hang. */
function watchReader(stage: Stage, probe: Probe, publisher: RawPublisher): void {
  let storedBefore = publisher.stored;
  stage.progress.check(() => {
    const { stored, pending } = publisher;
    const hasMoved = stored !== storedBefore;
    storedBefore = stored;
    return hasMoved || pending > 0 || probe.ringUsed() === 0;
  });
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

/** Which processes are the sensor's, and how its stages are. */
function followStages(stage: Stage, probe: Probe, governor: Governor | undefined): void {
  let asking = false;
  const refresh = async () => {
    if (asking || stage.signal.aborted) return;
    asking = true;
    try {
      const statuses = await stage.bus.askStatuses(STATUSES_WAIT_MS);
      governor?.hear(statuses);
      probe.setOwnProcesses(ownProcesses(statuses, stage.stateDir));
    } catch (error) {
      stage.log.debug("the stages cannot be asked now", { error: error as Error });
    } finally {
      asking = false;
    }
  };
  void refresh();
  const timer = setInterval(() => void refresh(), STATUSES_REFRESH_MS);
  stage.onStop(() => clearInterval(timer));
}

/** `ofOthers` are the counters of rings that this collector has drained: their last events went out with its own. */
function report(stage: Stage, probe: Probe, publisher: RawPublisher, ofOthers: readonly Ledger[]): void {
  const ledger = sumByType([...probe.ledger(), ...ofOthers]);
  stage.ledger = ledger.map(({ type, seen, filtered, governed, folded, submitted, drops }) =>
    create(LedgerEntrySchema, {
      type,
      seen,
      filtered,
      governed,
      folded,
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

function sumByType(rows: readonly Ledger[]): Ledger[] {
  const sums = new Map<number, Ledger>();
  for (const row of rows) {
    const sum = sums.get(row.type);
    if (!sum) {
      sums.set(row.type, { ...row, drops: new Map(row.drops) });
      continue;
    }
    for (const name of ["seen", "filtered", "governed", "folded", "submitted"] as const) sum[name] += row[name];
    for (const [reason, count] of row.drops) sum.drops.set(reason, (sum.drops.get(reason) ?? 0n) + count);
  }
  return [...sums.values()];
}

/** What a person who may not load eBPF here should read. */
export function explain(error: unknown): { message: string; fields: Record<string, unknown> } {
  if (!(error instanceof ProbeError)) throw error;
  const { message, code, errno, cause, hints } = error;
  return { message, fields: { code, errno, cause, hints } };
}
