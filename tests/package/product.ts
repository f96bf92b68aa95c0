// The product as it is delivered, made for a test by the command that makes it for everybody.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";

const ROOT = join(import.meta.dirname, "../..");

/** Why nothing can be packaged here; undefined when it can. */
export function whyNoProduct(): string | undefined {
  const made = existsSync(join(ROOT, ".tools/static/libelf.a"));
  return made ? undefined : "libbpf and libelf are not built to be packaged; ./nightjar package does";
}

/** A folder, removed with the test, with what `./nightjar package` makes in these formats. */
export function buildProduct(test: Parameters<typeof temporaryFolder>[0], formats: readonly string[]): string {
  const out = temporaryFolder(test);
  const args = formats.flatMap((format) => ["--format", format]);
  execFileSync(process.execPath, [join(ROOT, "scripts/package.ts"), ...args, "--out", out], { stdio: "pipe" });
  return out;
}

/** The path of the package in `folder` whose name ends like this. */
export function packageIn(folder: string, ending: string): string {
  const name = readdirSync(folder).find((one) => one.startsWith("nightjar") && one.endsWith(ending));
  if (!name) throw new Error(`${folder} has no package ${ending}`);
  return join(folder, name);
}
