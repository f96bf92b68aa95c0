// Whoever acts in a container has the name that the container's own files give it, not the host's.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import anyTest, { type TestFn } from "ava";
import { startSensor, whyNoKernel } from "../harness/sensor.ts";

const reason = whyNoKernel();
const test = reason ? anyTest.serial.skip : (anyTest.serial as TestFn);
const suffix = reason ? ` (${reason})` : "";
const TIMEOUT_MS = 60_000;

const RULE = (mark: string) => `- rule: A marked program
  desc: It is started, on the host or in a container.
  condition: evt.type = execve and proc.args contains ${mark}
  output: "%proc.args is %user.uid %user.name"
  priority: NOTICE
`;

/** A container's first process: in mounts of its own, which were furnished before, and a pid namespace. */
const CONTAINER = `mount --bind "$1" /etc
exec unshare --mount --pid --fork setpriv --reuid 1234 --clear-groups sh -c "/bin/echo $2-inside; sleep 1"`;

test(`users of a container have its names${suffix}`, async (t) => {
  t.timeout(3 * TIMEOUT_MS);
  const folder = temporaryFolder(t);
  const mark = `nightjar-${process.pid}`;
  mkdirSync(join(folder, "etc"));
  writeFileSync(join(folder, "etc/passwd"), "app:x:1234:1234::/:/bin/sh\n");
  const rules = join(folder, "rules.yaml");
  writeFileSync(rules, RULE(mark));
  const sensor = await startSensor(t, { args: ["--rules", rules] });
  execFileSync("unshare", ["--mount", "sh", "-c", CONTAINER, "sh", join(folder, "etc"), mark], { stdio: "ignore" });
  execFileSync("/bin/echo", [`${mark}-outside`], { stdio: "ignore" });
  const outputs = await waitFor(
    async () => {
      const found = (await sensor.detections()).map(({ detection }) => detection?.output ?? "");
      return [`${mark}-inside`, `${mark}-outside`].every((each) => found.some((output) => output.startsWith(each)))
        ? found
        : undefined;
    },
    { what: "both are detected", timeoutMs: TIMEOUT_MS, explain: () => sensor.process.stderr.slice(-4_000) },
  );
  t.true(outputs.includes(`${mark}-inside is 1234 app`), outputs.join("\n"));
  t.true(outputs.includes(`${mark}-outside is 0 root`), outputs.join("\n"));
});
