// What a stage's process is given, whoever starts it: Node's flags, and its environment.
import type { FolderName } from "@nightjar/stage";
import { type ResolvedSettings, settingNames, settingsEnvironment } from "@nightjar/stage/settings";

/** Young generations that stay small: what a batch needs is garbage when the batch is through. */
export const NODE_FLAGS = ["--max-semi-space-size=2"];
/** glibc keeps an arena for each thread that ever allocated; the stages' threads are few and mostly idle. */
const MEMORY_ENV = { MALLOC_ARENA_MAX: "1" };
/** The only stage that secrets among the settings are for. */
const SECRETS_READER: FolderName = "uplink";

/** `env` with the settings as they were resolved in it; secrets are left out where they are not for this stage. */
export function stageEnvironment(
  name: FolderName,
  env: Readonly<Record<string, string | undefined>>,
  { resolved, stateDir }: { resolved: ResolvedSettings; stateDir: string },
): NodeJS.ProcessEnv {
  const whole = { ...MEMORY_ENV, ...env, ...settingsEnvironment(resolved), NIGHTJAR_STATE_DIR: stateDir };
  return name === SECRETS_READER ? whole : withoutSecrets(whole);
}

function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const secrets = new Set(settingNames.filter(({ setting }) => setting.secret).map(({ variable }) => variable));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secrets.has(name)));
}
