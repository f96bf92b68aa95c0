// What processes are made with and do to one another: clone flags, signals, ptrace, prctl, capabilities.
import { flagNames, type Names, valueNames } from "./table.ts";

// Linux include/uapi/linux/sched.h, in the order of names in which Falco prints them.
const CLONE_FLAGS: Names = [
  ["CLONE_FILES", 0x400],
  ["CLONE_FS", 0x200],
  ["CLONE_IO", 0x80000000],
  ["CLONE_NEWIPC", 0x8000000],
  ["CLONE_NEWNET", 0x40000000],
  ["CLONE_NEWNS", 0x20000],
  ["CLONE_NEWPID", 0x20000000],
  ["CLONE_NEWUTS", 0x4000000],
  ["CLONE_PARENT", 0x8000],
  ["CLONE_PARENT_SETTID", 0x100000],
  ["CLONE_PTRACE", 0x2000],
  ["CLONE_SIGHAND", 0x800],
  ["CLONE_SYSVSEM", 0x40000],
  ["CLONE_THREAD", 0x10000],
  ["CLONE_UNTRACED", 0x800000],
  ["CLONE_VM", 0x100],
  ["CLONE_NEWUSER", 0x10000000],
  ["CLONE_CHILD_CLEARTID", 0x200000],
  ["CLONE_CHILD_SETTID", 0x1000000],
  ["CLONE_SETTLS", 0x80000],
  ["CLONE_VFORK", 0x4000],
  ["CLONE_NEWCGROUP", 0x2000000],
  ["CLONE_PIDFD", 0x1000],
  ["CLONE_NEWTIME", 0x80],
  ["CLONE_CLEAR_SIGHAND", 0x100000000],
  ["CLONE_INTO_CGROUP", 0x200000000],
];
// include/uapi/linux/ptrace.h, and arch/x86/include/uapi/asm/ptrace-abi.h.
const PTRACE_REQUESTS: Names = [
  ["PTRACE_TRACEME", 0],
  ["PTRACE_PEEKTEXT", 1],
  ["PTRACE_PEEKDATA", 2],
  ["PTRACE_PEEKUSR", 3],
  ["PTRACE_POKETEXT", 4],
  ["PTRACE_POKEDATA", 5],
  ["PTRACE_POKEUSR", 6],
  ["PTRACE_CONT", 7],
  ["PTRACE_KILL", 8],
  ["PTRACE_SINGLESTEP", 9],
  ["PTRACE_GETREGS", 12],
  ["PTRACE_SETREGS", 13],
  ["PTRACE_GETFPREGS", 14],
  ["PTRACE_SETFPREGS", 15],
  ["PTRACE_ATTACH", 16],
  ["PTRACE_DETACH", 17],
  ["PTRACE_GETFPXREGS", 18],
  ["PTRACE_SETFPXREGS", 19],
  ["PTRACE_OLDSETOPTIONS", 21],
  ["PTRACE_SYSCALL", 24],
  ["PTRACE_GET_THREAD_AREA", 25],
  ["PTRACE_SET_THREAD_AREA", 26],
  ["PTRACE_ARCH_PRCTL", 30],
  ["PTRACE_SYSEMU", 31],
  ["PTRACE_SYSEMU_SINGLESTEP", 32],
  ["PTRACE_SINGLEBLOCK", 33],
  ["PTRACE_SETOPTIONS", 0x4200],
  ["PTRACE_GETEVENTMSG", 0x4201],
  ["PTRACE_GETSIGINFO", 0x4202],
  ["PTRACE_SETSIGINFO", 0x4203],
  ["PTRACE_GETREGSET", 0x4204],
  ["PTRACE_SETREGSET", 0x4205],
  ["PTRACE_SEIZE", 0x4206],
  ["PTRACE_INTERRUPT", 0x4207],
  ["PTRACE_LISTEN", 0x4208],
  ["PTRACE_PEEKSIGINFO", 0x4209],
  ["PTRACE_GETSIGMASK", 0x420a],
  ["PTRACE_SETSIGMASK", 0x420b],
  ["PTRACE_SECCOMP_GET_FILTER", 0x420c],
  ["PTRACE_SECCOMP_GET_METADATA", 0x420d],
  ["PTRACE_GET_SYSCALL_INFO", 0x420e],
];
// arch/x86/include/uapi/asm/signal.h and include/uapi/asm-generic/signal.h, from 1 on.
const SIGNALS = `SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE
SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF
SIGWINCH SIGIO SIGPWR SIGSYS`.split(/\s+/);
// include/uapi/linux/prctl.h.
const PRCTL_OPTIONS: Names = [
  ["PR_SET_PDEATHSIG", 1],
  ["PR_GET_PDEATHSIG", 2],
  ["PR_GET_DUMPABLE", 3],
  ["PR_SET_DUMPABLE", 4],
  ["PR_GET_KEEPCAPS", 7],
  ["PR_SET_KEEPCAPS", 8],
  ["PR_SET_NAME", 15],
  ["PR_GET_NAME", 16],
  ["PR_GET_SECCOMP", 21],
  ["PR_SET_SECCOMP", 22],
  ["PR_CAPBSET_READ", 23],
  ["PR_CAPBSET_DROP", 24],
  ["PR_GET_SECUREBITS", 27],
  ["PR_SET_SECUREBITS", 28],
  ["PR_MCE_KILL", 33],
  ["PR_MCE_KILL_GET", 34],
  ["PR_SET_MM", 35],
  ["PR_SET_CHILD_SUBREAPER", 36],
  ["PR_GET_CHILD_SUBREAPER", 37],
  ["PR_SET_NO_NEW_PRIVS", 38],
  ["PR_GET_NO_NEW_PRIVS", 39],
  ["PR_CAP_AMBIENT", 47],
  ["PR_SET_PTRACER", 0x59616d61],
];

const signals = new Map(SIGNALS.map((name, at) => [at + 1, name]));

export const cloneFlags = flagNames(CLONE_FLAGS);
export const ptraceRequest = valueNames(PTRACE_REQUESTS);
export const signalName = valueNames([...signals].map(([number, name]) => [name, number]));
export const prctlOption = valueNames(PRCTL_OPTIONS);
