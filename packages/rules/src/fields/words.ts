// Numbers of Linux and the words Falco prints for them: errors, capabilities, open flags.

// Linux include/uapi/asm-generic/errno-base.h and errno.h, from 1 on; a dash where a number is unused.
const ERRORS = `EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY
EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK EPIPE EDOM
ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP - ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT EL3RST ELNRNG EUNATCH
ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT - EBFONT ENOSTR ENODATA ETIME ENOSR ENONET ENOPKG EREMOTE
ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN
ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT
EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH
ENETRESET ECONNABORTED ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN
EHOSTUNREACH EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE
ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON`.split(/\s+/);

/** The name of an error number, e.g. "ENOENT" for 2; the number itself where it has none. */
export function errorName(number: number): string {
  const name = ERRORS[number - 1];
  return name === undefined || name === "-" ? String(number) : name;
}

export const EINPROGRESS = ERRORS.indexOf("EINPROGRESS") + 1;

// Linux include/uapi/linux/capability.h, from 0 on.
const CAPABILITIES = `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE
SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL
SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`.split(/\s+/);

/** The capabilities of a set, e.g. "CAP_CHOWN CAP_KILL", in the order of their numbers. */
export function capabilityNames(set: number | bigint): string {
  const bits = BigInt(set);
  return CAPABILITIES.filter((_, number) => (bits >> BigInt(number)) & 1n)
    .map((name) => `CAP_${name}`)
    .join(" ");
}

// Linux include/uapi/asm-generic/fcntl.h; x86_64 and arm64 share all but the three below that differ on arm64.
const O_ACCMODE = 0o3;
const OPEN_FLAGS: readonly (readonly [name: string, bits: number])[] = [
  ["O_CREAT", 0o100],
  ["O_EXCL", 0o200],
  ["O_TRUNC", 0o1000],
  ["O_APPEND", 0o2000],
  ["O_NONBLOCK", 0o4000],
  ["O_DSYNC", 0o10000],
  ["O_CLOEXEC", 0o2000000],
  ["O_PATH", 0o10000000],
];
const ACCESS_MODES = ["O_RDONLY", "O_WRONLY", "O_RDWR", "O_RDWR"];
const O_PATH = 0o10000000;

/** How many combinations of flags are remembered; programs use a few dozen. */
const REMEMBERED_FLAGS_MAX = 1024;
const rememberedFlags = new Map<number, string>();

/** The flags of an open as Falco prints them, e.g. "O_WRONLY|O_CREAT". */
export function openFlagNames(flags: number): string {
  let names = rememberedFlags.get(flags);
  if (names === undefined) {
    names = writeOpenFlags(flags);
    if (rememberedFlags.size < REMEMBERED_FLAGS_MAX) rememberedFlags.set(flags, names);
  }
  return names;
}

function writeOpenFlags(flags: number): string {
  const set = OPEN_FLAGS.filter(([, bits]) => (flags & bits) === bits).map(([name]) => name);
  return [ACCESS_MODES[flags & O_ACCMODE], ...set].join("|");
}

/** Whether a file opened with these flags may be read; an O_PATH descriptor may not. */
export function opensForReading(flags: number): boolean {
  return (flags & O_ACCMODE) !== 1 && (flags & O_PATH) === 0;
}

export function opensForWriting(flags: number): boolean {
  return (flags & O_ACCMODE) !== 0 && (flags & O_PATH) === 0;
}
