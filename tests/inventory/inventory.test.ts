// What runs on this machine is in the inventory as soon as the sensor runs: every library, its package, who listens.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { type Sensor, startSensor, whyNoKernel } from "../harness/sensor.ts";

const reason = whyNoKernel();
const run = reason ? test.skip : test;
const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));

interface FileLine {
  id: string;
  file: { path: string; mapped?: boolean; replacement?: string; contents?: { package?: { name: string } } };
  programs: { path: string; pids: number[]; running: number }[];
}

interface PortLine {
  port: { port: number; closed?: boolean; programs?: string[] };
}

/** The lines of a view of the inventory. */
function inventory<Line>(sensor: Sensor, view: string): Line[] {
  const argv = [CLI, "inventory", view, "--state-dir", sensor.stateDir, "--json"];
  const text = execFileSync(process.execPath, argv, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  return text
    .trim()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** Mapped libraries, each with the processes that have it: as /proc tells, without what is deleted. */
function mappedLibraries(): Map<string, Set<number>> {
  const found = new Map<string, Set<number>>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    for (const line of attempt(() => readFileSync(`/proc/${pid}/maps`, "utf8"))?.split("\n") ?? []) {
      const path = /(\/.*\.so(\.[0-9.]+)?)$/.exec(line)?.[1];
      if (path) found.set(path, (found.get(path) ?? new Set()).add(Number(pid)));
    }
  }
  return found;
}

function attempt<Result>(look: () => Result): Result | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** The packages that dpkg says own files, which it may know by another name of their folder. */
function owners(paths: readonly string[]): Map<string, Set<string>> {
  const spellings = paths.flatMap((path) => [path, path.replace(/^\/usr/, ""), `/usr${path}`]);
  // It fails where it does not know one of them, and tells of the others.
  const { stdout } = spawnSync("dpkg", ["-S", ...spellings], { encoding: "utf8" });
  const found = new Map<string, Set<string>>();
  for (const line of stdout.split("\n")) {
    const [names = "", path = ""] = line.split(/: (?=\/)/);
    if (names.startsWith("diversion")) continue;
    const canonical = path.replace(/^(?!\/usr)/, "/usr");
    const known = found.get(canonical) ?? new Set();
    for (const name of names.split(", ")) known.add(name.replace(/:.*$/, ""));
    found.set(canonical, known);
  }
  return found;
}

/** Both must be there for a test not to be about the moment between two looks. */
const isThere = (pids: Iterable<number>) => [...pids].some((pid) => attempt(() => readFileSync(`/proc/${pid}/comm`)));

run(`what runs is known from the start${reason ? ` (${reason})` : ""}`, async (t) => {
  t.timeout(4 * 60_000);
  const server = createServer().listen(0, "127.0.0.1");
  t.teardown(() => server.close());
  const sensor = await startSensor(t);
  await waitFor(
    () => {
      const known = new Map(inventory<FileLine>(sensor, "libraries").map((line) => [line.file.path, line]));
      const missing = [...mappedLibraries()].filter(([path, pids]) => !known.has(path) && isThere(pids));
      if (missing.length > 0) throw new Error(`missing: ${missing.map(([path]) => path).join(", ")}`);
      return true;
    },
    { what: "every mapped library is in the inventory", timeoutMs: 60_000 },
  );

  const libraries = inventory<FileLine>(sensor, "libraries").filter(({ file }) => file.replacement === undefined);
  const inUsr = libraries.filter(({ file }) => file.path.startsWith("/usr/"));
  const known = owners(inUsr.map(({ file }) => file.path));
  const disagreeing = inUsr.filter(({ file }) => {
    const name = file.contents?.package?.name;
    return name === undefined ? known.has(file.path) : known.get(file.path)?.has(name) !== true;
  });
  t.deepEqual(disagreeing, []);
  t.true(inUsr.some(({ file }) => file.contents?.package?.name === "libc6"));

  const { port } = server.address() as { port: number };
  const ours = inventory<PortLine>(sensor, "ports").find((line) => line.port.port === port);
  t.false(ours?.port.closed ?? false);
  t.is(ours?.port.programs?.length, 1);

  await laterProcess(t, sensor);
  await replacedLibrary(t, sensor);
  await atThePortal(sensor);
});

/** A process that starts later is there with what it has loaded. */
async function laterProcess(t: Parameters<typeof startSensor>[0], sensor: Sensor): Promise<void> {
  const program = join(temporaryFolder(t), "late");
  copyFileSync("/usr/bin/sleep", program);
  const child = spawn(program, ["300"]);
  t.teardown(() => void child.kill("SIGKILL"));
  await waitFor(
    () =>
      inventory<FileLine>(sensor, "executables").some(
        ({ file, programs }) => file.path === program && programs.some(({ pids }) => pids.includes(child.pid ?? 0)),
      ),
    { what: "a process that began later is there", timeoutMs: 30_000 },
  );
  await waitFor(
    () =>
      inventory<FileLine>(sensor, "libraries").some(
        (line) => line.file.path.includes("libc.so") && line.programs.some(({ path }) => path === program),
      ),
    { what: "its libraries are there", timeoutMs: 30_000 },
  );
}

/** What is mapped stays mapped when another file takes its place; that shows. */
async function replacedLibrary(t: Parameters<typeof startSensor>[0], sensor: Sensor): Promise<void> {
  const folder = temporaryFolder(t);
  const library = join(folder, "libreplaced.so");
  const [libc = ""] = [...mappedLibraries().keys()].filter((path) => path.endsWith("/libc.so.6"));
  copyFileSync(libc, library);
  const script = "import ctypes,sys,time; ctypes.CDLL(sys.argv[1]); print('ready', flush=True); time.sleep(300)";
  const child = spawn("/usr/bin/python3", ["-c", script, library]);
  t.teardown(() => void child.kill("SIGKILL"));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const state = () => inventory<FileLine>(sensor, "libraries").find(({ file }) => file.path === library)?.file;
  await waitFor(() => state() !== undefined, { what: "the library is there", timeoutMs: 30_000 });
  copyFileSync(libc, `${library}.new`);
  renameSync(`${library}.new`, library);
  await waitFor(() => state()?.replacement === "replaced", { what: "it shows as replaced", timeoutMs: 60_000 });
  rmSync(library);
  await waitFor(() => state()?.replacement === "deleted", { what: "it shows as deleted", timeoutMs: 60_000 });
}

async function atThePortal(sensor: Sensor): Promise<void> {
  const argv = [CLI, "portal", "inventory", "--state-dir", sensor.stateDir, "--json"];
  await waitFor(
    () => {
      const [line] = execFileSync(process.execPath, argv, { encoding: "utf8" }).trim().split("\n");
      return line && Number(JSON.parse(line).items) > 0 && JSON.parse(line).revision !== undefined;
    },
    { what: "the portal has the inventory", timeoutMs: 60_000 },
  );
}
