// `nightjar support-package`: all that helps to see what is wrong with a sensor, in one archive without secrets.
import { existsSync } from "node:fs";
import { hostname, release } from "node:os";
import { basename, resolve } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { openRedactor, SENSOR_VERSION, statePaths } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { listStreams } from "../connect/streams.ts";
import { runInside } from "../run-inside.ts";
import { Archive } from "../support/archive.ts";
import { collect } from "../support/collect.ts";
import { supportItems } from "../support/items.ts";
import { secretRemover } from "../support/secrets.ts";

const SIZE_MIB_DEFAULT = "64";
const SIZE_MIB_MAX = 4_096;
const BYTES_PER_MIB = 1024 ** 2;
const MANIFEST = "manifest.json";

interface PackageOptions {
  output?: string;
  sizeMax: string;
}

/** What became of an item, in the manifest. */
interface Row {
  name: string;
  status: "ok" | "cut" | "failed" | "left out";
  bytes: number;
  ms: number;
  problem?: string;
}

export function supportPackageCommand(environment: Environment): Command {
  return define<PackageOptions>(environment, {
    name: "support-package",
    description:
      "Collect what helps to see what is wrong: system, systemd, logs, statistics, actors, containers, settings, " +
      "doctor, crash reports, the bus. Secrets are replaced; what could not be had, and why, is in its manifest. " +
      "Works when everything is down. Needs root.",
    options: [
      new Option("-o, --output <file>", "the archive (default: nightjar-support-HOST-TIME.tar.gz here)"),
      new Option("--size-max <MiB>", "of the texts before they are compressed").default(SIZE_MIB_DEFAULT),
    ],
    settings: ["log_dir"],
    examples: ["nightjar support-package --output /tmp/support.tar.gz"],
    action: async (context, options) => {
      if (process.getuid?.() !== 0) {
        throw new CommandError("NOT_PERMITTED", "support-package must be run as root: logs and state are root's");
      }
      const sizeMax = Number(options.sizeMax);
      if (!(sizeMax > 0 && sizeMax <= SIZE_MIB_MAX)) {
        throw new CommandError("USAGE", `--size-max: more than 0 and at most ${SIZE_MIB_MAX} (MiB)`);
      }
      const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, "");
      const file = resolve(options.output ?? `nightjar-support-${hostname()}-${time}.tar.gz`);
      if (existsSync(file)) throw new CommandError("USAGE", `${file} is there already`);
      await makePackage(environment, context, file, sizeMax * BYTES_PER_MIB);
      return "OK";
    },
  });
}

async function makePackage(environment: Environment, context: Context, file: string, bytesMax: number): Promise<void> {
  const { output, signal } = context;
  const archive = new Archive(file);
  try {
    const rows = await fill(environment, context, archive, basename(file, ".tar.gz"), bytesMax);
    await archive.close();
    const failed = rows.filter(({ status }) => status === "failed").length;
    output.line(`${file} is written: ${rows.length - failed} of ${rows.length} items; ${MANIFEST} says what failed`);
    output.json({ file, items: rows });
  } catch (error) {
    await archive.giveUp();
    if (signal.aborted) throw new CommandError("FAILED", "stopped; nothing is written");
    throw new CommandError("FAILED", `${file} cannot be written: ${(error as Error).message}`);
  }
}

async function fill(
  environment: Environment,
  context: Context,
  archive: Archive,
  folder: string,
  bytesMax: number,
): Promise<Row[]> {
  const { output, settings, signal, stateDir } = context;
  const logFolder = statePaths.logs(stateDir, settings.common.log_dir);
  const askBus = () => askStreams(stateDir);
  const items = supportItems({ stateDir, logFolder, kernelRelease: release(), askBus });
  const withoutSecrets = secretRemover(openRedactor(stateDir, settings), stateDir, settings);
  const run = runInside(environment, ["--state-dir", stateDir]);
  const rows: Row[] = [];
  let left = bytesMax;
  for (const [index, item] of items.entries()) {
    signal.throwIfAborted();
    const startedAt = performance.now();
    const { name, text, isCut, problem } = await collect(item, run, signal);
    const clean = withoutSecrets(text);
    const bytes = Buffer.byteLength(clean);
    const row: Row = { name, status: "ok", bytes, ms: Math.round(performance.now() - startedAt) };
    if (isCut) row.status = "cut";
    if (problem !== undefined) Object.assign(row, { status: "failed", problem: withoutSecrets(problem) });
    if (bytes > left) Object.assign(row, { status: "left out", problem: "the package is full: --size-max" });
    else if (bytes > 0) await archive.add(`${folder}/${name}`, clean);
    if (row.status !== "left out") left -= bytes;
    rows.push(row);
    const why = row.problem === undefined ? "" : ` (${row.problem.split("\n")[0]})`;
    output.note(`[${index + 1}/${items.length}] ${name}: ${row.status}${why}`);
  }
  await archive.add(`${folder}/${MANIFEST}`, `${JSON.stringify(manifestOf(rows), null, 2)}\n`);
  return rows;
}

function manifestOf(items: readonly Row[]): object {
  return { version: SENSOR_VERSION, made_at: new Date().toISOString(), host: hostname(), items };
}

/** Streams and their readers as the server tells them. */
async function askStreams(stateDir: string): Promise<string> {
  const connection = await connectAs(stateDir, "operator");
  try {
    return `${JSON.stringify(await listStreams(await jetstreamManager(connection)), null, 2)}\n`;
  } finally {
    await connection.close();
  }
}
