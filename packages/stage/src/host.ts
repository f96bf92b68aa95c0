// What this host is, from where Linux keeps it.
import { cpus, hostname, machine, release, totalmem } from "node:os";
import { create } from "@bufbuild/protobuf";
import { type Host, HostSchema } from "@nightjar/proto";
import { readSmallFile } from "./state-folder.ts";

/** The first that is there counts (os-release(5), machine-id(5)). */
const OS_RELEASE_FILES = ["/etc/os-release", "/usr/lib/os-release"];
const MACHINE_ID_FILES = ["/etc/machine-id", "/var/lib/dbus/machine-id"];
const BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id";

/** As it is now: a host's name, its processors and its memory can change while it runs. */
export function readHost(): Host {
  return create(HostSchema, {
    name: hostname(),
    distribution: prettyName(firstFile(OS_RELEASE_FILES)),
    kernelRelease: release(),
    architecture: machine(),
    processors: cpus().length,
    memoryBytes: BigInt(totalmem()),
    bootId: readBootId(),
    machineId: firstFile(MACHINE_ID_FILES),
  });
}

/** The kernel's id of this boot, 32 hexadecimal digits. */
export function readBootId(): string {
  return firstFile([BOOT_ID_FILE]).trim().replaceAll("-", "");
}

function firstFile(files: readonly string[]): string {
  return files.map(readSmallFile).find((contents) => contents) ?? "";
}

/** PRETTY_NAME of an os-release(5) file, with its quotes and their escapes taken off; "" where there is none. */
export function prettyName(osRelease: string): string {
  const value = /^PRETTY_NAME=(.*)$/m.exec(osRelease)?.[1]?.trim() ?? "";
  const quoted = /^(["'])(.*)\1$/.exec(value)?.[2];
  return (quoted ?? value).replace(/\\(["'$`\\])/g, "$1");
}
