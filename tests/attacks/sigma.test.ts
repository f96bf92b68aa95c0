// Rules of Sigma in the running sensor: deeds done for real, through the probe's filters, are read from the portal.
import { execFileSync } from "node:child_process";
import { copyFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { startSensor, whyNoKernel } from "../harness/sensor.ts";

const reason = whyNoKernel();
const run = reason ? test.skip : test;
const why = reason ? ` (${reason})` : "";

const rule = (title: string, logsource: string, detection: string): string =>
  `title: ${title}\nlogsource: {product: linux, ${logsource}}\ndetection:\n  a: ${detection}\n  condition: a\n`;

/** One rule for each logsource; MARK is in the name of what the test makes, PORT is its listener's. */
const RULES = [
  rule(
    "A marked program ran",
    "category: process_creation",
    "{Image|endswith: /Program-MARK, CommandLine|contains: ' --Do'}",
  ),
  rule("A marked file was made", "category: file_event", "{TargetFilename|endswith: /Made-MARK}"),
  rule("A marked file was renamed", "category: file_rename", "{SourceFilename|contains: Made-MARK}"),
  rule("A marked file was deleted", "category: file_delete", "{TargetFilename|endswith: /Renamed-MARK}"),
  rule("A marked port was connected to", "category: network_connection", "{Initiated: 'true', DestinationPort: PORT}"),
  rule("A marked argument was passed", "service: auditd", "{type: EXECVE, a1: --do, a2: MARK}"),
];

async function perform(folder: string, mark: string, port: number): Promise<void> {
  const program = join(folder, `program-${mark}`);
  copyFileSync("/bin/true", program);
  execFileSync(program, ["--do", mark]);
  const made = join(folder, `made-${mark}`);
  writeFileSync(made, "x");
  const renamed = join(folder, `renamed-${mark}`);
  renameSync(made, renamed);
  rmSync(renamed);
  const socket = connect(port, "127.0.0.1");
  await new Promise<void>((resolve) => socket.on("connect", resolve));
  socket.destroy();
}

run(`each of Sigma's logsources is detected from the deed to the portal${why}`, async (t) => {
  t.timeout(3 * 60_000);
  const folder = temporaryFolder(t);
  const mark = `nightjar-${process.pid}`;
  const server = createServer((socket) => socket.on("error", () => undefined));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  const rules = join(folder, "rules.yml");
  writeFileSync(rules, RULES.join("---\n").replaceAll("MARK", mark).replaceAll("PORT", String(port)));
  const sensor = await startSensor(t, { env: { NIGHTJAR_RULE_ENGINE_RULES: rules } });
  await perform(folder, mark, port);
  const titles = RULES.map((text) => /^title: (.*)$/m.exec(text)?.[1] ?? "").sort();
  const found = await waitFor(
    async () => {
      const names = new Set((await sensor.detections()).map(({ detection }) => detection?.rule ?? ""));
      return titles.every((title) => names.has(title)) ? names : undefined;
    },
    { what: "each rule is at the portal", timeoutMs: 20_000, explain: () => sensor.process.stderr.slice(-4_000) },
  );
  t.deepEqual([...found].sort(), titles);
});
