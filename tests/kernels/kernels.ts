// The kernels that the probe is tried on besides the one that runs, by the suite of Debian each comes from.

export interface Kernel {
  /** Its version as people say it; `node tests/kernels/run.ts 5.10` picks it. */
  version: string;
  /** The suite of Debian's archive with its newest package. */
  suite: string;
  /** What its command line needs beyond what all need. */
  commandLine: string;
}

export const kernels: readonly Kernel[] = [
  // Its own list of security modules has no bpf.
  { version: "5.10", suite: "bullseye-security", commandLine: "lsm=lockdown,yama,integrity,apparmor,bpf" },
  { version: "6.1", suite: "bookworm-security", commandLine: "" },
  { version: "6.12", suite: "trixie", commandLine: "" },
  { version: "7.3", suite: "trixie-backports", commandLine: "" },
];
