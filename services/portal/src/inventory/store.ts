// The inventories of all sensors: deltas are taken in part by part, items kept as they were told.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type InventoryDelta, type InventoryItem, InventoryItemSchema, type StoredInventory } from "@nightjar/proto";
import type { Database, Queries } from "../database.ts";

/** Items of a page; and how many of one sensor are stored at most, beyond which new ones are left out. */
export const INVENTORY_PAGE_MAX = 1_000;

export interface InventoryQuery {
  sensorId: string;
  /** Numbers of members of InventoryItem.what; all where empty. */
  kinds: readonly number[];
  /** The id of the last item of the page before; "" for the beginning. */
  after: string;
  limit: number;
}

/** What is stored of a sensor, and which delta is coming. */
interface State extends Record<string, unknown> {
  epoch: string;
  revision: bigint;
  /** Of the delta whose parts are coming: where it begins and ends, and the part that is to come next. */
  coming_epoch: string;
  coming_from: bigint;
  coming_to: bigint;
  coming_part: number;
}

const KIND_NUMBERS: ReadonlyMap<string, number> = new Map(
  InventoryItemSchema.oneofs.flatMap(({ fields }) =>
    fields.map(({ localName, number }) => [localName, number] as const),
  ),
);

export class InventoryStore {
  readonly #database: Database;
  readonly #assertRoom: () => void;

  /** `assertRoom` throws when there is no room to write. */
  constructor(database: Database, assertRoom: () => void) {
    this.#database = database;
    this.#assertRoom = assertRoom;
  }

  /** Takes in a part, all or nothing; false where it does not fit what is stored, and a snapshot is needed. */
  async take(sensorId: string, delta: InventoryDelta): Promise<boolean> {
    this.#assertRoom();
    return await this.#database.transaction(async (queries) => {
      const state = await lock(queries, sensorId);
      const fit = fitOf(state, delta);
      if (fit !== "next") return fit === "known";
      await deleteItems(queries, sensorId, delta);
      await upsertItems(queries, sensorId, delta);
      await note(queries, sensorId, delta, state);
      return true;
    });
  }

  /** Items of a sensor in the order of their ids, and where the next page begins; "" for none. */
  async list({ sensorId, kinds, after, limit }: InventoryQuery): Promise<{ items: InventoryItem[]; next: string }> {
    const rows = await this.#database.query<{ id: string; item: Uint8Array }>(
      `SELECT id, item FROM inventory_items WHERE sensor_id = $1 AND id > $2
       AND (cardinality($3::smallint[]) = 0 OR kind = ANY($3::smallint[])) ORDER BY id LIMIT $4`,
      [sensorId, after, [...kinds], limit],
    );
    const next = rows.length === limit ? (rows.at(-1)?.id ?? "") : "";
    return { items: rows.map(({ item }) => fromBinary(InventoryItemSchema, item)), next };
  }

  /** How much is stored of each sensor. */
  async sensors(): Promise<Omit<StoredInventory, "$typeName" | "$unknown">[]> {
    const rows = await this.#database.query<{ sensor_id: string; epoch: string; revision: bigint; items: bigint }>(
      `SELECT sensor_id, epoch, revision,
         (SELECT count(*) FROM inventory_items WHERE inventory_items.sensor_id = inventories.sensor_id) AS items
       FROM inventories ORDER BY sensor_id`,
    );
    return rows.map(({ sensor_id: sensorId, epoch, revision, items }) => ({
      sensorId,
      epoch: epoch === "" ? 0n : BigInt(`0x${epoch}`),
      revision: BigInt(revision),
      items: BigInt(items),
    }));
  }
}

/** The sensor's row, which only one transaction has at a time. */
async function lock(queries: Queries, sensorId: string): Promise<State> {
  await queries.query("INSERT INTO inventories (sensor_id) VALUES ($1) ON CONFLICT DO NOTHING", [sensorId]);
  const [state] = await queries.query<State>(
    `SELECT epoch, revision, coming_epoch, coming_from, coming_to, coming_part
     FROM inventories WHERE sensor_id = $1 FOR UPDATE`,
    [sensorId],
  );
  if (!state) throw new Error("an inventory's row is gone");
  return state;
}

/** Whether a part is the one to come, was taken before, or leaves something out. */
function fitOf(state: State, delta: InventoryDelta): "next" | "known" | "gap" {
  const { fromRevision, part } = delta;
  const isComing = isComingIn(state, delta);
  if (isComing && part < Number(state.coming_part)) return "known";
  if (isComing && part === Number(state.coming_part)) return "next";
  if (part !== 0) return isStored(state, delta) ? "known" : "gap";
  if (fromRevision === 0n) return "next";
  return textOf(delta.epoch) === state.epoch && fromRevision <= BigInt(state.revision) ? "next" : "gap";
}

function isComingIn(state: State, { epoch, fromRevision, toRevision }: InventoryDelta): boolean {
  return (
    state.coming_epoch === textOf(epoch) &&
    BigInt(state.coming_from) === fromRevision &&
    BigInt(state.coming_to) === toRevision
  );
}

function isStored(state: State, { epoch, toRevision }: InventoryDelta): boolean {
  return state.epoch === textOf(epoch) && BigInt(state.revision) >= toRevision;
}

async function deleteItems(queries: Queries, sensorId: string, { gone, toRevision }: InventoryDelta): Promise<void> {
  if (gone.length === 0) return;
  await queries.query("DELETE FROM inventory_items WHERE sensor_id = $1 AND id = ANY($2::text[]) AND revision <= $3", [
    sensorId,
    gone.map(textOf),
    toRevision,
  ]);
}

async function upsertItems(queries: Queries, sensorId: string, delta: InventoryDelta): Promise<void> {
  const items = delta.items.filter(({ what }) => what.case !== undefined);
  if (items.length === 0) return;
  await queries.query(
    `INSERT INTO inventory_items (sensor_id, id, kind, epoch, revision, told_to, item)
     SELECT $1, id, kind, $2, revision, $3, decode(item, 'base64')
     FROM unnest($4::text[], $5::smallint[], $6::bigint[], $7::text[]) AS given (id, kind, revision, item)
     ON CONFLICT (sensor_id, id) DO UPDATE SET kind = excluded.kind, epoch = excluded.epoch,
       revision = excluded.revision, told_to = excluded.told_to, item = excluded.item
     WHERE inventory_items.epoch <> excluded.epoch OR inventory_items.revision <= excluded.revision`,
    [
      sensorId,
      textOf(delta.epoch),
      delta.toRevision,
      items.map(({ id }) => textOf(id)),
      items.map(({ what }) => KIND_NUMBERS.get(what.case ?? "") ?? 0),
      items.map(({ revision }) => revision.toString()),
      items.map((item) => Buffer.from(toBinary(InventoryItemSchema, item)).toString("base64")),
    ],
  );
}

/** Notes how far it is; behind the last part of a snapshot, what was in none of its parts is no more. */
async function note(queries: Queries, sensorId: string, delta: InventoryDelta, state: State): Promise<void> {
  const { epoch, fromRevision, toRevision, part, parts } = delta;
  const isLast = part + 1 >= parts;
  if (isLast && fromRevision === 0n) {
    await queries.query("DELETE FROM inventory_items WHERE sensor_id = $1 AND (epoch <> $2 OR told_to < $3)", [
      sensorId,
      textOf(epoch),
      toRevision,
    ]);
  }
  const known = isLast ? { epoch: textOf(epoch), revision: toRevision } : state;
  await queries.query(
    `UPDATE inventories SET epoch = $2, revision = $3, coming_epoch = $4, coming_from = $5, coming_to = $6,
       coming_part = $7 WHERE sensor_id = $1`,
    [sensorId, known.epoch, known.revision, textOf(epoch), fromRevision, toRevision, part + 1],
  );
}

/** 16 hexadecimal digits, which sort as the numbers do. */
function textOf(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}
