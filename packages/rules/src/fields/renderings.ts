// How a field's value becomes the text that rules compare arguments with: the rows that the option `render` names.
import { type DescField, getOption } from "@bufbuild/protobuf";
import { render } from "@nightjar/proto";
import type { EventView } from "../engine/event-view.ts";
import type { Value } from "./definition.ts";
import { AT_FDCWD, absolutePath, descriptorText } from "./descriptor.ts";
import {
  atFlags,
  memfdFlags,
  modeBits,
  mountFlags,
  moveMountFlags,
  renameFlags,
  umountFlags,
  xattrFlags,
} from "./flags/files.ts";
import {
  bpfCommand,
  bpfMapType,
  bpfProgramType,
  ioUringOperation,
  ioUringSetupFlags,
  keyctlCommand,
  moduleFlags,
  perfFlags,
  perfType,
  userfaultfdFlags,
} from "./flags/kernel.ts";
import { mapFlags, protection } from "./flags/memory.ts";
import { dnsType, messageFlags, socketFamily, tcpState } from "./flags/network.ts";
import { descriptorFlags, openFlags } from "./flags/open.ts";
import { cloneFlags, prctlOption, ptraceRequest, signalName } from "./flags/process.ts";
import type { Write } from "./flags/table.ts";
import { capabilityNames, errorName } from "./words.ts";

/** The text of a value that is there. */
export type Rendering = (value: Exclude<Value, undefined>, view: EventView) => string;

/** Makes the rendering of a field. */
type Make = (field: DescField) => Rendering;

/** Of a number; one beyond 2^53 stays a number. */
const number =
  (write: Write): Make =>
  () =>
  (value) =>
    typeof value === "number" ? write(value) : String(value);

/** A path the caller passed, from the directory it named with the descriptor in the field beside. */
function path(field: DescField): Rendering {
  const [prefix] = field.name.split("_");
  const beside = [`${prefix}_directory_fd`, "directory_fd"];
  const directory = field.parent.fields.find(({ name }) => beside.includes(name))?.number;
  return (value, view) => absolutePath(view, String(value), directory && view.data.int(directory));
}

/** Falco writes an octal mode with a leading zero, and 0 alone for none. */
const octal: Write = (mode) => (mode === 0 ? "0" : `0${mode.toString(8)}`);
const hexadecimal: Make = () => (value) =>
  BigInt(value as number)
    .toString(16)
    .toUpperCase();
const directory: Write = (fd) => (fd === AT_FDCWD ? "AT_FDCWD" : String(fd));
const result: Write = (value) => (value < 0 ? errorName(-value) : String(value));

const NO_ID = 0xffff_ffff;

/** The name of a user or group; the number where the host has no name for it, -1 for none. */
const idName =
  (names: (view: EventView) => ReadonlyMap<number, string>): Make =>
  () =>
  (value, view) =>
    value === NO_ID ? "-1" : (names(view).get(value as number) ?? String(value));

const ROWS: readonly (readonly [name: string, make: Make, example: string])[] = [
  ["octal", number(octal), "0644"],
  ["hex", hexadecimal, "7FAD4855D000"],
  ["mode", number(modeBits), "S_ISUID|S_IRUSR|S_IXUSR"],
  ["result", number(result), "ENOENT"],
  ["error", number(errorName), "ENOENT"],
  ["signal", number(signalName), "SIGKILL"],
  ["user", idName(({ batch }) => batch.userNames), "nobody"],
  ["group", idName(({ batch }) => batch.groupNames), "nogroup"],
  ["capabilities", () => (value) => capabilityNames(value as number | bigint), "CAP_CHOWN CAP_KILL"],
  ["path", path, "/etc/hosts, where hosts was passed in /etc"],
  ["directory", number(directory), "AT_FDCWD"],
  ["descriptor", () => descriptorText, "<f>/etc/hosts"],
  ["open_flags", number(openFlags), "O_WRONLY|O_CREAT"],
  ["descriptor_flags", number(descriptorFlags), "O_NONBLOCK|O_CLOEXEC"],
  ["unlink_flags", number(atFlags), "AT_REMOVEDIR"],
  ["at_flags", number(atFlags), "AT_SYMLINK_NOFOLLOW"],
  ["rename_flags", number(renameFlags), "RENAME_EXCHANGE"],
  ["mount_flags", number(mountFlags), "RDONLY|BIND"],
  ["umount_flags", number(umountFlags), "DETACH"],
  ["move_mount_flags", number(moveMountFlags), "MOVE_MOUNT_F_EMPTY_PATH"],
  ["xattr_flags", number(xattrFlags), "XATTR_CREATE"],
  ["memfd_flags", number(memfdFlags), "MFD_CLOEXEC"],
  ["clone_flags", number(cloneFlags), "CLONE_NEWNS|CLONE_NEWUSER"],
  ["ptrace_request", number(ptraceRequest), "PTRACE_ATTACH"],
  ["prctl_option", number(prctlOption), "PR_SET_NAME"],
  ["prot_flags", number(protection), "PROT_READ|PROT_EXEC"],
  ["mmap_flags", number(mapFlags), "MAP_PRIVATE|MAP_ANONYMOUS"],
  ["socket_family", number(socketFamily), "AF_PACKET"],
  ["message_flags", number(messageFlags), "MSG_DONTWAIT"],
  ["tcp_state", number(tcpState), "TCP_LISTEN"],
  ["dns_type", number(dnsType), "AAAA"],
  ["bpf_command", number(bpfCommand), "BPF_PROG_LOAD"],
  ["bpf_program_type", number(bpfProgramType), "BPF_PROG_TYPE_KPROBE"],
  ["bpf_map_type", number(bpfMapType), "BPF_MAP_TYPE_HASH"],
  ["module_flags", number(moduleFlags), "MODULE_INIT_IGNORE_VERMAGIC"],
  ["keyctl_command", number(keyctlCommand), "KEYCTL_READ"],
  ["perf_flags", number(perfFlags), "PERF_FLAG_FD_CLOEXEC"],
  ["perf_type", number(perfType), "PERF_TYPE_TRACEPOINT"],
  ["userfaultfd_flags", number(userfaultfdFlags), "UFFD_USER_MODE_ONLY"],
  ["io_uring_operation", number(ioUringOperation), "IORING_OP_OPENAT"],
  ["io_uring_flags", number(ioUringSetupFlags), "IORING_SETUP_SQPOLL"],
];

/** Each rendering's name, with an example of what it gives. */
export const RENDERINGS: ReadonlyMap<string, string> = new Map(ROWS.map(([name, , example]) => [name, example]));

const makers = new Map(ROWS.map(([name, make]) => [name, make]));

/** What the option `render` of a field names; undefined where it has none. Throws where there is no such rendering. */
export function renderingOf(field: DescField): Rendering | undefined {
  const name = getOption(field, render);
  if (name === "") return undefined;
  const rendering = renderingNamed(name, field);
  if (!rendering) throw new Error(`${field.parent.name}.${field.name}: there is no rendering ${name}`);
  return rendering;
}

/** A rendering by its name, for a field. */
export function renderingNamed(name: string, field: DescField): Rendering | undefined {
  return makers.get(name)?.(field);
}
