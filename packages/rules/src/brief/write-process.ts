// How what rules say of processes is written into a draft: names, command lines, users, of the actor and its ancestors.
import { DescriptorTypeSchema, wordsOf } from "@nightjar/proto";
import type { Draft, Fields, ProcessDraft } from "./draft.ts";
import { wholeNumber, wordsIn } from "./inverse.ts";

export type Given = string | readonly string[];

/** Writes a value into a draft; `argument` is what stands in brackets. False where the value cannot be one. */
export type Writer = (draft: Draft, given: Given, argument?: string) => boolean;

const utf8 = new TextEncoder();

const textOf = (given: Given): string => (typeof given === "string" ? given : given.join(" "));

/** What is said of one process. */
type ProcessWriter = (process: ProcessDraft, given: Given, argument?: string) => boolean;

function listAt(fields: Fields, key: string): unknown[] {
  fields[key] ??= [];
  return fields[key] as unknown[];
}

function setArguments(image: Fields, from: number, words: readonly string[]): boolean {
  const args = listAt(image, "args") as Uint8Array[];
  for (const [at, word] of words.entries()) args[from + at] = utf8.encode(word);
  return true;
}

const name: ProcessWriter = ({ row }, given) => {
  row.name = utf8.encode(textOf(given));
  return true;
};
const exe: ProcessWriter = ({ image }, given) => setArguments(image, 0, [textOf(given)]);
const exePath: ProcessWriter = ({ image }, given) => {
  image.executable = utf8.encode(textOf(given));
  return true;
};
const args: ProcessWriter = ({ image }, given, argument) => {
  if (argument === undefined) return setArguments(image, 1, wordsIn(given));
  const index = wholeNumber(argument);
  return index !== undefined && index < ARGUMENTS_MAX && setArguments(image, index + 1, [textOf(given)]);
};
/** So many a test may write one by one. */
const ARGUMENTS_MAX = 1024;

/** The name, then the arguments behind argv[0], which is the name where nothing else is said. */
const commandLine: ProcessWriter = ({ row, image }, given) => {
  const [first = "", ...rest] = wordsIn(given);
  row.name ??= utf8.encode(first);
  if ((image.args as Uint8Array[] | undefined)?.[0] === undefined) setArguments(image, 0, [first]);
  return setArguments(image, 1, rest);
};
/** All arguments, argv[0] first. */
const exeLine: ProcessWriter = ({ image }, given) => setArguments(image, 0, wordsIn(given));

const environment: ProcessWriter = ({ image }, given, argument) => {
  const entries = listAt(image, "environment") as Uint8Array[];
  const added = argument === undefined ? wordsIn(given) : [`${argument}=${textOf(given)}`];
  entries.push(...added.map((entry) => utf8.encode(entry)));
  return true;
};

const OF_PROCESS: readonly (readonly [name: string, write: ProcessWriter])[] = [
  ["name", name],
  ["exe", exe],
  ["exepath", exePath],
  ["args", args],
  ["cmdline", commandLine],
  ["env", environment],
];

/** proc.name is the actor's, proc.pname its parent's, proc.aname[2] its grandparent's. */
function forGenerations([part, write]: readonly [string, ProcessWriter]): [string, Writer][] {
  return [
    [`proc.${part}`, (draft, given, argument) => write(draft.processes[0] as ProcessDraft, given, argument)],
    [`proc.p${part}`, (draft, given) => write(draft.process(1) as ProcessDraft, given)],
    [
      `proc.a${part}`,
      (draft, given, argument = "") => {
        const process = /^[0-9]{1,2}$/.test(argument) ? draft.process(Number(argument)) : undefined;
        return process !== undefined && write(process, given);
      },
    ],
  ];
}

/** A whole number at a key of the event, of the actor's row or of its image. */
const numberAt =
  (key: string, where: "event" | "row" | "image"): Writer =>
  (draft, given) => {
    const number = wholeNumber(textOf(given));
    const { row, image } = draft.processes[0] as ProcessDraft;
    if (number === undefined) return false;
    ({ event: draft.event, row, image })[where][key] = number;
    return true;
  };

const loginUid: Writer = (draft, given) => {
  const uid = wholeNumber(textOf(given));
  if (uid === undefined) return false;
  // Falco's -1, the kernel's (uid_t)-1: a daemon.
  (draft.processes[0] as ProcessDraft).image.loginUid = uid >>> 0;
  return true;
};

const streamTypes = new Map([...wordsOf(DescriptorTypeSchema)].reverse().map(([number, word]) => [word, number]));

function streamOf(draft: Draft, number: number): Fields {
  const { image } = draft.processes[0] as ProcessDraft;
  const streams = listAt(image, "stdio") as Fields[];
  while (streams.length <= number) streams.push({});
  return streams[number] as Fields;
}

const streams = ["stdin", "stdout", "stderr"].flatMap((stream, number): [string, Writer][] => [
  [
    `proc.${stream}.type`,
    (draft, given) => {
      const type = streamTypes.get(textOf(given));
      streamOf(draft, number).type = type;
      return type !== undefined;
    },
  ],
  [
    `proc.${stream}.name`,
    (draft, given) => {
      streamOf(draft, number).name = utf8.encode(textOf(given));
      return true;
    },
  ],
]);

/** Fields of processes that no message has as they are, each with how it is written. */
export const PROCESS_WRITERS: ReadonlyMap<string, Writer> = new Map<string, Writer>([
  ...OF_PROCESS.flatMap(forGenerations),
  ["proc.exeline", (draft, given) => exeLine(draft.processes[0] as ProcessDraft, given)],
  ["sigma.ParentCommandLine", (draft, given) => exeLine(draft.process(1) as ProcessDraft, given)],
  [
    "sigma.ParentUser",
    (draft, given) => {
      (draft.process(1) as ProcessDraft).row.userName = textOf(given);
      return true;
    },
  ],
  ["proc.pid", numberAt("pid", "event")],
  ["proc.ppid", numberAt("parentPid", "event")],
  ["thread.tid", numberAt("tid", "event")],
  ["user.uid", numberAt("uid", "event")],
  ["group.gid", numberAt("gid", "event")],
  ["user.loginuid", loginUid],
  ...streams,
]);

/** "/usr/bin/cat /etc/shadow": the file that runs, which is argv[0] too, and its arguments. */
export function writeCommand(process: ProcessDraft, command: Given): boolean {
  const words = wordsIn(command);
  if (words.length === 0) return false;
  exePath(process, words[0] as string);
  return exeLine(process, words);
}
