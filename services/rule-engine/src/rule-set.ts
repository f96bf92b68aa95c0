// One set of rules: the files it was read from, the threads it is compiled in, and the mistakes it has.
import { type FileProblem, type RuleFile, readRuleFiles } from "@nightjar/stage";
import { contentVersion } from "./content-version.ts";
import { Pool } from "./pool.ts";
import type { RulesDescription } from "./worker.ts";

/** Everything a set is made of, as it was found. */
export interface Content {
  files: readonly RuleFile[];
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

/** Reads the files of a set: rules, in order. */
export function readContent(paths: readonly string[]): Content {
  const { files, problems } = readRuleFiles(paths);
  const unread = problems.map(({ code, file }) => ({ name: file, text: code }));
  return { files, problems, version: contentVersion([...files, ...unread]) };
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
  static async compile(content: Content, threads: number): Promise<RuleSet> {
    const pool = new Pool({ files: content.files, contentVersion: content.version }, threads);
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
