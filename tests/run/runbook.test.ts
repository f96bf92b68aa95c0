// The errors that the runbooks name, each provoked: its words are in the log, and `nightjar logs --errors` tells them.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { statePaths } from "@nightjar/stage";
import { startProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { whyNoKernel } from "../harness/sensor.ts";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
const REFUSE_BPF = fileURLToPath(new URL("refuse-bpf.c", import.meta.url));
const TEST_MS_MAX = 5 * 60_000;
const STEP_MS_MAX = 60_000;

type Variables = Record<string, string>;

/** A portal that runs, with an account of each type. */
interface Portal {
  url: string;
  trusted: Variables;
  sensor: Variables;
  operator: Variables;
}

function nightjar(t: ExecutionContext, args: readonly string[], env: Variables = {}) {
  return startProcess(t, process.execPath, [CLI, ...args], { env });
}

async function startPortal(t: ExecutionContext): Promise<Portal> {
  const stateDir = temporaryFolder(t);
  const where = ["--state-dir", stateDir];
  const portal = nightjar(t, ["portal", "serve", ...where]);
  await portal.line(/portal is ready/, { timeoutMs: STEP_MS_MAX });
  const account = async (type: string) => {
    const made = nightjar(t, ["portal", "account", "create", type, "--type", type, "--json", ...where]);
    t.is((await made.exited).code, 0, made.stderr);
    const { id, client_secret } = JSON.parse(made.stdout);
    return { NIGHTJAR_API_CLIENT_ID: id, NIGHTJAR_API_CLIENT_SECRET: client_secret };
  };
  return {
    url: readFileSync(statePaths.portalAddress(stateDir), "utf8").trim(),
    trusted: { NIGHTJAR_UPLINK_PORTAL_CERTIFICATE_FILE: statePaths.portalCertificate(stateDir) },
    sensor: await account("sensor"),
    operator: await account("operator"),
  };
}

/** Takes connections and hangs up at the first bytes, as a firewall does. */
async function startHangUp(t: ExecutionContext): Promise<string> {
  const server = createServer((socket) => socket.once("data", () => socket.end()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const address = server.address();
  return `https://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
}

interface Row {
  words: string;
  /** What the other side answered. */
  resp: RegExp;
  variables: (portal: Portal, hangUp: string) => Variables;
}

/** The portal's part of the runbook's table. */
const ROWS: readonly Row[] = [
  {
    words: "comm error (400)",
    resp: /is of type operator, not sensor/,
    variables: ({ url, trusted, operator }) => ({ NIGHTJAR_UPLINK_PORTAL_URL: url, ...trusted, ...operator }),
  },
  {
    words: "comm error (401)",
    resp: /invalid credentials/,
    variables: ({ url, trusted, sensor }) => ({
      ...{ NIGHTJAR_UPLINK_PORTAL_URL: url, ...trusted, ...sensor },
      NIGHTJAR_API_CLIENT_SECRET: "wrong",
    }),
  },
  {
    words: "Connection Failed: tls connection init failed",
    resp: /./,
    variables: ({ sensor }, hangUp) => ({ NIGHTJAR_UPLINK_PORTAL_URL: hangUp, ...sensor }),
  },
  {
    words: "dns error",
    resp: /portal\.invalid/,
    variables: ({ sensor }) => ({ NIGHTJAR_UPLINK_PORTAL_URL: "https://portal.invalid", ...sensor }),
  },
  {
    words: "invalid peer certificate contents",
    resp: /./,
    variables: ({ url, sensor }) => ({ NIGHTJAR_UPLINK_PORTAL_URL: url, ...sensor }),
  },
];

async function errorsOf(t: ExecutionContext, stateDir: string) {
  const told = nightjar(t, ["logs", "--errors", "--json", "--state-dir", stateDir]);
  t.is((await told.exited).code, 0, told.stderr);
  return told.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

test("what goes wrong between the sensor and its portal", async (t) => {
  t.timeout(TEST_MS_MAX);
  const [portal, hangUp] = [await startPortal(t), await startHangUp(t)];
  const stateDir = temporaryFolder(t);
  const log = statePaths.log(stateDir, "uplink");
  const bus = nightjar(t, ["stage", "bus", "--state-dir", stateDir]);
  await bus.line(/bus is ready/, { timeoutMs: STEP_MS_MAX });
  for (const { words, variables } of ROWS) {
    const env = { NIGHTJAR_UPLINK_START_DELAY_MS_MAX: "0", ...variables(portal, hangUp) };
    const uplink = nightjar(t, ["stage", "uplink", "--state-dir", stateDir], env);
    await waitFor(() => readFileSync(log, "utf8").includes(`"message":"${words}`), {
      what: `the uplink's log says ${words}`,
      timeoutMs: STEP_MS_MAX,
      explain: () => uplink.stderr,
    });
    uplink.signal("SIGTERM");
    await uplink.exited;
  }
  const errors = await errorsOf(t, stateDir);
  for (const { words, resp } of ROWS) {
    const told = errors.filter(({ message }) => message === words);
    t.is(told.length, 1, `${words} is told once, of ${JSON.stringify(errors)}`);
    t.regex(told[0].resp, resp, words);
    t.deepEqual(told[0].targets, ["uplink"]);
  }
});

const reason = whyNoKernel();
const withKernel = reason ? test.skip : test;

withKernel(`a policy that forbids bpf${reason ? ` (${reason})` : ""}`, async (t) => {
  t.timeout(TEST_MS_MAX);
  const stateDir = temporaryFolder(t);
  const refuse = join(temporaryFolder(t), "refuse-bpf");
  execFileSync("cc", ["-O1", "-o", refuse, REFUSE_BPF]);
  const bus = nightjar(t, ["stage", "bus", "--state-dir", stateDir]);
  await bus.line(/bus is ready/, { timeoutMs: STEP_MS_MAX });
  const collector = startProcess(t, refuse, [process.execPath, CLI, "stage", "collector", "--state-dir", stateDir]);
  const { code } = await collector.exited;
  t.is(code, 3, collector.stderr);
  const [error] = (await errorsOf(t, stateDir)).filter(({ targets }) => targets.includes("collector"));
  t.regex(error.message, /^failed loading ebpf skeleton/);
  t.is(error.code, "EACCES");
  const entries = readFileSync(statePaths.log(stateDir, "collector"), "utf8").split("\n").filter(Boolean);
  const { fields } = entries.map((line) => JSON.parse(line)).find(({ level }) => level === "ERROR");
  t.is(fields.errno, 13);
  t.regex(fields.hints.join("\n"), /^seccomp: /);
});
