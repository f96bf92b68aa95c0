// A process and its ancestors in one line.
import type { Process } from "@nightjar/proto";
import { printable, utf8 } from "./text.ts";

const COMMAND_LINE_CHARACTERS_MAX = 160;
const ANCESTORS_MAX = 8;

/** The last component of the executable; the kernel's name of it where there is none; "?" where that is not known. */
export function processName(process: Process): string {
  const executable = utf8(process.image?.executable ?? new Uint8Array());
  return executable.slice(executable.lastIndexOf("/") + 1) || utf8(process.name) || "?";
}

/** Its arguments as one text, its name where they are not known. */
export function commandLine(process: Process): string {
  const args = (process.image?.args ?? []).map(utf8).join(" ");
  return args === "" ? processName(process) : args;
}

/** "cat /etc/shadow (pid 7, root) ← bash (pid 5) ← sshd (pid 3)": the process first, then its ancestors. */
export function processLine(processes: readonly Process[]): string {
  const [actor, ...ancestors] = processes;
  if (!actor) return "process not known";
  const command = clip(commandLine(actor));
  const user = actor.userName || `uid ${actor.uid}`;
  const shown = ancestors.slice(0, ANCESTORS_MAX).map((one) => `${processName(one)} (pid ${one.pid})`);
  if (ancestors.length > ANCESTORS_MAX) shown.push(`${ancestors.length - ANCESTORS_MAX} more`);
  return printable([`${command} (pid ${actor.pid}, ${user})`, ...shown].join(" ← "));
}

function clip(text: string): string {
  return text.length > COMMAND_LINE_CHARACTERS_MAX ? `${text.slice(0, COMMAND_LINE_CHARACTERS_MAX)}…` : text;
}
