// Puts the inventory between FACTS, the enricher's answers, INVENTORY and the disk.
import { readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  InventoryDeltaSchema,
  InventoryItemSchema,
  type InventoryRequest,
  InventoryRequestSchema,
  RootItemSchema,
} from "@nightjar/proto";
import { ASK_INVENTORY_SUBJECT, ASK_RUNNING_SUBJECT, describeError, type Stage, streamOf } from "@nightjar/stage";
import { deltaOf } from "./deltas.ts";
import { writeExport } from "./export-file.ts";
import { type ItemKind, itemId } from "./identity.ts";
import { Inventory } from "./inventory.ts";
import { InstalledPackages } from "./packages.ts";
import { InventoryPublisher } from "./publisher.ts";
import { InventoryStore } from "./store.ts";
import { TICK_MS } from "./watch.ts";

const MS_PER_S = 1_000;
const MS_PER_H = 3_600_000;
/** How often what changed is written: so much is lost with the process. */
const SETTLE_MS = 1_000;
/** An enricher with 10,000 processes answers within some seconds. */
const ANSWER_WAIT_MS = 60_000;
/** How often it is looked whether other packages are installed. */
const PACKAGES_MS = 10_000;
/** The first file is there soon. */
const FIRST_EXPORT_MS = 20_000;

export interface RunningInventory {
  inventory: Inventory;
  /** Brings the counters up to date. */
  report: () => void;
}

/** For after the connection to the bus. Resolves when what was kept is read. */
export async function startInventory(stage: Stage): Promise<RunningInventory> {
  const { health, log } = stage;
  const { store, start, publishedRevision, broken } = await InventoryStore.open(join(stage.folder, "inventory"));
  if (broken) health.raise("INVENTORY_BROKEN", `what was kept of the inventory could not be read; it is in ${broken}`);
  log.info("what was kept of the inventory is read", { items: start.entries.length });
  const inventory = new Inventory(worldOf(stage, store), optionsOf(stage), start, publishedRevision);
  seeHost(inventory);
  const publisher = publisherOf(stage, inventory);
  serve(stage, inventory, publisher);
  const stop = runAtIntervals(stage, inventory, publisher);
  stage.onStop(async () => {
    stop();
    await inventory.settle();
    await store.close();
  });
  return { inventory, report: () => report(stage, inventory, publisher) };
}

function worldOf({ bus, health }: Stage, store: InventoryStore): ConstructorParameters<typeof Inventory>[0] {
  return {
    ask: (question) => bus.askSlowly(ASK_RUNNING_SUBJECT, question, ANSWER_WAIT_MS),
    commit: (settled, meta) => store.commit(settled, meta),
    stored: (error?: unknown) => {
      if (error === undefined) health.resolve("INVENTORY_UNSTORED");
      else health.raise("INVENTORY_UNSTORED", describeError(error));
    },
    unanswered: (error?: unknown) => {
      if (error === undefined) health.resolve("INVENTORY_UNANSWERED");
      else health.raise("INVENTORY_UNANSWERED", describeError(error));
    },
    now: Date.now,
    elapsed: () => performance.now(),
  };
}

function optionsOf({ settings }: Stage): ConstructorParameters<typeof Inventory>[1] {
  const { aggregator } = settings;
  return {
    itemsMax: aggregator.inventory_items_max,
    keptMs: aggregator.inventory_kept_h * MS_PER_H,
    sweepMs: aggregator.inventory_sweep_s * MS_PER_S,
    settledMs: aggregator.inventory_settled_s * MS_PER_S,
    hostNetworkNamespace: ownNetworkNamespace(),
  };
}

function publisherOf({ bus, settings }: Stage, inventory: Inventory): InventoryPublisher {
  const subject = streamOf("INVENTORY").subjects[0] as string;
  return new InventoryPublisher({
    inventory,
    publish: (bytes, messageId) => bus.publish("INVENTORY", subject, bytes, messageId),
    intervalMs: settings.aggregator.inventory_interval_s * MS_PER_S,
    now: Date.now,
    elapsed: () => performance.now(),
  });
}

/** The names of kinds by their numbers in InventoryItem.what. */
const KINDS: ReadonlyMap<number, ItemKind> = new Map(
  InventoryItemSchema.oneofs.flatMap(({ fields }) =>
    fields.map(({ number, localName }) => [number, localName as ItemKind] as const),
  ),
);

function serve({ bus }: Stage, inventory: Inventory, publisher: InventoryPublisher): void {
  bus.answerSlowly(ASK_INVENTORY_SUBJECT, async function* (question) {
    const { fromRevision, epoch, kinds, publishSnapshot } = requestOf(question);
    if (publishSnapshot) return publisher.wantSnapshot();
    await inventory.settle();
    const named = kinds.flatMap((number) => KINDS.get(number) ?? []);
    const parts = deltaOf(inventory.catalogue, {
      from: epoch === inventory.catalogue.epoch ? fromRevision : 0n,
      nowMs: Date.now(),
      kinds: new Set(named),
      render: (entry) => inventory.render(entry),
    });
    for (const delta of parts) yield toBinary(InventoryDeltaSchema, delta);
  });
}

function requestOf(question: Uint8Array): InventoryRequest {
  try {
    return fromBinary(InventoryRequestSchema, question);
  } catch {
    return create(InventoryRequestSchema);
  }
}

/** Returns what ends it. */
function runAtIntervals(stage: Stage, inventory: Inventory, publisher: InventoryPublisher): () => void {
  const { health, log, settings } = stage;
  const folder = join(stage.folder, "inventory-export");
  const exportNow = async () => {
    if (!inventory.isWhole) return;
    try {
      await writeExport(inventory, folder, Date.now());
      health.resolve("INVENTORY_UNEXPORTED");
    } catch (error) {
      health.raise("INVENTORY_UNEXPORTED", describeError(error));
    }
  };
  const bug = (error: unknown) => log.error("the inventory cannot go on", { error: describeError(error) });
  const first = setTimeout(() => void exportNow(), FIRST_EXPORT_MS);
  const packages = new InstalledPackages(inventory.catalogue);
  const lookAtPackages = () => {
    for (const problem of packages.look(Date.now())) log.warn("packages are not listed whole", { problem });
  };
  lookAtPackages();
  const timers = [
    setInterval(lookAtPackages, PACKAGES_MS),
    setInterval(() => void inventory.watch.tick(), TICK_MS),
    setInterval(
      () =>
        void inventory
          .settle()
          .then(() => publisher.tick())
          .catch(bug),
      SETTLE_MS,
    ),
    setInterval(() => void exportNow(), settings.aggregator.inventory_file_s * MS_PER_S),
  ];
  return () => {
    clearTimeout(first);
    for (const timer of timers) clearInterval(timer);
  };
}

function report({ counters }: Stage, inventory: Inventory, publisher: InventoryPublisher): void {
  counters.set("inventory_items", inventory.catalogue.size);
  counters.set("inventory_evicted", inventory.catalogue.evicted);
  counters.set("inventory_processes", inventory.processes.size);
  counters.set("inventory_looks", inventory.counts.looks);
  counters.set("inventory_looks_skipped", inventory.watch.skipped);
  counters.set("inventory_unstored", inventory.counts.unstored);
  counters.set("inventory_deltas", publisher.counts.deltas);
  counters.set("inventory_delta_items", publisher.counts.items);
  counters.set("inventory_delta_bytes", publisher.counts.bytes);
}

/** What the host says that it is; os-release(5). */
function seeHost({ catalogue }: Inventory): void {
  const text = OS_RELEASE.map(readText).find((one) => one !== "") ?? "";
  const value = (name: string) => new RegExp(`^${name}=["']?(.*?)["']?$`, "m").exec(text)?.[1] ?? "";
  const entry = catalogue.see(itemId("root", ""), { ms: Date.now(), times: 0 }, () => ({
    case: "root",
    value: create(RootItemSchema),
  }));
  const { what } = entry.item;
  if (what.case !== "root") return;
  const said = {
    distribution: value("ID"),
    distributionVersion: value("VERSION_ID"),
    prettyName: value("PRETTY_NAME"),
  };
  if (what.value.prettyName !== said.prettyName) catalogue.change(entry);
  Object.assign(what.value, said);
}

const OS_RELEASE = ["/etc/os-release", "/usr/lib/os-release"];

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The network namespace of the sensor, which is the host's; 0 where that cannot be read. */
function ownNetworkNamespace(): number {
  try {
    return Number(/\d+/.exec(readlinkSync("/proc/self/ns/net"))?.[0] ?? 0);
  } catch {
    return 0;
  }
}
