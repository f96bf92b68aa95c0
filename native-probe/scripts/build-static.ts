// Builds the addon once more, with libbpf, libelf and zlib inside, for hosts that have none of them.
//
//   node scripts/build-static.ts LIBRARIES FOLDER
//
// LIBRARIES holds position independent libbpf.a and libelf.a; zlib's archive is the distribution's. FOLDER keeps what
// was compiled, so that the next time only what changed is; the addon is FOLDER/build/Release/nightjar_probe.node.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { nodeGyp } from "./node-gyp.ts";

const PROBE = dirname(import.meta.dirname);
/** What binding.gyp names, relative to itself. */
const SOURCES = ["addon", "bpf", "gen", "node_modules"];

const [libraries, folder] = process.argv.slice(2);
if (libraries === undefined || folder === undefined) throw new Error("usage: build-static.ts LIBRARIES FOLDER");

mkdirSync(folder, { recursive: true });
for (const name of SOURCES.filter((one) => !existsSync(join(folder, one)))) {
  symlinkSync(join(PROBE, name), join(folder, name));
}
copyFileSync(join(PROBE, "binding.gyp"), join(folder, "binding.gyp"));
const args = [...nodeGyp(), `--static_libraries=${resolve(libraries)}`];
const { status, error } = spawnSync(process.execPath, args, { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
if (status !== 0) throw new Error(`building the addon failed: ${error?.message ?? `it ended with ${status}`}`);
