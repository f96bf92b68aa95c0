// Makes findings anew where an inventory or the advisories changed since they were made. Any portal process on the
// database may do it; each sensor is one's at a time.
import { fromBinary } from "@bufbuild/protobuf";
import { type Advisory, AdvisorySchema, type InventoryItem, InventoryItemSchema } from "@nightjar/proto";
import { type Candidate, candidatesOf, findingsOf, Host, type Subject } from "@nightjar/vulnerabilities";
import type { Clock } from "../clock.ts";
import type { Database, Queries } from "../database.ts";
import { saveFindings } from "./finding-store.ts";

/** A sensor whose findings are not of the present state of what they are made from. */
interface Due extends Record<string, unknown> {
  sensor_id: string;
  epoch: string;
  revision: bigint;
  generation: bigint;
}

/** Kinds of items that findings are made from: numbers of members of InventoryItem.what. */
const KINDS = InventoryItemSchema.fields
  .filter(({ localName }) => ["root", "package", "file", "program", "module", "port"].includes(localName))
  .map(({ number }) => number);

/**
 * Makes the findings of one sensor, if there is one whose are due; returns whether there was. `assertRoom` throws when
 * there is no room to write.
 */
export function judgeOne(database: Database, clock: Clock, assertRoom: () => void): Promise<boolean> {
  return database.transaction(async (queries) => {
    const due = await takeDue(queries);
    if (!due) return false;
    assertRoom();
    const { sensor_id: sensorId, epoch, revision, generation } = due;
    const host = new Host(await itemsOf(queries, sensorId));
    const candidates = candidatesOf(host);
    const advisories = await advisoriesFor(queries, candidates);
    const found = findingsOf(host, candidates, (subject) => advisories.get(keyOf(subject)) ?? []);
    await saveFindings(queries, sensorId, found, clock());
    await queries.query("UPDATE findings_made SET epoch = $2, revision = $3, generation = $4 WHERE sensor_id = $1", [
      sensorId,
      epoch,
      revision,
      generation,
    ]);
    return true;
  });
}

/** Takes a row that another transaction does not have; what is judged meanwhile is judged again if it changes. */
async function takeDue(queries: Queries): Promise<Due | undefined> {
  await queries.query(
    `INSERT INTO findings_made SELECT sensor_id, '', 0, -1 FROM inventories
     WHERE sensor_id NOT IN (SELECT sensor_id FROM findings_made) ON CONFLICT DO NOTHING`,
  );
  const [due] = await queries.query<Due>(
    `SELECT m.sensor_id, i.epoch, i.revision, s.generation
     FROM findings_made m JOIN inventories i ON i.sensor_id = m.sensor_id CROSS JOIN advisory_state s
     WHERE i.epoch <> '' AND (m.epoch, m.revision, m.generation) <> (i.epoch, i.revision, s.generation)
     LIMIT 1 FOR UPDATE OF m SKIP LOCKED`,
  );
  return due;
}

async function itemsOf(queries: Queries, sensorId: string): Promise<InventoryItem[]> {
  const rows = await queries.query<{ item: Uint8Array }>(
    "SELECT item FROM inventory_items WHERE sensor_id = $1 AND kind = ANY($2::smallint[])",
    [sensorId, KINDS],
  );
  return rows.map(({ item }) => fromBinary(InventoryItemSchema, item));
}

/** By ecosystem and name. */
async function advisoriesFor(queries: Queries, candidates: readonly Candidate[]): Promise<Map<string, Advisory[]>> {
  const found = new Map<string, Advisory[]>();
  for (const [ecosystem, of] of Map.groupBy(candidates, ({ subject }) => subject.ecosystem)) {
    const names = new Set(of.map(({ subject }) => subject.name));
    for (const advisory of await advisoriesOf(queries, ecosystem, [...names])) {
      for (const name of new Set(advisory.affected.map((one) => one.name).filter((one) => names.has(one)))) {
        const key = keyOf({ ecosystem, name });
        found.set(key, [...(found.get(key) ?? []), advisory]);
      }
    }
  }
  return found;
}

/** Those that affect packages of these names in an ecosystem, whatever their versions; each once. */
async function advisoriesOf(queries: Queries, ecosystem: string, names: readonly string[]): Promise<Advisory[]> {
  const rows = await queries.query<{ advisory: Uint8Array }>(
    `SELECT DISTINCT ON (a.id) a.advisory
     FROM advisory_packages p JOIN advisories a ON a.source = p.source AND a.id = p.id
     WHERE p.name = ANY($1::text[]) AND p.ecosystem = $2 ORDER BY a.id, a.source`,
    [names, ecosystem],
  );
  return rows.map(({ advisory }) => fromBinary(AdvisorySchema, advisory));
}

const keyOf = ({ ecosystem, name }: Omit<Subject, "version">): string => `${ecosystem}\0${name}`;
