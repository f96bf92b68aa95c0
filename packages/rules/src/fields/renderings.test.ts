// What numbers look like as text: each row is a rendering, a value, and the text that rules compare.
import type { DescField } from "@bufbuild/protobuf";
import { EventSchema } from "@nightjar/proto";
import test from "ava";
import { EventView } from "../engine/event-view.ts";
import type { Value } from "./definition.ts";
import { RENDERINGS, renderingNamed } from "./renderings.ts";

const TABLE: readonly (readonly [name: string, value: Exclude<Value, undefined>, text: string])[] = [
  ["octal", 0o644, "0644"],
  ["octal", 0, "0"],
  ["hex", 0, "0"],
  ["hex", 0x7fad4855d000, "7FAD4855D000"],
  ["hex", 2n ** 64n - 1n, "FFFFFFFFFFFFFFFF"],
  ["mode", 0o4755, "S_ISUID|S_IRUSR|S_IWUSR|S_IXUSR|S_IRGRP|S_IXGRP|S_IROTH|S_IXOTH"],
  ["mode", 0, "0"],
  ["mode", 0o020600, "S_IRUSR|S_IWUSR|S_IFCHR"],
  ["result", -2, "ENOENT"],
  ["result", 5, "5"],
  ["error", 13, "EACCES"],
  ["error", 9999, "9999"],
  ["signal", 9, "SIGKILL"],
  ["signal", 31, "SIGSYS"],
  ["signal", 0, "0"],
  ["signal", 64, "64"],
  ["user", 0xffffffff, "-1"],
  ["capabilities", 0b100001, "CAP_CHOWN CAP_KILL"],
  ["capabilities", 2n ** 40n, "CAP_CHECKPOINT_RESTORE"],
  ["directory", -100, "AT_FDCWD"],
  ["directory", 7, "7"],
  ["open_flags", 0, "O_RDONLY"],
  ["open_flags", 0o2001102, "O_RDWR|O_CREAT|O_TRUNC|O_CLOEXEC"],
  ["descriptor_flags", 0, "0"],
  ["descriptor_flags", 0o2004000, "O_NONBLOCK|O_CLOEXEC"],
  ["unlink_flags", 0x200, "AT_REMOVEDIR"],
  ["clone_flags", 0x10020000, "CLONE_NEWNS|CLONE_NEWUSER"],
  ["clone_flags", 0x200000000, "CLONE_INTO_CGROUP"],
  ["clone_flags", 0, "0"],
  ["ptrace_request", 0, "PTRACE_TRACEME"],
  ["ptrace_request", 16, "PTRACE_ATTACH"],
  ["ptrace_request", 0x4206, "PTRACE_SEIZE"],
  ["ptrace_request", 99, "99"],
  ["prctl_option", 15, "PR_SET_NAME"],
  ["prot_flags", 5, "PROT_READ|PROT_EXEC"],
  ["prot_flags", 0, "PROT_NONE"],
  ["mmap_flags", 0x22, "MAP_PRIVATE|MAP_ANONYMOUS"],
  ["mount_flags", 4097, "RDONLY|BIND"],
  ["umount_flags", 2, "DETACH"],
  ["memfd_flags", 3, "MFD_CLOEXEC|MFD_ALLOW_SEALING"],
  ["socket_family", 1, "AF_LOCAL"],
  ["socket_family", 17, "AF_PACKET"],
  ["socket_family", 999, "999"],
  ["tcp_state", 10, "TCP_LISTEN"],
  ["dns_type", 28, "AAAA"],
  ["bpf_command", 5, "BPF_PROG_LOAD"],
  ["bpf_command", 0, "BPF_MAP_CREATE"],
  ["bpf_program_type", 29, "BPF_PROG_TYPE_LSM"],
  ["bpf_map_type", 27, "BPF_MAP_TYPE_RINGBUF"],
  ["keyctl_command", 11, "KEYCTL_READ"],
  ["module_flags", 3, "MODULE_INIT_IGNORE_MODVERSIONS|MODULE_INIT_IGNORE_VERMAGIC"],
  ["perf_type", 5, "PERF_TYPE_BREAKPOINT"],
  ["userfaultfd_flags", 0o2000001, "O_CLOEXEC|UFFD_USER_MODE_ONLY"],
  ["io_uring_operation", 18, "IORING_OP_OPENAT"],
];

// None of these looks at the event or at its field.
const view = Object.assign(new EventView(), { batch: { userNames: new Map(), groupNames: new Map() } });
const field = EventSchema.field.result as DescField;

for (const [name, value, text] of TABLE) {
  test(`${name} of ${value} is ${text}`, (t) => {
    t.is(renderingNamed(name, field)?.(value, view), text);
  });
}

test("what has no name is no rendering", (t) => {
  t.is(renderingNamed("no_such", field), undefined);
  t.true(RENDERINGS.size > 30);
});
