// What the governor gives up, step by step: the loudest and least telling first, the starts of programs never.
import { GOVERNED, type Governed } from "@nightjar/native-probe";
import { eventTypes } from "@nightjar/proto";
import type { HealthCodeName } from "@nightjar/stage";

export interface Step {
  /** As facts and logs name it; docs/governor.md has it. */
  name: string;
  /** The issue that is open while the step is in force. */
  code: HealthCodeName;
  /** What is not told, for a sentence. */
  what: string;
  /** Bits of GOVERNED for each type. `isForRules` says whether a rule could match events of a type. */
  gives: (isForRules: (type: number) => boolean) => [type: number, bits: number][];
}

const idOf = (name: string): number => {
  const type = eventTypes.find((one) => one.name === name);
  if (!type) throw new Error(`there is no event type ${name}`);
  return type.id;
};

const [OPEN, LIBRARY, FIRST_WRITE] = [idOf("open"), idOf("library"), idOf("first_write")];
/** Types of which the kernel asks filters: what nobody wants of them must not count as given up. */
const FILTERED: ReadonlySet<number> = new Set([OPEN, FIRST_WRITE, LIBRARY, idOf("connect"), idOf("accept")]);
const FOLDABLE: readonly number[] = [idOf("connect"), idOf("accept")];

const NETWORK = [
  ...["socket", "socketpair", "bind", "listen", "connect", "accept", "tcp_state"],
  ...["send", "receive", "dns", "shutdown", "setsockopt"],
].map(idOf);

/** Who runs, as whom and where: without these nothing else could be told of anybody. */
const PROCESSES: ReadonlySet<number> = new Set(
  [
    ...["exec", "fork", "exit", "exec_failure"],
    ...["set_id", "set_group", "capset", "prctl", "chdir", "chroot", "set_namespace"],
  ].map(idOf),
);

const everythingOf = (type: number): [number, number] => [
  type,
  FILTERED.has(type) ? GOVERNED.WANTED | GOVERNED.FOLDED : GOVERNED.ALL,
];

export const steps: readonly Step[] = [
  {
    name: "noisy_reads",
    code: "GOVERNOR_NOISY_READS",
    what: "file reads of programs that read most are sampled",
    gives: () => [[OPEN, GOVERNED.NOISY_READS]],
  },
  {
    name: "reads",
    code: "GOVERNOR_READS",
    what: "file reads are not told",
    gives: () => [[OPEN, GOVERNED.READS]],
  },
  {
    name: "libraries",
    code: "GOVERNOR_LIBRARIES",
    what: "libraries that are loaded are sampled",
    gives: () => [[LIBRARY, GOVERNED.SAMPLED]],
  },
  {
    name: "network",
    code: "GOVERNOR_NETWORK",
    what: "network activity that no rule asks for is not told",
    gives: (isForRules) => [
      ...NETWORK.filter((type) => !isForRules(type)).map(everythingOf),
      ...FOLDABLE.filter(isForRules).map((type): [number, number] => [type, GOVERNED.FOLDED]),
    ],
  },
  {
    name: "writes",
    code: "GOVERNOR_WRITES",
    what: "writing to files is told at sensitive paths only",
    gives: () => [
      [OPEN, GOVERNED.ELSEWHERE],
      [FIRST_WRITE, GOVERNED.ELSEWHERE],
    ],
  },
  {
    name: "all_but_processes",
    code: "GOVERNOR_ALL_BUT_PROCESSES",
    what: "nothing is told but processes that start, end and change who they are",
    gives: () => eventTypes.filter(({ id }) => !PROCESSES.has(id)).map(({ id }) => everythingOf(id)),
  },
];

/** What the first `count` steps give up together. */
export function givenUp(count: number, isForRules: (type: number) => boolean): Governed {
  const governed = new Map<number, number>();
  for (const step of steps.slice(0, count)) {
    for (const [type, bits] of step.gives(isForRules)) governed.set(type, (governed.get(type) ?? 0) | bits);
  }
  return governed;
}
