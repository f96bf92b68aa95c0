// Builds the addon and the fuzzers with the sanitizers for addresses and undefined behaviour.
//
//   node native-probe/scripts/sanitize.ts FOLDER
//
// FOLDER gets nightjar_probe.node, which needs clang's address sanitizer preloaded, and encoder-fuzz, which takes
// libFuzzer's arguments and the path of nightjar.bpf.o in NIGHTJAR_FUZZ_OBJECT; and dns-fuzz, which takes libFuzzer's
// arguments. The probe must be built before.
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

const folder = dirname(import.meta.dirname);
const [, , target] = process.argv;
if (target === undefined) throw new Error("usage: sanitize.ts FOLDER");
const output = resolve(target);

/** What a program of either kind is compiled with. Undefined behaviour ends it as a bad address does. */
const FLAGS = ["-std=c++17", "-g", "-O1", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all", "-Wall", "-Wextra"];
/** binding.gyp's own. */
const DEFINES = ["NAPI_VERSION=9", "NODE_ADDON_API_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"];
/** What the fuzzer needs of the addon: all that does not load anything. */
const DNS = ["addon/dns.cc"];
const PURE = ["addon/dns_fields.cc", "addon/encoder.cc", "addon/layout.cc", "addon/syscalls.cc", "gen/tables.cc"];

function compile(...args: string[]): void {
  const { status, stdout, stderr, error } = spawnSync("clang++", args, { cwd: folder, encoding: "utf8" });
  if (status === 0) return;
  process.stderr.write(
    `native-probe: clang++ ${args.join(" ")}\n${error?.message ?? ""}${stdout ?? ""}${stderr ?? ""}`,
  );
  process.exit(1);
}

const includes = [
  join(dirname(dirname(process.execPath)), "include", "node"),
  createRequire(import.meta.url)("node-addon-api").include_dir,
].map((path) => `-I${resolve(path)}`);
const addon = readdirSync(join(folder, "addon"))
  .filter((name) => name.endsWith(".cc"))
  .map((name) => `addon/${name}`);

mkdirSync(output, { recursive: true });
compile(
  ...FLAGS,
  "-Wno-unused-parameter",
  "-fsanitize=address,undefined",
  "-shared-libasan",
  // Node has no type information for its own classes, which this check would ask for.
  "-fno-sanitize=vptr",
  ...["-shared", "-fPIC", "-fvisibility=hidden"],
  ...DEFINES.map((name) => `-D${name}`),
  ...includes,
  ...addon,
  "gen/tables.cc",
  "-lbpf",
  ...["-o", join(output, "nightjar_probe.node")],
);
compile(
  ...FLAGS,
  "-fsanitize=fuzzer,address,undefined",
  "fuzz/encoder.cc",
  ...[...DNS, ...PURE],
  "-lbpf",
  ...["-o", join(output, "encoder-fuzz")],
);
compile(...FLAGS, "-fsanitize=fuzzer,address,undefined", "fuzz/dns.cc", ...DNS, "-o", join(output, "dns-fuzz"));
