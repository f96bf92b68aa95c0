// One set of rules: the files it was read from, the threads it is compiled in, and the mistakes it has.
import type { RuleMatching } from "@nightjar/rules";
import { type FileProblem, type ReadFiles, type RuleFile, readRuleFiles } from "@nightjar/stage";
import type { BundleRules } from "./content.ts";
import { contentVersion } from "./content-version.ts";
import { Pool } from "./pool.ts";
import type { RulesDescription } from "./worker.ts";

/** Everything a set is made of, as it was found. */
export interface Content {
  rules: readonly RuleFile[];
  suppressions: readonly RuleFile[];
  /** What could not be read. */
  problems: readonly FileProblem[];
  /** Changes when any of it does. */
  version: string;
}

/** Something wrong with what people wrote; those of warnings do not keep a set from being used. */
export interface Mistake {
  severity: "error" | "warning";
  code: string;
  file: string;
  line?: number;
  column?: number;
  message: string;
}

/** Where a set is read from: files or folders of rules, those of the bundle in force, those added on the host. */
export interface Source {
  paths: readonly string[];
  bundle: () => Pick<BundleRules, "rules" | "suppressions">;
  added: string;
  suppressions: readonly string[];
}

/** How a set is evaluated: in how many threads, and which of the rules that are true of an event are told. */
export interface Evaluation {
  threads: number;
  ruleMatching: RuleMatching;
}

/** A later file may change what an earlier one says: the bundle what the sensor comes with, the host both. */
export function readContent({ paths, bundle, added, suppressions }: Source): Content {
  const delivered = bundle();
  const [base, own, exceptions] = [paths, [added], suppressions].map(readRuleFiles) as [
    ReadFiles,
    ReadFiles,
    ReadFiles,
  ];
  const rules = [...base.files, ...delivered.rules, ...own.files];
  const others = [...exceptions.files, ...delivered.suppressions];
  const problems = [...base.problems, ...own.problems, ...exceptions.problems];
  const unread = problems.map(({ code, file }) => ({ name: file, text: code }));
  const border = { name: "", text: "" };
  const version = contentVersion([...rules, border, ...others, border, ...unread]);
  return { rules, suppressions: others, problems, version };
}

export class RuleSet {
  readonly pool: Pool;
  readonly description: RulesDescription;
  readonly version: string;
  /** Errors and warnings. */
  readonly mistakes: readonly Mistake[];

  private constructor(content: Content, pool: Pool, description: RulesDescription) {
    this.pool = pool;
    this.description = description;
    this.version = content.version;
    const unread = content.problems.map((problem) => ({ severity: "error" as const, ...problem }));
    this.mistakes = [...unread, ...description.problems];
  }

  /** Compiles the rules in threads of their own; rejects where these could not even be started, which is a bug. */
  static async compile(content: Content, { threads, ruleMatching }: Evaluation): Promise<RuleSet> {
    const { rules, suppressions, version: contentVersion } = content;
    const pool = new Pool({ files: rules, suppressions, contentVersion, ruleMatching }, threads);
    try {
      return new RuleSet(content, pool, await pool.describe());
    } catch (error) {
      await pool.close();
      throw error;
    }
  }

  get errors(): readonly Mistake[] {
    return this.mistakes.filter(({ severity }) => severity === "error");
  }

  /** Ends the threads; nothing may be under evaluation. */
  async close(): Promise<void> {
    await this.pool.close();
  }
}
