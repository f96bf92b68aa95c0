// What `nightjar doctor` can find: each with its code, and what it costs in sight. docs/reference/doctor.md is made of
// this.

/** fatal: the sensor cannot run; less: it sees less, or loses more; none: it costs nothing to see. */
export type Cost = "fatal" | "less" | "none";

interface Finding {
  cost: Cost;
  doc: string;
}

export const doctorCodes = {
  RIGHTS_MISSING: {
    cost: "fatal",
    doc: "Neither CAP_SYS_ADMIN nor CAP_BPF with CAP_PERFMON: no program can be loaded. Run it as root.",
  },
  LOCKED_DOWN: {
    cost: "fatal",
    doc: "The kernel is locked down to confidentiality, which forbids programs to read its memory.",
  },
  BTF_MISSING: {
    cost: "fatal",
    doc: "The kernel has no types (CONFIG_DEBUG_INFO_BTF): nobody can tell where its structures have their members.",
  },
  RING_BUFFER_MISSING: {
    cost: "fatal",
    doc: "The kernel has no BPF ring buffer, which came with 5.8: events have no way out.",
  },
  TRACEPOINTS_REFUSED: {
    cost: "fatal",
    doc: "The kernel refuses programs at its typed tracepoints (tp_btf), by which all events are seen.",
  },
  PROGRAMS_REFUSED: {
    cost: "fatal",
    doc: "The kernel refuses the sensor's own programs; the cause is beside it. Please report it with this output.",
  },
  ATTACHMENT_REFUSED: {
    cost: "less",
    doc: "One of the programs is loaded and could not be attached: what it reports is not seen.",
  },
  COLLECTOR_SILENT: {
    cost: "less",
    doc: "A sensor runs for this state folder, and its collector does not answer: nothing is known of its programs.",
  },
  FEXIT_REFUSED: {
    cost: "none",
    doc: "No programs at the end of kernel functions: each system call of the machine pays about 0.1 µs.",
  },
  FENTRY_REFUSED: {
    cost: "less",
    doc: "No programs at the beginning of kernel functions: paths are told as they were passed, links not followed.",
  },
  LSM_REFUSED: {
    cost: "none",
    doc: "No programs at security hooks (`bpf` is not among lsm= of the kernel's command line, or it refuses them).",
  },
  RAW_TRACEPOINTS_REFUSED: { cost: "none", doc: "No untyped raw tracepoints; the typed ones serve." },
  TRACEPOINTS_UNMOUNTED: {
    cost: "none",
    doc: "No tracepoints by name: tracefs is not mounted, or not in the kernel. The typed ones need neither.",
  },
  KPROBES_MISSING: { cost: "none", doc: "No kprobes; no event needs them where tracepoints are." },
  ITERATORS_REFUSED: { cost: "none", doc: "No iterators over tasks; processes that ran before are read from /proc." },
  BPFFS_MISSING: {
    cost: "less",
    doc: "No BPF file system at /sys/fs/bpf: what is in the ring is lost when the collector dies.",
  },
  LOCKED_MEMORY_LIMITED: {
    cost: "none",
    doc: "Locked memory is limited and may not be raised; kernels before 5.11 then refuse the ring.",
  },
  X32_CALLS_POSSIBLE: {
    cost: "less",
    doc: "The kernel has the x32 ABI: its own calls from number 512 on are not looked at.",
  },
} as const satisfies Record<string, Finding>;

export type DoctorCode = keyof typeof doctorCodes;
