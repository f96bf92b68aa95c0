// Keeps a server running: starts it again when it ends, at once the first time, then less and less often.
import { readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { isDiskFull, pause, readDisk } from "@nightjar/stage";
import { LOG_FILES_MAX } from "./configuration.ts";
import type { BusFiles } from "./files.ts";
import { type LifeContext, type LifeEnd, liveOnce } from "./server-life.ts";
import { setStoreAside } from "./store.ts";

/** How long to wait after the first end, the second in a row, and so on; the last goes on. */
const RESTART_WAITS_MS = [0, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] as const;
/** A server that was ready and lived this long does not count as failing repeatedly. */
const STEADY_MS = 1_000;
/** After this many failures of the store in a row, all of it is taken to be broken. */
const STORE_FAILURES_MAX = 3;

/** Resolves when the stage stops and the server has ended. */
export async function supervise(context: LifeContext): Promise<void> {
  const { stage, files } = context;
  let failures = 0;
  let storeFailures = 0;
  while (!stage.signal.aborted) {
    pruneLogs(files);
    const started = Date.now();
    const end = await liveOrFail(context);
    if (stage.signal.aborted) return;
    const lived_ms = Date.now() - started;
    if (end.ready && lived_ms > STEADY_MS) failures = 0;
    storeFailures = end.storeFailed && !end.ready ? storeFailures + 1 : 0;
    tell(context, end, lived_ms);
    if (storeFailures >= STORE_FAILURES_MAX && !isDiskFull(readDisk(files.folder))) {
      const aside = setStoreAside(files);
      stage.health.raise("BUS_STORE_BROKEN", `the server could not work on its store; set aside in ${aside}`);
      storeFailures = 0;
    }
    await pause(RESTART_WAITS_MS[Math.min(failures, RESTART_WAITS_MS.length - 1)] ?? 0, stage.signal);
    failures += 1;
  }
}

/** What is outside of us may fail before there is a server to speak of, such as a disk that is full. */
async function liveOrFail(context: LifeContext): Promise<LifeEnd> {
  try {
    return await liveOnce(context);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error))
      throw error;
    return { ready: false, reason: error.message, storeFailed: false, said: "" };
  }
}

function tell({ stage }: LifeContext, end: LifeEnd, lived_ms: number): void {
  const { reason, said, ready } = end;
  stage.counters.add("server_restarts");
  stage.log.error("nats-server ended; starting it again", { reason, lived_ms, ...(ready ? {} : { said }) });
  stage.health.raise("BUS_SERVER_RESTARTED", `nats-server ended (${reason}) and is started again`);
}

/** Servers before 2.10 rotate their log but delete nothing. */
function pruneLogs(files: BusFiles): void {
  const rotated = readdirSync(files.logFolder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.startsWith(`${basename(files.log)}.`))
    .map(({ name }) => join(files.logFolder, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const file of rotated.slice(LOG_FILES_MAX - 1)) rmSync(file, { force: true });
}
