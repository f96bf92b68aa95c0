// Lays out what a package installs: every file at its place below a folder that stands for the host's root.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { ROOT } from "./tree.ts";

const DEPLOY = join(ROOT, "deploy");
const UNITS = "usr/lib/systemd/system";
const IS_UNIT = /\.(service|slice|target|timer|path|socket)$|\.d\/[^/]+\.conf$/;
const EXECUTABLE_MODE = 0o755;

/** Files of deploy/ that are not units, and where each goes. */
const PLACES: Readonly<Record<string, string>> = {
  nightjar: "usr/bin/nightjar",
  "nightjar.yaml": "etc/nightjar/nightjar.yaml",
  "systemd/sysusers.conf": "usr/lib/sysusers.d/nightjar.conf",
  "systemd/tmpfiles.conf": "usr/lib/tmpfiles.d/nightjar.conf",
  // The one that operators edit.
  "systemd/nightjar.slice.d/50-budget.conf": "etc/systemd/system/nightjar.slice.d/50-budget.conf",
};

/** What an operator edits, as paths on the host: an upgrade asks before it replaces these. */
export const CONFIGURATION_FILES = Object.values(PLACES)
  .filter((path) => path.startsWith("etc/"))
  .map((path) => `/${path}`);

/** Moves the self-contained build `tree` below `root` and adds what `deploy/` has. */
export function layOut(tree: string, root: string): void {
  mkdirSync(join(root, "usr/lib"), { recursive: true });
  renameSync(tree, join(root, "usr/lib/nightjar"));
  for (const [from, to] of Object.entries(PLACES)) copyTo(join(DEPLOY, from), join(root, to));
  chmodSync(join(root, "usr/bin/nightjar"), EXECUTABLE_MODE);
  const units = readdirSync(join(DEPLOY, "systemd"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(DEPLOY, "systemd"), join(entry.parentPath, entry.name)));
  for (const unit of units.filter((path) => IS_UNIT.test(path) && !(`systemd/${path}` in PLACES))) {
    // Of those in a folder named after a version of systemd, the ones that the host's knows are put in their places
    // after the installation (deploy/package/after-install.sh).
    const folder = /^\d+\//.test(unit) ? "usr/lib/nightjar/systemd" : UNITS;
    copyTo(join(DEPLOY, "systemd", unit), join(root, folder, unit));
  }
}

function copyTo(from: string, to: string): void {
  if (!existsSync(from)) throw new Error(`${from} is missing`);
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
