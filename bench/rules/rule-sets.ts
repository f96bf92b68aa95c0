// The sets of rules that are measured: the public ones of both languages, and as many made-up ones as are wanted.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { readRuleFiles } from "@nightjar/stage";

const CASES = resolve(process.env.NIGHTJAR_CASES ?? join(import.meta.dirname, "../../..", "shared", "cases"));
const FALCO = join(CASES, "rules_falco");
const SIGMA = join(CASES, "rules_sigma");
const STARTER = join(import.meta.dirname, "../../services/rule-engine/rules");

/** How many rules the made-up set has. */
export const MADE_UP_RULES = 10_000;

export type SetName = keyof typeof SETS;

/** Each by the paths of its files; the set that is made up has none. */
export const SETS = {
  starter: [STARTER],
  falco: [FALCO],
  sigma: [SIGMA],
  both: [FALCO, SIGMA],
  many: [],
} as const satisfies Record<string, readonly string[]>;

/** The folders that are not there, without which the public sets cannot be measured. */
export function missingFolders(): string[] {
  return [FALCO, SIGMA].filter((folder) => !existsSync(folder));
}

/** The files of a set, as `loadRules` takes them. */
export function filesOf(name: SetName): { name: string; text: string }[] {
  if (name === "many") return [{ name: "many.yaml", text: madeUp(MADE_UP_RULES) }];
  const { files, problems } = readRuleFiles(SETS[name]);
  const [problem] = problems;
  if (problem) throw new Error(`${problem.file}: ${problem.message}`);
  return files;
}

/** Rules as people write them against tools, each with words of its own; none is true of what an ordinary host does. */
function madeUp(count: number): string {
  const rules = Array.from({ length: count }, (_, at) => {
    const where =
      at % 2 === 0 ? "evt.type in (execve, execveat)" : "evt.type in (open, openat) and evt.is_open_write=true";
    const what =
      at % 2 === 0
        ? `proc.name = tool${at} and (proc.cmdline contains "--do-${at}" or proc.args startswith "-x${at}")`
        : `(fd.name startswith /opt/suite${at}/ or fd.filename endswith .ext${at})`;
    return `- rule: Made up ${at}
  desc: Tool ${at} is at work
  condition: ${where} and ${what} and not proc.pname in (parent${at}, init${at % 100})
  output: Tool ${at} (command=%proc.cmdline file=%fd.name user=%user.name)
  priority: WARNING
  tags: [host, T${1000 + (at % 600)}]
`;
  });
  return rules.join("\n");
}
