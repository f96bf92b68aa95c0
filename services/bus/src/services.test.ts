// Tested as `nats micro` asks: the bus is found as a service, says what it answers, and how often it was asked.
import { type ServiceClient, Svcm } from "@nats-io/services";
import { ASK_STATUS_SUBJECT, SENSOR_VERSION } from "@nightjar/stage";
import test from "ava";
import { startBus, type TestBus } from "./testing.ts";

const NAME = "nightjar-bus";

async function listenersClient(bus: TestBus): Promise<ServiceClient> {
  return new Svcm(await bus.connect("listener")).client({ strategy: "count", maxMessages: 1, maxWait: 5_000 });
}

async function listOf<T>(answers: Promise<AsyncIterable<T>>): Promise<T[]> {
  const list: T[] = [];
  for await (const one of await answers) list.push(one);
  return list;
}

test("a key that may only listen finds the services", async (t) => {
  const client = await listenersClient(await startBus(t));
  for (const asked of [undefined, NAME]) {
    const found = await listOf(client.ping(asked));
    t.deepEqual(
      found.map(({ name, version }) => ({ name, version })),
      [{ name: NAME, version: SENSOR_VERSION }],
    );
  }
  const [info] = await listOf(client.info(NAME));
  t.deepEqual(
    info?.endpoints.map(({ name, subject }) => ({ name, subject })),
    [{ name: "status", subject: ASK_STATUS_SUBJECT }],
  );
});

test("its figures stand beside the count of questions", async (t) => {
  const bus = await startBus(t);
  await bus.status(await bus.connect("operator"));
  const client = await listenersClient(bus);
  const [stats] = await listOf(client.stats(NAME));
  const [endpoint] = stats?.endpoints ?? [];
  t.true((endpoint?.num_requests ?? 0) > 0);
  t.like(endpoint?.data, { ready: true, counters: { server_restarts: 0 } });
});
