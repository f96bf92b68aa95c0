// The embedded store on disk: made elsewhere, put in place when it is complete, then opened.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { moduleBeside } from "@nightjar/stage";
import type { Database } from "./database.ts";
import { publishFolder } from "./durable.ts";
import { migrate } from "./migrations.ts";
import { openPglite } from "./pglite.ts";

const STORE = "store";
const UNFINISHED = "store.new-";
const STDERR_CHARS_MAX = 4_096;
const REMOVE_RETRIES = 3;

/** Opens the store in `folder`, which the caller has locked, and makes it first where there is none. */
export async function openStoreFolder(folder: string): Promise<Database> {
  removeUnfinished(folder);
  const store = join(folder, STORE);
  if (!existsSync(store)) {
    const unfinished = mkdtempSync(join(folder, UNFINISHED));
    await makeInChild(unfinished);
    publishFolder(unfinished, store);
  }
  const database = await openPglite(store);
  await migrate(database);
  return database;
}

/** What a start that was killed left behind. Its child may still write for a moment; then the next start removes it. */
function removeUnfinished(folder: string): void {
  for (const name of readdirSync(folder).filter((one) => one.startsWith(UNFINISHED))) {
    try {
      rmSync(join(folder, name), { recursive: true, force: true, maxRetries: REMOVE_RETRIES });
    } catch {
      // It costs only space, and only until the next start.
    }
  }
}

/** In a process of its own, because making a database takes 500 MB that would stay with us. */
function makeInChild(folder: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const program = moduleBeside(import.meta.url, "make-store");
    // The pipe to its standard input closes when we die; then it ends too.
    const child = spawn(process.execPath, [program, folder], { stdio: ["pipe", "ignore", "pipe"] });
    let stderr = "";
    child.stderr.on("data", (text: Buffer) => {
      stderr = (stderr + text.toString()).slice(-STDERR_CHARS_MAX);
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`making the store in ${folder} failed (${signal ?? code}): ${stderr.trim()}`));
    });
  });
}
