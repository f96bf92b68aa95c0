// Streams that an older bus left in nats-server's account for who has none are still there.
import { renameSync } from "node:fs";
import { join } from "node:path";
import { jetstream } from "@nats-io/jetstream";
import test from "ava";
import { GLOBAL_ACCOUNT, HOST_ACCOUNT } from "./account.ts";
import { startBus } from "./testing.ts";

test("what was stored before there was an account is given to its reader", async (t) => {
  const bus = await startBus(t);
  await jetstream(await bus.connect("collector")).publish("nightjar.raw", "of yesterday", { msgID: "1" });
  await bus.process.stop();
  const accounts = join(bus.files.store, "jetstream");
  renameSync(join(accounts, HOST_ACCOUNT), join(accounts, GLOBAL_ACCOUNT));
  bus.restart();
  await bus.ready();
  const consumer = await jetstream(await bus.connect("enricher")).consumers.get("RAW", "enricher");
  t.is((await consumer.next({ expires: 10_000 }))?.string(), "of yesterday");
});
