// What `nightjar doctor` can find: each with its code, and what it costs in sight. docs/reference/doctor.md is made of
// this.

/** fatal: the sensor cannot run; less: it sees less, or loses more; none: it costs nothing to see. */
export type Cost = "fatal" | "less" | "none";

interface Finding {
  cost: Cost;
  doc: string;
  /** What to try; left out where nothing needs to be done. */
  remedy?: string;
}

export const doctorCodes = {
  RIGHTS_MISSING: {
    cost: "fatal",
    doc: "Neither CAP_SYS_ADMIN nor CAP_BPF with CAP_PERFMON: no program can be loaded.",
    remedy: "Run it as root, or with CAP_BPF and CAP_PERFMON.",
  },
  LOCKED_DOWN: {
    cost: "fatal",
    doc: "The kernel is locked down to confidentiality, which forbids programs to read its memory.",
    remedy: "Boot with `lockdown=integrity` or without; where Secure Boot asks for it, the vendor says how.",
  },
  BTF_MISSING: {
    cost: "fatal",
    doc: "The kernel has no types (CONFIG_DEBUG_INFO_BTF): nobody can tell where its structures have their members.",
    remedy: "Take a kernel of the distribution: all since 5.10 that Nightjar names have /sys/kernel/btf/vmlinux.",
  },
  RING_BUFFER_MISSING: {
    cost: "fatal",
    doc: "The kernel has no BPF ring buffer, which came with 5.8: events have no way out.",
    remedy: "Take a kernel from 5.10 on.",
  },
  TRACEPOINTS_REFUSED: {
    cost: "fatal",
    doc: "The kernel refuses programs at its typed tracepoints (tp_btf), by which all events are seen.",
    remedy: "On aarch64 take a kernel from 6.0 on; elsewhere one of the distribution with CONFIG_FTRACE.",
  },
  PROGRAMS_REFUSED: {
    cost: "fatal",
    doc: "The kernel refuses the sensor's own programs; the cause is beside it.",
    remedy: "With errno 13 a policy forbids it: see the rows on SELinux and AppArmor. Else report it with this output.",
  },
  ATTACHMENT_REFUSED: {
    cost: "less",
    doc: "One of the programs is loaded and could not be attached: what it reports is not seen.",
    remedy: "See whether another tracer holds the place, and the row on the kernel; report it with this output.",
  },
  COLLECTOR_SILENT: {
    cost: "less",
    doc: "A sensor runs for this state folder, and its collector does not answer: nothing is known of its programs.",
    remedy: "`nightjar logs --errors` says why; start the collector again.",
  },
  FEXIT_REFUSED: {
    cost: "none",
    doc: "No programs at the end of kernel functions: each system call of the machine pays about 0.1 µs.",
  },
  FENTRY_REFUSED: {
    cost: "less",
    doc: "No programs at the beginning of kernel functions: paths are told as they were passed, links not followed.",
    remedy: "Take a kernel with CONFIG_FUNCTION_TRACER and, on aarch64, from 6.0 on.",
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
    remedy: "`mount -t bpf bpf /sys/fs/bpf`; a container or unit with mounts of its own has to be given the host's.",
  },
  LOCKED_MEMORY_LIMITED: {
    cost: "none",
    doc: "Locked memory is limited and may not be raised; kernels before 5.11 then refuse the ring.",
    remedy: "Give the process CAP_SYS_RESOURCE, or LimitMEMLOCK=infinity in its unit.",
  },
  X32_CALLS_POSSIBLE: {
    cost: "less",
    doc: "The kernel has the x32 ABI: its own calls from number 512 on are not looked at.",
    remedy: "Boot with `syscall.x32=n` where nothing needs that interface.",
  },
  KERNEL_TOO_OLD: {
    cost: "fatal",
    doc: "The kernel is older than 5.10, the first that the sensor is made for.",
    remedy: "Take the distribution's kernel of today: all that are still maintained are newer.",
  },
  CAPABILITIES_FEW: {
    cost: "less",
    doc: "Without CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH the enricher cannot read other users' processes and files.",
    remedy: "Run it as root, or give the enricher both.",
  },
  SECURITY_MODULE_ENFORCES: {
    cost: "none",
    doc: "SELinux enforces its policy, or an AppArmor profile confines this process; forbidding bpf shows as EACCES.",
    remedy:
      "Only where programs are refused: `ausearch -m avc -ts recent` or `journalctl -k | grep DENIED` names what.",
  },
  CGROUPS_OLD: {
    cost: "none",
    doc: "cgroup v1, or v1 and v2 side by side: containers are told by either, limits of units may not hold.",
    remedy: "Boot with `systemd.unified_cgroup_hierarchy=1` where the containers' runtime knows cgroup v2.",
  },
  DISK_SHORT: {
    cost: "less",
    doc: "The disk of the state folder is nearly full: at 95 % nothing more is stored, and events are held back.",
    remedy:
      "Make room, or put the state folder elsewhere (`--state-dir`); `bus.disk_bytes` says what streams may take.",
  },
  MEMORY_SHORT: {
    cost: "less",
    doc: "The machine has little memory left: the kernel may end the sensor's processes or hold them up.",
    remedy: "See who takes it; the sensor itself takes about 250 MB, the embedded portal more.",
  },
  CLOCK_UNSYNCHRONISED: {
    cost: "none",
    doc: "The clock is not synchronised: detections have the host's times; certificates may seem not valid yet.",
    remedy: "Start systemd-timesyncd, chrony or ntpd.",
  },
  CLOCK_SLOW: {
    cost: "none",
    doc: "The kernel reads its time from a device (hpet, acpi_pm), which takes about 1 µs; each event reads it.",
    remedy: "Find out why the kernel does not trust the tsc (`dmesg | grep -i tsc`).",
  },
  PORTAL_OUT_OF_REACH: {
    cost: "less",
    doc: "The way to the portal ends before it: detections wait in the outbox, content does not come.",
    remedy: "`nightjar doctor connectivity` walks it step by step and says what to try.",
  },
  STAGE_NOT_READY: {
    cost: "less",
    doc: "A sensor runs for this state folder, and one of its stages does not answer or is not ready.",
    remedy: "`nightjar logs --errors` says why; `nightjar status` who it is.",
  },
  HEALTH_ISSUE_OPEN: {
    cost: "less",
    doc: "A stage tells of a loss of sight or function, see [health](health.md) for its code.",
    remedy: "`nightjar health` tells since when; the page on health issues what to do.",
  },
} as const satisfies Record<string, Finding>;

export type DoctorCode = keyof typeof doctorCodes;

/** What to try, where there is something. */
export function remedyOf(code: DoctorCode): string | undefined {
  const finding: Finding = doctorCodes[code];
  return finding.remedy;
}
