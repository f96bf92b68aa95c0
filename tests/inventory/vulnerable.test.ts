// From a feed that the portal is given to what of this machine is vulnerable, loaded and reached; and its SBOM.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
const TIMEOUT_MS = 90_000;
const ADVISORY = "TEST-2030-1";
const LIBRARY = "libc6";

/** The ecosystem of this machine's packages, as OSV names it. */
function ecosystem(): string | undefined {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const value = (key: string) => new RegExp(`^${key}="?([^"\n]*)`, "m").exec(release)?.[1] ?? "";
  return { debian: `Debian:${value("VERSION_ID")}`, ubuntu: `Ubuntu:${value("VERSION_ID")}:LTS` }[value("ID")];
}

const reason = whyNoKernel() ?? (ecosystem() ? undefined : "its packages are not dpkg's");
const run = reason ? test.skip : test;

function nightjar(sensor: Sensor, ...argv: string[]): string {
  const options = { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 } as const;
  return execFileSync(process.execPath, [CLI, ...argv, "--state-dir", sensor.stateDir], options);
}

interface FindingLine {
  state: string;
  exposure: string;
  runs_as_root?: boolean;
  package: { name: string };
  evidence: { pids: number[]; listening?: string[] }[];
}

/** The finding of the library, by what the command line prints. */
function findingOf(sensor: Sensor): FindingLine | undefined {
  const lines = nightjar(sensor, "inventory", "vulnerable", "--json").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as FindingLine).find((one) => one.package.name === LIBRARY);
}

run(`a feed tells what is vulnerable, loaded and reached${reason ? ` (${reason})` : ""}`, async (t) => {
  t.timeout(4 * TIMEOUT_MS);
  const server = createServer().listen(0, "0.0.0.0");
  t.teardown(() => void server.close());
  const source = execFileSync("dpkg-query", ["--show", "--showformat", "$" + "{source:Package}", LIBRARY], {
    encoding: "utf8",
  });
  const feed = join(temporaryFolder(t), "feed.json");
  const ranges = [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: "999" }] }];
  writeFileSync(
    feed,
    JSON.stringify({ id: ADVISORY, affected: [{ package: { ecosystem: ecosystem(), name: source }, ranges }] }),
  );
  const sensor = await startSensor(t, { env: { NIGHTJAR_AGGREGATOR_INVENTORY_INTERVAL_S: "2" } });
  t.regex(nightjar(sensor, "portal", "advisories", "import", feed, "--source", "test"), /imported 1 advisories/);
  const isReached = () => {
    const finding = findingOf(sensor);
    return finding?.state === "loaded" && finding.exposure === "network" ? finding : undefined;
  };
  const finding = await waitFor(isReached, { what: "it is loaded and reached", timeoutMs: TIMEOUT_MS });
  t.true(finding.runs_as_root);
  t.true((finding.evidence[0]?.listening ?? []).length > 0);
  const bom = JSON.parse(nightjar(sensor, "inventory", "export", "--format", "cyclonedx"));
  const component = bom.components.find(({ name }: { name: string }) => name === LIBRARY);
  t.regex(component.purl, new RegExp(`^pkg:deb/[a-z]+/${LIBRARY}@`));
  nightjar(sensor, "portal", "advisories", "remove", "--source", "test");
  await waitFor(() => findingOf(sensor) === undefined, { what: "it is closed", timeoutMs: TIMEOUT_MS });
});
