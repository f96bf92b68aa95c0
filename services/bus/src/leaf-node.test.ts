// A second nats-server takes the host's as a leaf node: it hears events and detections, and can say nothing back.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { jetstream } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { startProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { findServer } from "./binary.ts";
import { choosePort } from "./port.ts";
import { startBus } from "./testing.ts";

const ROOT = join(import.meta.dirname, "../../..");
const WAIT_MS = 20_000;

/** None of these leaves the host by itself. */
const SAID_BY_SITE = ["nightjar.ask.status", "nightjar.interest.operator.site", "nightjar.verdicts"];

interface Site {
  leafUrl: string;
  connection: NatsConnection;
}

/** A site's server, with JetStream of its own, on loopback ports that it chooses. */
async function startSite(t: ExecutionContext): Promise<Site> {
  const folder = temporaryFolder(t);
  const { path } = await findServer("", process.env.PATH ?? "", ROOT);
  const configuration = join(folder, "site.conf");
  const leafPort = await choosePort(undefined);
  const lines = [
    'host: "127.0.0.1"',
    "port: -1",
    `ports_file_dir: ${JSON.stringify(folder)}`,
    `jetstream { store_dir: ${JSON.stringify(join(folder, "store"))} }`,
    // The file of ports does not tell this one.
    `leafnodes { host: "127.0.0.1", port: ${leafPort}, authorization { user: "host", password: "let me in" } }`,
  ];
  writeFileSync(configuration, lines.join("\n"));
  const server = startProcess(t, path, ["-c", configuration]);
  const addresses = await waitFor(
    () => {
      const file = readdirSync(folder).find((name) => name.endsWith(".ports"));
      return file && (JSON.parse(readFileSync(join(folder, file), "utf8")).nats as string[]);
    },
    { what: "the site's ports are known", timeoutMs: WAIT_MS, explain: () => server.stderr },
  );
  const connection = await connect({ servers: addresses[0] ?? "" });
  t.teardown(() => connection.close());
  return { leafUrl: `nats-leaf://host:let%20me%20in@127.0.0.1:${leafPort}`, connection };
}

test("events and detections are heard at the site; nothing that is said there comes in", async (t) => {
  const site = await startSite(t);
  const bus = await startBus(t, { NIGHTJAR_BUS_LEAF_URL: site.leafUrl });
  const heard: string[] = [];
  site.connection.subscribe(">", { callback: (_, { subject }) => void heard.push(subject) });
  const siteStreams = await jetstream(site.connection).jetstreamManager();
  await siteStreams.streams.add({ name: "SITE", subjects: ["nightjar.raw", "nightjar.detections.>"] });
  const collector = await bus.connect("collector");
  const engine = await bus.connect("rule-engine");
  const operator = await bus.connect("operator");
  const inside: string[] = [];
  operator.subscribe("nightjar.>", { callback: (_, { subject }) => void inside.push(subject) });
  await operator.flush();

  let number = 0;
  await waitFor(
    async () => {
      const { stream } = await jetstream(collector).publish("nightjar.raw", "x", { msgID: `raw ${number++}` });
      t.is(stream, "RAW", "it is the host's stream that acknowledges");
      return heard.includes("nightjar.raw");
    },
    { what: "an event is heard", timeoutMs: WAIT_MS, explain: () => bus.process.stderr },
  );
  await jetstream(engine).publish("nightjar.detections.critical", "x", { msgID: "detection" });
  await waitFor(() => heard.includes("nightjar.detections.critical"), { what: "a detection is heard" });
  await waitFor(async () => (await siteStreams.streams.info("SITE")).state.messages >= 2, { what: "they are kept" });

  // What is known of the host's own is known to stay: an interest was published before the detection.
  await jetstream(engine).publish("nightjar.interest.rule-engine", "x", { msgID: "interest" });
  await bus.status(operator);
  const before = inside.length;
  for (const subject of ["nightjar.raw", ...SAID_BY_SITE])
    site.connection.publish(subject, "from the site", { reply: "_INBOX.site" });
  await site.connection.flush();
  await jetstream(collector).publish("nightjar.raw", "last", { msgID: "last" });
  await waitFor(() => inside.length > before, { what: "the host hears itself" });
  t.deepEqual(inside.slice(before), ["nightjar.raw"], "what the site said is not among it");
  const foreign = heard.filter((subject) => !/^(nightjar\.(raw|detections\.critical)|\$JS\.|_INBOX)/.test(subject));
  t.deepEqual([...new Set(foreign)].sort(), [...SAID_BY_SITE].sort(), "nothing else is heard but itself");
});
