// Deltas of an inventory at the portal: in order, again, with a gap, and a snapshot over what was there.
import { createClient } from "@connectrpc/connect";
import { InventoryService } from "@nightjar/proto";
import test from "ava";
import { freshStateDir, makeTemplate, remove, startTestPortal, transportOf } from "../testing.ts";

const EPOCH = 7n;
const itemOf = (id: bigint, revision: bigint) => ({
  id,
  revision,
  what: { case: "program" as const, value: { path: Buffer.from(`/bin/${id}`) } },
});

test("what a sensor tells is what is stored, whatever comes twice or not at all", async (t) => {
  const template = await makeTemplate();
  const stateDir = freshStateDir(template);
  const portal = await startTestPortal(stateDir);
  t.teardown(async () => {
    await portal.close();
    remove(stateDir);
    remove(template);
  });
  const client = createClient(InventoryService, transportOf(stateDir));
  const send = async (delta: {
    from: bigint;
    to: bigint;
    part?: number;
    parts?: number;
    ids?: bigint[];
    gone?: bigint[];
  }) => {
    const { from: fromRevision, to: toRevision, part = 0, parts = 1, ids = [], gone = [] } = delta;
    const items = ids.map((id) => itemOf(id, toRevision));
    const whole = { epoch: EPOCH, fromRevision, toRevision, part, parts, items, gone };
    return (await client.sendInventory({ sensorId: "s1", delta: whole })).wantsSnapshot;
  };
  const ids = async () => (await client.listInventory({ sensorId: "s1" })).items.map(({ id }) => id);

  t.true(await send({ from: 3n, to: 4n, ids: [1n] }), "a delta to nothing");
  t.false(await send({ from: 0n, to: 5n, part: 0, parts: 2, ids: [1n, 2n] }));
  t.false(await send({ from: 0n, to: 5n, part: 0, parts: 2, ids: [1n, 2n] }), "a part that comes twice");
  t.false(await send({ from: 0n, to: 5n, part: 1, parts: 2, ids: [3n] }));
  t.deepEqual(await ids(), [1n, 2n, 3n]);
  t.false(await send({ from: 5n, to: 8n, ids: [4n], gone: [2n] }));
  t.deepEqual(await ids(), [1n, 3n, 4n]);
  t.true(await send({ from: 9n, to: 12n, ids: [5n] }), "a delta was lost");
  t.false(await send({ from: 0n, to: 13n, ids: [3n, 5n] }));
  t.deepEqual(await ids(), [3n, 5n], "a snapshot replaces what was there");
  const [stored] = (await client.listInventories({})).inventories;
  t.like(stored, { sensorId: "s1", revision: 13n, items: 2n });
});
