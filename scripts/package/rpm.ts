// Makes the RPM of what `layOut` laid out.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DESCRIPTION, type PackageFacts, SUMMARY, SYSTEMD_MIN } from "./facts.ts";
import { CONFIGURATION_FILES } from "./installed.ts";
import { rpmScripts } from "./scriptlets.ts";

/** Node's names of machines, as RPM has them. */
const ARCHITECTURES: Record<string, string> = { x64: "x86_64", arm64: "aarch64" };

/** Returns the path of the package in the folder `out`. */
export function makeRpm(root: string, facts: PackageFacts, out: string): string {
  const architecture = ARCHITECTURES[facts.arch] ?? "";
  const work = mkdtempSync(join(out, "rpm-"));
  const spec = join(work, "nightjar.spec");
  writeFileSync(spec, specFile(root, facts));
  const defines = [`_topdir ${work}`, `_rpmdir ${work}`, "_build_id_links none", "__os_install_post %{nil}"];
  const args = [...defines.flatMap((one) => ["--define", one]), "--target", architecture, "-bb", spec];
  execFileSync("rpmbuild", args, { stdio: "pipe" });
  const name = `nightjar-${facts.version}-1.${architecture}.rpm`;
  renameSync(join(work, architecture, name), join(out, name));
  rmSync(work, { recursive: true });
  return join(out, name);
}

function specFile(root: string, facts: PackageFacts): string {
  const needs = [
    `glibc >= ${facts.glibc_min}`,
    "libstdc++ >= 11",
    "libgcc",
    `systemd >= ${SYSTEMD_MIN}`,
    "shadow-utils",
  ];
  return [
    "Name: nightjar",
    `Version: ${facts.version}`,
    "Release: 1",
    `Summary: ${SUMMARY}`,
    "License: Apache-2.0",
    ...needs.map((one) => `Requires: ${one}`),
    // What its own programs and libraries are called is nobody else's business.
    "AutoReqProv: no",
    "%define _binary_payload w9.zstdio",
    `%description\n${DESCRIPTION.join("\n")}`,
    `%install\nmkdir -p %{buildroot}\ncp -a '${root}/.' %{buildroot}/`,
    ...Object.entries(rpmScripts()).map(([section, script]) => `%${section}\n${script}`),
    "%files",
    "%defattr(-,root,root)",
    ...filesOf(root),
    "",
  ].join("\n");
}

/** A line a path: folders that only this package has are its own, and files in those that it shares with others. */
function filesOf(root: string): string[] {
  const shared = ["usr/bin", "usr/lib/systemd/system", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d"];
  const inShared = shared.flatMap((folder) => readdirSync(join(root, folder)).map((name) => `/${folder}/${name}`));
  const folders = ["/usr/lib/nightjar", ...inShared].filter((path) => statSync(join(root, path)).isDirectory());
  const files = inShared.filter((path) => !folders.includes(path));
  return [
    ...folders,
    ...files,
    "%dir /etc/nightjar",
    "%dir /etc/systemd/system/nightjar.slice.d",
    ...CONFIGURATION_FILES.map((path) => `%config(noreplace) ${path}`),
  ];
}
