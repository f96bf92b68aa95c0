// The cloud is asked who this instance is only where that is allowed, and asking is no event.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type TestFn } from "ava";
import { startSensor, whyNoKernel } from "../harness/sensor.ts";

const reason = whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";
const TIMEOUT_MS = 60_000;

const RULE = (port: number) => `- rule: Connection to the metadata service
  desc: Somebody asks.
  condition: evt.type = connect and fd.rport = ${port}
  output: "%proc.cmdline"
  priority: NOTICE
`;

test(`the sensor knows its instance, and only others who ask are detected${suffix}`, async (t) => {
  t.timeout(3 * TIMEOUT_MS);
  const asked: string[] = [];
  const server = createServer(({ method, url }, response) => {
    asked.push(`${method} ${url}`);
    response.end(method === "PUT" ? "token" : JSON.stringify({ instanceId: "i-0abc", region: "eu-west-1" }));
  }).listen(0, "127.0.0.1");
  t.teardown(() => server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const rules = join(temporaryFolder(t), "rules.yaml");
  writeFileSync(rules, RULE(port));
  const env = { NIGHTJAR_METADATA_CLOUD: "aws", NIGHTJAR_METADATA_CLOUD_URL: `http://127.0.0.1:${port}` };
  const sensor = await startSensor(t, { args: ["--rules", rules], env });
  const statuses = await waitFor(
    async () => {
      const found = await sensor.statuses();
      return found.some(({ cloud }) => cloud) ? found : undefined;
    },
    { what: "the cloud answered", timeoutMs: TIMEOUT_MS, explain: () => sensor.process.stderr.slice(-4_000) },
  );
  const { cloud } = statuses.find(({ stage }) => stage === "metadata") ?? {};
  t.like(cloud, { provider: "aws", instanceId: "i-0abc", region: "eu-west-1" });
  const { host } = statuses.find(({ stage }) => stage === "collector") ?? {};
  t.true(
    (host?.processors ?? 0) > 0 && host?.bootId.length === 32 && host.distribution !== "",
    JSON.stringify(host?.name),
  );
  t.deepEqual(asked, ["PUT /latest/api/token", "GET /latest/dynamic/instance-identity/document"]);
  await fetch(`http://127.0.0.1:${port}/other`);
  const found = await waitFor(
    async () => {
      const detections = await sensor.detections();
      return detections.length > 0 ? detections : undefined;
    },
    { what: "who else asks is detected", timeoutMs: TIMEOUT_MS },
  );
  const pids = found.map(({ detection }) => detection?.event?.pid);
  t.deepEqual([...new Set(pids)], [process.pid]);
});
