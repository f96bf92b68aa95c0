// Reads what rules can ask of executed and mapped files from an encoded batch, and what Sigma's rules make of it.
import { create, toBinary } from "@bufbuild/protobuf";
import { BatchReader } from "@nightjar/events";
import { BatchSchema, FileGap, Ownership } from "@nightjar/proto";
import test from "ava";
import { EventView } from "../engine/event-view.ts";
import { loadRules } from "../files/load.ts";
import { findField } from "./catalogue.ts";

const DIGEST = "ab".repeat(32);

const batch = new BatchReader(
  toBinary(
    BatchSchema,
    create(BatchSchema, {
      bootId: new Uint8Array(16),
      nextPosition: 3n,
      events: [
        { data: { case: "exec", value: {} } },
        { position: 1n, data: { case: "library", value: {} } },
        { position: 2n, data: { case: "open", value: {} } },
      ],
      processes: [
        { pid: 1, executable: 1 },
        { pid: 2, executable: 2 },
      ],
      actors: [1, 1, 2],
      executables: [
        {
          sha256: Buffer.from(DIGEST, "hex"),
          sizeBytes: 4096n,
          elf: { isStripped: true, interpreter: Buffer.from("/lib64/ld.so"), buildId: Uint8Array.of(1, 255) },
          package: { manager: "dpkg", name: "coreutils", version: "9.1-1" },
          ownership: Ownership.PACKAGE,
        },
        { gap: FileGap.TOO_LARGE, ownership: Ownership.NO_PACKAGE },
      ],
      mapped: [0, 2, 0],
    }),
  ),
);

/** The values that fields have on an event, by what stands behind the prefix. */
function valuesOn(event: number, prefix: string, names: readonly string[]) {
  const view = new EventView();
  view.open(batch);
  view.select(event);
  return names.map((name) => findField(`${prefix}.${name}`)?.field.getter?.(undefined)?.(view));
}

const NAMES = ["sha256", "hashes", "gap", "size", "is_packaged", "package", "package_version", "package_manager"];
const ELF_NAMES = ["is_static", "is_stripped", "is_pie", "interpreter", "build_id"];

test("what the actor executes", (t) => {
  const known = [DIGEST, `SHA256=${DIGEST.toUpperCase()}`, undefined, 4096, true, "coreutils", "9.1-1", "dpkg"];
  t.deepEqual(valuesOn(0, "nightjar.exe", NAMES), known);
  t.deepEqual(valuesOn(0, "nightjar.exe", ELF_NAMES), [false, true, false, "/lib64/ld.so", "01ff"]);
  const none = [undefined, undefined, "too-large", 0, false, undefined, undefined, undefined];
  t.deepEqual(valuesOn(2, "nightjar.exe", NAMES), none);
  t.deepEqual(valuesOn(2, "nightjar.exe", ELF_NAMES), Array(5).fill(undefined));
});

test("what an event maps", (t) => {
  t.deepEqual(valuesOn(1, "nightjar.lib", ["gap", "is_packaged"]), ["too-large", false]);
  t.deepEqual(valuesOn(0, "nightjar.lib", ["gap", "is_packaged"]), [undefined, undefined]);
});

function problemsOf(selection: string): string[] {
  const text = `title: t\nlogsource: {product: linux, category: process_creation}\nlevel: high\ndetection:
  selection: ${selection}\n  condition: selection\n`;
  return loadRules([{ name: "t.yml", text }]).problems.map(({ message }) => message);
}

test("Sigma's Hashes and sha256 are served; of other digests a rule is told", (t) => {
  t.deepEqual(problemsOf(`{Hashes|contains: 'SHA256=${DIGEST}'}`), []);
  t.deepEqual(problemsOf(`{sha256: ${DIGEST}}`), []);
  t.regex(problemsOf("{Hashes|contains: ['MD5=0123', 'SHA256=45']}").join("\n"), /SHA256 alone, no MD5/);
  t.regex(problemsOf("{md5: '0123'}").join("\n"), /md5/);
});
