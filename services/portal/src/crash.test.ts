// kill -9 of the real portal process: during its first start at each of its steps, and while it stores.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { statePaths } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { clientsOf, detection, freshStateDir, remove } from "./testing.ts";

/** Ample: the machine may be busy with other things. */
const WAIT_MS = 60_000;
const TEST_MS_MAX = 180_000;
const LOOK_MS = 5;
const KILLS_WHILE_STORING = 4;
const SENDERS = 4;

function start(stateDir: string): ChildProcess {
  const program = new URL("./main.ts", import.meta.url).pathname;
  return spawn(process.execPath, [program], {
    env: { PATH: process.env.PATH, NIGHTJAR_STATE_DIR: stateDir },
    stdio: "ignore",
  });
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

/** How many starts of this folder's portal have become ready, from its log. */
function readyCount(stateDir: string): number {
  const log = statePaths.log(stateDir, "portal");
  return existsSync(log) ? readFileSync(log, "utf8").split("portal is ready").length - 1 : 0;
}

/** Gone when the store is in place, where a first start that is killed is no first start any more. */
function unfinished(folder: string): string | undefined {
  const name = readdirSync(folder).find((one) => one.startsWith("store.new-"));
  return name && join(folder, name);
}

function filesIn(folder: string | undefined): number {
  try {
    return folder ? readdirSync(folder, { recursive: true }).length : 0;
  } catch {
    return 0;
  }
}

/** [the step, what shows that it has been reached] */
const steps: [string, (folder: string) => boolean][] = [
  ["the lock is there", (folder) => existsSync(join(folder, "lock"))],
  ["the temporary folder is there", (folder) => unfinished(folder) !== undefined],
  ["the first files are there", (folder) => filesIn(unfinished(folder)) > 10],
  ["the databases are there", (folder) => filesIn(unfinished(folder)) > 900],
  ["the store is in place", (folder) => existsSync(join(folder, "store"))],
  ["the key is there", (folder) => existsSync(join(folder, "private-key.pem"))],
  ["the token is there", (folder) => existsSync(join(folder, "token"))],
  ["the address is there", (folder) => existsSync(join(folder, "address"))],
];

test.serial("killed at any step of its first start, the next start is a first start or goes on", async (t) => {
  t.timeout(TEST_MS_MAX);
  const stateDir = freshStateDir();
  t.teardown(() => remove(stateDir));
  const folder = statePaths.folder(stateDir, "portal");
  for (const [step, reached] of steps) {
    const child = start(stateDir);
    await waitFor(() => reached(folder) || child.exitCode !== null, {
      what: step,
      timeoutMs: WAIT_MS,
      intervalMs: LOOK_MS,
    });
    t.is(child.exitCode, null, `it ended by itself before: ${step}`);
    await kill(child, "SIGKILL");
  }
  const address = statePaths.portalAddress(stateDir);
  const before = readFileSync(address, "utf8");
  const readyBefore = readyCount(stateDir);
  const child = start(stateDir);
  t.teardown(() => kill(child, "SIGKILL"));
  await waitFor(() => child.exitCode !== null || readyCount(stateDir) > readyBefore, {
    what: "the last start is ready",
    timeoutMs: WAIT_MS,
    intervalMs: LOOK_MS,
  });
  t.is(readFileSync(address, "utf8"), before, "the port is kept");
  const { sensors, queries } = clientsOf(stateDir);
  await sensors.sendDetections({ sensorId: "s", detections: [detection()] });
  t.is((await queries.listDetections({})).detections.length, 1);
  await kill(child, "SIGTERM");
  t.is(child.exitCode, 0);
  t.false(existsSync(address), "a portal that stopped has no address");
  t.is(unfinished(folder), undefined);
});

test.serial("killed while it stores: what was answered is there, once, and cursors grow", async (t) => {
  t.timeout(TEST_MS_MAX);
  const stateDir = freshStateDir();
  t.teardown(() => remove(stateDir));
  const answered = new Set<string>();
  let lastCursor = 0n;
  for (let round = 0; round <= KILLS_WHILE_STORING; round++) {
    const running = start(stateDir);
    t.teardown(() => kill(running, "SIGKILL"));
    await waitFor(() => readyCount(stateDir) > round, {
      what: "the portal is ready",
      timeoutMs: WAIT_MS,
      intervalMs: LOOK_MS,
    });
    const { sensors, queries } = clientsOf(stateDir);
    const listed = await listAll(queries);
    const ids = listed.map((one) => one.detection!.id);
    t.is(new Set(ids).size, ids.length);
    t.deepEqual(
      [...answered].filter((id) => !ids.includes(id)),
      [],
    );
    for (const { cursor } of listed.slice(-1)) t.true(cursor >= lastCursor);
    lastCursor = listed.at(-1)?.cursor ?? 0n;
    if (round === KILLS_WHILE_STORING) {
      await kill(running, "SIGTERM");
      break;
    }
    const goal = answered.size + 20 + Math.floor(Math.random() * 200);
    const sending = Array.from({ length: SENDERS }, async () => {
      for (;;) {
        const detections = Array.from({ length: 5 }, () => detection());
        try {
          await sensors.sendDetections({ sensorId: "s", detections });
        } catch {
          return;
        }
        for (const one of detections) answered.add(one.id);
        if (answered.size >= goal) running.kill("SIGKILL");
      }
    });
    await Promise.all(sending);
    await kill(running, "SIGKILL");
  }
  t.true(answered.size >= KILLS_WHILE_STORING * 20);
});

async function listAll(queries: ReturnType<typeof clientsOf>["queries"]) {
  const all: Awaited<ReturnType<typeof queries.listDetections>>["detections"] = [];
  for (let after = 0n, more = true; more; ) {
    const page = await queries.listDetections({ after, limit: 1_000 });
    all.push(...page.detections);
    ({ next: after, more } = page);
  }
  return all;
}
