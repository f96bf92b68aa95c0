// A rule that asks for the name of an address is true of a connection to what the name was resolved to, and only then
// does anybody follow DNS.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type ExecutionContext, type TestFn } from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";

const reason = whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";
const TIMEOUT_MS = 60_000;

const FALCO = (name: string) => `- rule: ${name}
  desc: A connection to a host of this name.
  condition: evt.type = connect and fd.sip.name = www.example.test
  output: "%proc.name %fd.rip %fd.rip.name"
  priority: NOTICE
`;
const SIGMA = (name: string) => `title: ${name}
logsource: {product: linux, category: network_connection}
detection:
  connection: {Initiated: 'true', DestinationHostname|endswith: .EXAMPLE.test}
  condition: connection
level: low
`;

/** Resolves a name and connects to what it was told; then another process connects there without asking. */
const DEED = `ip address add 192.0.2.7/32 dev lo
"$1" -e '
  const { connect, createServer } = require("node:net");
  createServer().listen(4443, "192.0.2.7", () =>
    connect({ host: "www.example.test", port: 4443, family: 4 }).on("connect", () => process.exit(0)));
'
bash -c 'exec 3<>/dev/tcp/192.0.2.7/4444'
true`;

async function follows(sensor: Sensor): Promise<string> {
  const interest = await waitFor(
    async () => {
      const collector = (await sensor.statuses()).find(({ stage, ready }) => stage === "collector" && ready);
      const { "interest.rule-engine": rules, "interest.enricher": enricher } = collector?.facts ?? {};
      return rules === undefined ? undefined : enricher;
    },
    { what: "the collector knows what is wanted", timeoutMs: TIMEOUT_MS },
  );
  return interest;
}

async function startWith(t: ExecutionContext, rules: string): Promise<Sensor> {
  const path = join(temporaryFolder(t), "rules.yaml");
  writeFileSync(path, rules);
  return await startSensor(t, { args: ["--rules", path] });
}

test(`connections have the names that were resolved, for who asked and for others${suffix}`, async (t) => {
  t.timeout(3 * TIMEOUT_MS);
  const sensor = await startWith(t, `${FALCO("Named to Falco")}---\n${SIGMA("Named to Sigma")}`);
  await waitFor(async () => (await follows(sensor)).includes("dns"), {
    what: "DNS is followed",
    timeoutMs: TIMEOUT_MS,
  });
  const inside = join(import.meta.dirname, "../events/dns/inside.ts");
  const deed = ["sh", "-c", DEED, "deed", process.execPath];
  execFileSync("unshare", ["--net", "--mount", process.execPath, inside, temporaryFolder(t), ...deed]);
  const names = "(www.example.test,host.example.test)";
  const outputs = await waitFor(
    async () => {
      const found = (await sensor.detections()).map(({ detection }) => `${detection?.rule}: ${detection?.output}`);
      return found.some((each) => each.includes("bash 192")) && found.length >= 3 ? found : undefined;
    },
    {
      what: "both connections are detected",
      timeoutMs: TIMEOUT_MS,
      explain: () => sensor.process.stderr.slice(-4_000),
    },
  );
  const has = (begin: string, end: string) => outputs.some((each) => each.startsWith(begin) && each.includes(end));
  const all = outputs.join("\n");
  // Node's main thread has had a name of its own since 24.
  t.true(has("Named to Falco: node", names) || has("Named to Falco: MainThread", names), all);
  t.true(has("Named to Falco: bash 192.0.2.7", names), all);
  t.true(has("Named to Sigma: ", `DestinationHostname=${names}`), all);
});

test(`without such a rule nobody follows DNS${suffix}`, async (t) => {
  t.timeout(3 * TIMEOUT_MS);
  const sensor = await startWith(
    t,
    FALCO("Addressed")
      .replace(/fd\.sip\.name = \S+/, "fd.sip = 192.0.2.7")
      .replace(" %fd.rip.name", ""),
  );
  t.false((await follows(sensor)).includes("dns"));
});
