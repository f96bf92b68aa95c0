// The inventory on its way: from the bus to the disk, without secrets, and on to the portal within its budget.
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  type InventoryDelta,
  InventoryDeltaSchema,
  InventoryRequestSchema,
  InventoryService,
  type SendInventoryResponse,
} from "@nightjar/proto";
import { redactMessage } from "@nightjar/redact";
import { ASK_INVENTORY_SUBJECT, Backoff, describeError, GarbageError, pause, type Stage } from "@nightjar/stage";
import type { Parts } from "../detections.ts";
import { EgressBudget } from "../egress.ts";
import { failureOf } from "../failure.ts";
import { DISK_RETRY_MS } from "../limits.ts";
import { backoffOptions, crash } from "../retries.ts";
import { InventoryQueue } from "./queue.ts";

/** How long the hour's budget is waited for before it is looked at again. */
const BUDGET_LOOK_MS = 10_000;
/** The aggregator may not be there when it is asked for a snapshot. */
const ASK_TIMEOUT_MS = 5_000;
const ASK_RETRY_MS = 5_000;

export interface HostInventory {
  /** Takes in a message of INVENTORY; resolves when it is on the disk. */
  take: (bytes: Uint8Array) => Promise<void>;
  report: () => void;
}

/** For after the connection to the bus. Sends what an earlier process left. */
export function startInventory(stage: Stage, parts: Parts): HostInventory {
  const queue = new InventoryQueue(join(stage.folder, "inventory"));
  const sending = send(stage, parts, queue);
  sending.catch(crash);
  stage.onStop(() => sending);
  return {
    take: (bytes) => take(stage, queue, bytes),
    report: () => {
      stage.counters.set("inventory_waiting", queue.length);
      stage.counters.set("inventory_waiting_bytes", queue.bytes);
    },
  };
}

async function take(stage: Stage, queue: InventoryQueue, bytes: Uint8Array): Promise<void> {
  const delta = deltaIn(bytes);
  redactMessage(stage.redactor, InventoryDeltaSchema, delta);
  const redacted = toBinary(InventoryDeltaSchema, delta);
  for (;;) {
    try {
      if (!queue.add(redacted)) {
        stage.counters.add("inventory_folded");
        void askSnapshot(stage);
      }
      return;
    } catch (error) {
      stage.health.raise("DISK_FULL", `the inventory cannot be kept: ${describeError(error)}`);
      await pause(DISK_RETRY_MS, stage.signal);
      // Not acknowledged: it comes again in the next life.
      if (stage.signal.aborted) return await new Promise<never>(() => {});
    }
  }
}

function deltaIn(bytes: Uint8Array): InventoryDelta {
  try {
    return fromBinary(InventoryDeltaSchema, bytes);
  } catch (error) {
    throw new GarbageError(`no InventoryDelta: ${describeError(error)}`);
  }
}

/** Runs until the stage stops. */
async function send(stage: Stage, parts: Parts, queue: InventoryQueue): Promise<void> {
  const { settings, signal, counters } = stage;
  const { link } = parts;
  const backoff = new Backoff(backoffOptions(settings.uplink));
  link.onReturn(() => backoff.reset());
  const budget = new EgressBudget({
    bytesPerHour: settings.uplink.egress_inventory_bytes_per_h,
    clock: () => performance.now(),
  });
  while (!signal.aborted) {
    await queue.waitForParts(signal);
    const bytes = signal.aborted ? undefined : queue.first();
    if (!bytes) continue;
    if (!budget.take(bytes.length)) {
      counters.add("inventory_held_back");
      await pause(BUDGET_LOOK_MS, signal);
      continue;
    }
    const outcome = await call(parts, deltaIn(bytes));
    if (signal.aborted) return;
    if ("failure" in outcome && !outcome.isRefused) {
      link.down(outcome.failure);
      await link.wait(backoff.next(), signal);
      continue;
    }
    backoff.reset();
    await settle(stage, parts, queue, outcome);
  }
}

type Outcome = { answer: SendInventoryResponse } | { failure: ReturnType<typeof failureOf>; isRefused: boolean };

async function call({ id, client }: Parts, delta: InventoryDelta): Promise<Outcome> {
  try {
    const request = { sensorId: id, delta };
    return { answer: await client.call(InventoryService, (portal, options) => portal.sendInventory(request, options)) };
  } catch (error) {
    const failure = failureOf(error);
    const isRefused = failure.cause instanceof ConnectError && failure.cause.code === Code.InvalidArgument;
    return { failure, isRefused };
  }
}

/** The portal has answered: the part is done with, and where it did not fit all that waits is. */
async function settle(stage: Stage, { link }: Parts, queue: InventoryQueue, outcome: Outcome): Promise<void> {
  link.up();
  if ("answer" in outcome && !outcome.answer.wantsSnapshot) {
    queue.removeFirst();
    stage.counters.add("inventory_parts_sent");
    return;
  }
  if ("failure" in outcome) {
    stage.counters.add("inventory_refused");
    stage.log.error("the portal refused a part of the inventory", { resp: outcome.failure.resp });
    queue.removeFirst();
    return;
  }
  stage.counters.add("inventory_snapshots_wanted");
  queue.clear();
  await askSnapshot(stage);
}

/** Asks the aggregator to tell everything; tried until it is heard. */
async function askSnapshot({ bus, signal, log }: Stage): Promise<void> {
  const request = toBinary(InventoryRequestSchema, create(InventoryRequestSchema, { publishSnapshot: true }));
  while (!signal.aborted) {
    try {
      await bus.connection.request(ASK_INVENTORY_SUBJECT, request, { timeout: ASK_TIMEOUT_MS });
      return;
    } catch (error) {
      log.debug("the aggregator does not answer yet", { error: error as Error });
    }
    await pause(ASK_RETRY_MS, signal);
  }
}
