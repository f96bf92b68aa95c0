// Finds secrets among a program's arguments: by the program's own flags, and by flags that are named like secrets.

import { isSecretValue, secretName } from "./find-assignments.ts";
import { formOf } from "./find-forms.ts";
import { isNoSecret } from "./not-secret.ts";
import { type ArgumentRow, argumentRows, parts } from "./programs.ts";
import type { Span } from "./span.ts";

/** A secret in an argument. */
export interface ArgumentSpan extends Span {
  index: number;
}

/** A shell in front of a program, sudo, env and the like have few arguments of their own. */
const PROGRAM_AT_MAX = 24;
const NAME_CHARACTERS_MAX = 64;

const rowsOf = new Map<string, ArgumentRow[]>();
for (const row of argumentRows) {
  for (const program of row.programs) rowsOf.set(program, [...(rowsOf.get(program) ?? []), row]);
}

/** The programs whose flags are known. */
export const knownPrograms: readonly string[] = [...rowsOf.keys()];

/** The secrets in a program's arguments, its name first, each argument whole. */
export function findArguments(args: readonly string[]): ArgumentSpan[] {
  const found: ArgumentSpan[] = [];
  for (let at = 0; at < Math.min(args.length, PROGRAM_AT_MAX); at++) {
    const name = baseName(args[at] as string);
    for (const row of rowsOf.get(name) ?? []) findOfRow(args, at + 1, row, found);
  }
  findNamed(args, found);
  return found;
}

function baseName(arg: string): string {
  if (arg.length > 4096) return "";
  return arg.slice(arg.lastIndexOf("/") + 1);
}

function findOfRow(args: readonly string[], from: number, row: ArgumentRow, found: ArgumentSpan[]): void {
  if (row.with !== undefined && !args.includes(row.with, from)) return;
  const { flag, where } = row;
  if (where === "last") {
    const flagged = flag === "" ? from : args.indexOf(flag, from) + 1;
    if (flagged > 0 && args.length - 1 >= flagged) take(args, args.length - 1, 0, row, found);
    return;
  }
  for (let index = from; index < args.length; index++) {
    const arg = args[index] as string;
    if (where === "any") take(args, index, 0, row, found);
    else if (arg === flag) {
      if (where !== "joined" && index + 1 < args.length) take(args, ++index, 0, row, found);
    } else if (where !== "next" && arg.startsWith(flag)) {
      const long = flag.startsWith("--");
      if (!long) take(args, index, flag.length, row, found);
      else if (arg[flag.length] === "=") take(args, index, flag.length + 1, row, found);
    }
  }
}

function take(args: readonly string[], index: number, from: number, row: ArgumentRow, found: ArgumentSpan[]): void {
  const arg = args[index] as string;
  const match = parts[row.part].exec(from === 0 ? arg : arg.slice(from));
  const secret = match?.[1];
  if (!secret || isNoSecret(secret)) return;
  const start = from + (match.indices?.[1]?.[0] ?? 0);
  found.push({ index, start, end: start + secret.length, kind: formOf(secret) ?? "password" });
}

/** `--db-password x`, `--db-password=x`, `DB_PASSWORD=x`: whatever the program. */
function findNamed(args: readonly string[], found: ArgumentSpan[]): void {
  args.forEach((arg, index) => {
    const equals = arg.indexOf("=");
    const name = /^-{0,2}[A-Za-z_][A-Za-z0-9_.-]*$/.exec(
      equals === -1 ? arg.slice(0, NAME_CHARACTERS_MAX + 1) : arg.slice(0, Math.min(equals, NAME_CHARACTERS_MAX)),
    )?.[0];
    if (name === undefined) return;
    const row = secretName(name);
    if (!row) return;
    if (equals !== -1) pushNamed(arg, index, equals + 1);
    else if (name === arg && arg.startsWith("-") && !(args[index + 1] ?? "-").startsWith("-")) {
      pushNamed(args[index + 1] as string, index + 1, 0);
    }

    function pushNamed(value: string, at: number, start: number): void {
      const secret = value.slice(start);
      if (row && isSecretValue(row, secret)) {
        found.push({ index: at, start, end: value.length, kind: formOf(secret) ?? row.kind });
      }
    }
  });
}
