// What the command's exit code tells a script; docs/reference/cli.md is made from it.

export const exitCodes = {
  OK: { code: 0, doc: "It worked. For a command that goes on until it is told to end, also Ctrl-C." },
  FAILED: { code: 1, doc: "It failed for a reason of its own, which it names." },
  USAGE: { code: 2, doc: "An argument or a setting is not allowed, or a file named by one cannot be used." },
  NOT_READY: { code: 3, doc: "`status --wait`: the time is over and not every stage is ready." },
  NOT_RUNNING: { code: 4, doc: "No sensor answers for this state folder." },
  NOT_PERMITTED: { code: 5, doc: "It needs rights that the user or the kernel does not give, such as loading eBPF." },
  ALREADY_RUNNING: { code: 6, doc: "Another `nightjar run` works on this state folder." },
  DISABLED: { code: 7, doc: "The settings say that the sensor is not to run here (`enabled`, `disable_service`)." },
} as const satisfies Record<string, { code: number; doc: string }>;

export type ExitName = keyof typeof exitCodes;
