// The inventory on disk: an item under its id, what was seen of it since beside it, and what was forgotten.
import { randomBytes } from "node:crypto";
import { renameSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { InventoryItemSchema } from "@nightjar/proto";
import { isCorruption } from "@nightjar/stage";
import { Level } from "level";
import { type CatalogueStart, type Entry, entryOf, type Settled } from "./catalogue.ts";
import { hexOf } from "./identity.ts";

const ITEM = "item!";
const SEEN = "seen!";
const GONE = "gone!";
const META = "meta";
/** Sorts behind every key of a prefix. */
const END = "\uffff";
const EPOCH_BYTES = 8;
const META_BYTES = 24;
const SEEN_BYTES = 16;

/** What a start finds. */
export interface OpenedInventory {
  store: InventoryStore;
  start: Required<Omit<CatalogueStart, "entries">> & { entries: Entry[] };
  /** Up to which revision the bus has it. */
  publishedRevision: bigint;
  /** Where what could not be read was put. */
  broken?: string;
}

export class InventoryStore {
  readonly #folder: string;
  #database: Level<string, Uint8Array>;
  #needsReopening = false;

  private constructor(folder: string, database: Level<string, Uint8Array>) {
    this.#folder = folder;
    this.#database = database;
  }

  /** Opens the folder. What cannot be read is put beside it, and an empty inventory with another epoch begun. */
  static async open(folder: string): Promise<OpenedInventory> {
    const database = databaseIn(folder);
    try {
      await database.open();
      const meta = await database.get(META);
      const seen = new Map(await between(database, SEEN));
      const entries = (await between(database, ITEM)).map(([key, bytes]) => readEntry(bytes, seen.get(key)));
      const gone = (await between(database, GONE)).map(([key, bytes]) => ({
        id: BigInt(`0x${key}`),
        revision: uint(bytes),
      }));
      gone.sort((left, right) => (left.revision < right.revision ? -1 : 1));
      const { epoch, revision, publishedRevision } = readMeta(meta);
      const revisions = [revision, ...entries.map(({ item }) => item.revision), ...gone.map((one) => one.revision)];
      const latest = revisions.reduce((most, one) => (one > most ? one : most), 0n);
      const start = { epoch, revision: latest, entries, gone };
      return { store: new InventoryStore(folder, database), start, publishedRevision };
    } catch (error) {
      await database.close();
      if (!isCorruption(error) && !(error instanceof UnreadableError)) throw error;
      const broken = `${folder}.broken-${Date.now()}`;
      renameSync(folder, broken);
      return { ...(await InventoryStore.open(folder)), broken };
    }
  }

  /** Resolves when the system has all of it: a process's death takes nothing of it, and leaves all or nothing. */
  async commit({ changed, touched, gone, goneForgotten }: Settled, meta: Meta): Promise<void> {
    await this.#reopen();
    const batch = this.#database.batch();
    for (const entry of changed) {
      batch.put(`${ITEM}${hexOf(entry.id)}`, toBinary(InventoryItemSchema, entry.item));
      batch.del(`${SEEN}${hexOf(entry.id)}`).del(`${GONE}${hexOf(entry.id)}`);
    }
    for (const entry of touched) batch.put(`${SEEN}${hexOf(entry.id)}`, writeSeen(entry));
    for (const { id, revision } of gone) {
      batch.del(`${ITEM}${hexOf(id)}`).del(`${SEEN}${hexOf(id)}`);
      batch.put(`${GONE}${hexOf(id)}`, uintBytes(revision));
    }
    for (const { id } of goneForgotten) batch.del(`${GONE}${hexOf(id)}`);
    batch.put(META, writeMeta(meta));
    try {
      await batch.write();
    } catch (error) {
      // After a write that failed LevelDB refuses all others until it is opened anew.
      this.#needsReopening = true;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  async #reopen(): Promise<void> {
    if (!this.#needsReopening) return;
    await this.#database.close();
    this.#database = databaseIn(this.#folder);
    await this.#database.open();
    this.#needsReopening = false;
  }
}

export interface Meta {
  epoch: bigint;
  revision: bigint;
  publishedRevision: bigint;
}

/** LevelDB could read it, we cannot. */
class UnreadableError extends Error {}

function databaseIn(folder: string): Level<string, Uint8Array> {
  return new Level<string, Uint8Array>(folder, { valueEncoding: "view" });
}

async function between(database: Level<string, Uint8Array>, prefix: string): Promise<[string, Uint8Array][]> {
  const found = await database.iterator({ gte: prefix, lt: `${prefix}${END}` }).all();
  return found.map(([key, value]) => [key.slice(prefix.length), value]);
}

function readEntry(bytes: Uint8Array, seen: Uint8Array | undefined): Entry {
  try {
    const item = fromBinary(InventoryItemSchema, bytes);
    return entryOf(item, seen && readSeen(seen));
  } catch (error) {
    throw new UnreadableError("an item that is none", { cause: error });
  }
}

function readMeta(bytes: Uint8Array | undefined): Meta {
  if (bytes?.length !== META_BYTES)
    return { epoch: randomBytes(EPOCH_BYTES).readBigUInt64LE(), revision: 0n, publishedRevision: 0n };
  const view = viewOf(bytes);
  const at = (place: number) => view.getBigUint64(8 * place, true);
  return { epoch: at(0), revision: at(1), publishedRevision: at(2) };
}

function writeMeta({ epoch, revision, publishedRevision }: Meta): Uint8Array {
  const bytes = new Uint8Array(META_BYTES);
  for (const [place, value] of [epoch, revision, publishedRevision].entries())
    viewOf(bytes).setBigUint64(8 * place, value, true);
  return bytes;
}

function readSeen(bytes: Uint8Array): { lastSeenMs: number; count: number } | undefined {
  if (bytes.length !== SEEN_BYTES) return undefined;
  return { lastSeenMs: viewOf(bytes).getFloat64(0, true), count: viewOf(bytes).getFloat64(8, true) };
}

function writeSeen({ lastSeenMs, count }: Entry): Uint8Array {
  const bytes = new Uint8Array(SEEN_BYTES);
  viewOf(bytes).setFloat64(0, lastSeenMs, true);
  viewOf(bytes).setFloat64(8, count, true);
  return bytes;
}

function uint(bytes: Uint8Array): bigint {
  return bytes.length === EPOCH_BYTES ? viewOf(bytes).getBigUint64(0, true) : 0n;
}

function uintBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(EPOCH_BYTES);
  viewOf(bytes).setBigUint64(0, value, true);
  return bytes;
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}
