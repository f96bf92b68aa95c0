// The settings of one call of the command: flags, environment, and the file that one of them names.
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type ResolvedSettings, resolveSettings } from "@nightjar/stage/settings";
import { parse } from "yaml";

/** The checkout, or the folder of the installed product. */
export const ROOT = dirname(dirname(import.meta.dirname));
const STATE_DIR_DEFAULT = join(ROOT, ".state");

export interface GivenSettings {
  resolved: ResolvedSettings;
  /** Absolute. */
  stateDir: string;
  /** Each with its code; with one, nothing is to be begun. */
  problems: string[];
}

/** `flags` by flag name, `config` as --config has it. */
export function readSettings(
  env: Readonly<Record<string, string | undefined>>,
  { flags = {}, config }: { flags?: Readonly<Record<string, unknown>>; config?: string | undefined } = {},
): GivenSettings {
  const { file, problem } = readConfig(config ?? env.NIGHTJAR_CONFIG);
  const resolved = resolveSettings({ flags, env, file });
  const problems = [...(problem ? [problem] : []), ...resolved.problems.map((one) => `${one.code}: ${one.message}`)];
  return { resolved, stateDir: resolve(resolved.values.common.state_dir || STATE_DIR_DEFAULT), problems };
}

function readConfig(path: string | undefined): { file?: unknown; problem?: string } {
  if (path === undefined || path === "") return {};
  try {
    return { file: parse(readFileSync(path, "utf8")) ?? {} };
  } catch (error) {
    return { problem: `SETTINGS_FILE_UNREADABLE: ${path}: ${(error as Error).message}` };
  }
}
