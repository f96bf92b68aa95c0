// Builds the addon: one C file against Node-API's stable headers, so that it fits every Node of this major version.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const folder = dirname(import.meta.dirname);
const headers = join(dirname(createRequire(import.meta.url).resolve("node-api-headers/package.json")), "include");
const args = [
  ...["-shared", "-fPIC", "-O2", "-std=c17", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"],
  ...["-D_GNU_SOURCE", "-DNAPI_VERSION=9", "-DNODE_GYP_MODULE_NAME=nightjar_notify", "-isystem", headers],
  ...["addon/notify.c", "-o", "build/nightjar_notify.node"],
];

mkdirSync(join(folder, "build"), { recursive: true });
const { status, error } = spawnSync("cc", args, { cwd: folder, stdio: "inherit" });
if (status !== 0) {
  process.stderr.write(`notify: ${error?.message ?? `cc ended with ${status}`}\n`);
  process.exit(1);
}
