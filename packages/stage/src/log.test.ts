// The log has the form that the runbooks' grep and jq lines expect.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { createLogger, describeError } from "./log.ts";
import { openRedactor } from "./redact-key.ts";
import { resolveSettings } from "./resolve-settings.ts";

const redactor = openRedactor("", resolveSettings({}).values);

test("writes JSON lines with timestamp, level, target and fields", async (t) => {
  const file = join(temporaryFolder(t), "log", "uplink.log");
  const log = createLogger({ redactor, target: "uplink", level: "info", file, stderr: false });
  log.error("comm error (401)", { resp: "no such account", error: new Error("call", { cause: new Error("socket") }) });
  log.debug("not logged at this level");
  log.info("position", { position: 1n });
  await log.close();
  const lines = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  t.is(lines.length, 2);
  t.regex(lines[0].timestamp, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  t.is(lines[0].level, "ERROR");
  t.is(lines[0].target, "uplink");
  t.deepEqual(lines[0].fields, { message: "comm error (401)", resp: "no such account", error: "call: socket" });
  t.deepEqual(lines[1].fields, { message: "position", position: "1" });
});

test("a file that cannot be written does not end the process", async (t) => {
  const log = createLogger({ redactor, target: "x", level: "info", file: "/dev/null/no/such/file.log", stderr: false });
  log.info("lost");
  await log.close();
  t.pass();
});

test("while the disk is nearly full the file is not written, and afterwards it is", async (t) => {
  const file = join(temporaryFolder(t), "x.log");
  const now = { usedPercent: 50 };
  const disk = { read: () => ({ freeBytes: 0, ...now }), lookMs: 1 };
  const log = createLogger({ redactor, target: "x", level: "info", file, stderr: false, disk });
  const written = () => readFileSync(file, "utf8");
  const turn = async (usedPercent: number, said: RegExp) => {
    now.usedPercent = usedPercent;
    await waitFor(() => said.test(written()), { what: `${said} is said` });
  };
  log.info("before");
  await turn(96, /"code":"DISK_FULL"/);
  log.info("meanwhile");
  await turn(92, /is written again/);
  log.info("afterwards");
  await log.close();
  const messages = written()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).fields.message);
  t.deepEqual(messages, [
    "before",
    "the disk is nearly full: the log file is not written",
    "the log file is written again",
    "afterwards",
  ]);
});

test("an error is told with its causes, each once", (t) => {
  const inner = new Error("connection refused");
  t.is(
    describeError(new Error("no answer", { cause: new Error("connection refused", { cause: inner }) })),
    "no answer: connection refused",
  );
});

test("secrets in messages, fields and errors are not logged", async (t) => {
  const file = join(temporaryFolder(t), "uplink.log");
  const log = createLogger({ redactor, target: "uplink", level: "info", file, stderr: false });
  log.info("asked http://bob:Xy12ab34@proxy:3128", {
    password: "Xy12ab34",
    args: ["mysql", "-pXy12ab34"],
    error: new Error("refused", { cause: new Error("PGPASSWORD=Xy12ab34") }),
    settings: { uplink: { api_token: "Xy12ab34", url: "https://p.example.com" } },
  });
  await log.close();
  const text = readFileSync(file, "utf8");
  t.false(text.includes("Xy12ab34"));
  const { fields } = JSON.parse(text);
  t.is(fields.settings.uplink.url, "https://p.example.com");
  t.is(`asked http://bob:${fields.password}@proxy:3128`, fields.message);
});
