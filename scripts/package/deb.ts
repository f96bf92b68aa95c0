// Makes the Debian package of what `layOut` laid out.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DESCRIPTION, type PackageFacts, SUMMARY, SYSTEMD_MIN } from "./facts.ts";
import { CONFIGURATION_FILES } from "./installed.ts";
import { debianScripts } from "./scriptlets.ts";

/** Node's names of machines, as Debian has them. */
const ARCHITECTURES: Record<string, string> = { x64: "amd64", arm64: "arm64" };
const SCRIPT_MODE = 0o755;

/** Returns the path of the package in the folder `out`. */
export function makeDeb(root: string, facts: PackageFacts, out: string): string {
  const architecture = ARCHITECTURES[facts.arch];
  const control = join(root, "DEBIAN");
  mkdirSync(control);
  writeFileSync(join(control, "control"), controlFile(facts, architecture));
  writeFileSync(join(control, "conffiles"), CONFIGURATION_FILES.map((path) => `${path}\n`).join(""));
  for (const [name, script] of Object.entries(debianScripts())) {
    writeFileSync(join(control, name), script);
    chmodSync(join(control, name), SCRIPT_MODE);
  }
  const path = join(out, `nightjar_${facts.version}_${architecture}.deb`);
  // zstd: every dpkg that has the glibc that is needed knows it, and it packs in a tenth of xz's time.
  execFileSync("dpkg-deb", ["--root-owner-group", "-Zzstd", "-z9", "--build", root, path], { stdio: "pipe" });
  rmSync(control, { recursive: true });
  return path;
}

function controlFile(facts: PackageFacts, architecture: string | undefined): string {
  const needs = [
    `libc6 (>= ${facts.glibc_min})`,
    // GLIBCXX_3.4.29 came with GCC 11.
    "libstdc++6 (>= 11)",
    "libgcc-s1",
    `systemd (>= ${SYSTEMD_MIN})`,
    "passwd",
  ];
  return [
    "Package: nightjar",
    `Version: ${facts.version}`,
    `Architecture: ${architecture}`,
    "Maintainer: The Nightjar authors <nightjar@localhost>",
    `Installed-Size: ${facts.installed_kib}`,
    `Depends: ${needs.join(", ")}`,
    "Section: admin",
    "Priority: optional",
    `Description: ${SUMMARY}`,
    ...DESCRIPTION.map((line) => ` ${line}`),
    "",
  ].join("\n");
}
