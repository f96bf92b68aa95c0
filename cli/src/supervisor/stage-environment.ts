// What a stage's process is given, whoever starts it: Node's flags, and its environment.
import type { FolderName } from "@nightjar/stage";
import { type ResolvedSettings, type SettingName, settingNames, settingsEnvironment } from "@nightjar/stage/settings";

/** Young generations that stay small: what a batch needs is garbage when the batch is through. */
export const NODE_FLAGS = ["--max-semi-space-size=2"];
/** glibc keeps an arena for each thread that ever allocated; the stages' threads are few and mostly idle. */
const MEMORY_ENV = { MALLOC_ARENA_MAX: "1" };
/** Whose the secrets of a section are, where not the uplink's: it alone talks to others. */
const SECRETS_READERS: Readonly<Record<string, FolderName>> = { bus: "bus", portal: "portal" };
const SECRETS_READER: FolderName = "uplink";

/** `env` with the settings as they were resolved in it; secrets are left out where they are not for this stage. */
export function stageEnvironment(
  name: FolderName,
  env: Readonly<Record<string, string | undefined>>,
  { resolved, stateDir }: { resolved: ResolvedSettings; stateDir: string },
): NodeJS.ProcessEnv {
  const foreign = new Set(settingNames.filter((one) => isForeign(one, name)).map(({ variable }) => variable));
  const whole = { ...MEMORY_ENV, ...env, ...settingsEnvironment(resolved), NIGHTJAR_STATE_DIR: stateDir };
  return Object.fromEntries(Object.entries(whole).filter(([variable]) => !foreign.has(variable)));
}

function isForeign({ section, setting }: SettingName, stage: FolderName): boolean {
  return setting.secret === true && (SECRETS_READERS[section] ?? SECRETS_READER) !== stage;
}
