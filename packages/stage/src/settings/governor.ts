// The settings of the governor, which gives up sight where the sensor takes more of the host than it may.
import { boolean, integer, list, type SettingTable } from "../setting.ts";

const MIB = 1024 * 1024;

export const governorSettings = {
  enabled: boolean({
    default: true,
    doc:
      "Whether the sensor gives up sight, step by step, where it takes more of the host than its budget. Off, it " +
      "takes what the events take.",
  }),
  cpu_percent: integer({
    default: 50,
    min: 1,
    max: 6_400,
    unit: "% of one processor",
    doc: "What all stages and nats-server together may take of the processors, over some seconds; the portal excepted.",
  }),
  busy_cpu_percent: integer({
    default: 25,
    min: 1,
    max: 6_400,
    unit: "% of one processor",
    doc: "The same while the host has no processor time left over: the work of others comes first.",
  }),
  memory_bytes: integer({
    default: 512 * MIB,
    min: 64 * MIB,
    max: 64 * 1024 * MIB,
    unit: "bytes",
    doc: "What they may take of the memory together: each process's own, and what they share once.",
  }),
  lag_s: integer({
    default: 10,
    min: 1,
    max: 3_600,
    unit: "s",
    doc: "How far the rules may be behind the kernel.",
  }),
  over_s: integer({
    default: 10,
    min: 1,
    max: 600,
    unit: "s",
    doc: "How long something must be over its budget before a step is taken, and before each further one.",
  }),
  back_s: integer({
    default: 60,
    min: 1,
    max: 3_600,
    unit: "s",
    doc:
      "How long all must be well below their budgets before a step is taken back. Twice as long, up to ten times, " +
      "after each step back that did not last.",
  }),
  sensitive_paths: list({
    default: [
      "/etc/",
      "/root/",
      "/boot/",
      "/bin/",
      "/sbin/",
      "/lib/",
      "/usr/bin/",
      "/usr/sbin/",
      "/usr/local/bin/",
      "/usr/local/sbin/",
      "/usr/lib/systemd/",
      "/usr/lib/modules/",
      "/var/spool/cron/",
      "/var/lib/systemd/",
      "authorized_keys",
      "authorized_keys2",
      ".bashrc",
      ".profile",
      ".bash_profile",
      ".zshrc",
    ],
    doc:
      "Where writing to files is told to the last: all below a path that ends with a slash, a file of its name " +
      "anywhere where there is no slash, else that file.",
  }),
} satisfies SettingTable;
