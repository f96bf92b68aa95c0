// What programs and libraries ask of the host's C and C++ libraries: the newest symbol versions they were linked with.
import { spawnSync } from "node:child_process";

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** The oldest glibc and libstdc++ (as GLIBCXX numbers its symbols) on which all of `files` load; "0" for none. */
export function lowestVersions(files: readonly string[]): { glibc_min: string; glibcxx_min: string } {
  const { status, stdout, stderr } = spawnSync("readelf", ["--version-info", "--wide", ...files], {
    encoding: "utf8",
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (status !== 0) throw new Error(`readelf failed: ${stderr}`);
  return { glibc_min: newest(stdout, "GLIBC"), glibcxx_min: newest(stdout, "GLIBCXX") };
}

/** Of the versions of `library` in what readelf printed, the last in the order of versions. */
export function newest(text: string, library: string): string {
  const versions = [...text.matchAll(new RegExp(`Name: ${library}_(\\d+(?:\\.\\d+)*)\\s`, "g"))].map(([, one]) => one!);
  return versions.sort(inOrder).at(-1) ?? "0";
}

const inOrder = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true });
