// Takes secrets out of what leaves the host: those that look like one, and those that this sensor knows.
import type { Redactor } from "@nightjar/redact";
import { clientNames, readSmallFile, type Settings, settingNames, stageNames, statePaths } from "@nightjar/stage";

/** Shorter ones are words. */
const SECRET_CHARACTERS_MIN = 6;

/** Replaces in a text what the redactor finds, and each of the sensor's own secrets wherever it stands. */
export function secretRemover(redactor: Redactor, stateDir: string, settings: Settings): (text: string) => string {
  const known = ownSecrets(stateDir, settings);
  return (text) => {
    const without = known.reduce((rest, secret) => rest.replaceAll(secret, redactor.token(secret, "own")), text);
    return redactor.text(without);
  };
}

function ownSecrets(stateDir: string, settings: Settings): string[] {
  const values = settings as unknown as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  const secretSettings = settingNames.filter(({ setting }) => setting.secret);
  const files = [
    statePaths.portalToken(stateDir),
    ...[...stageNames, ...clientNames].map((name) => statePaths.key(stateDir, name)),
  ];
  const all = [
    ...secretSettings.map(({ section, key }) => String(values[section]?.[key] ?? "")),
    ...files.map((file) => readSmallFile(file) ?? ""),
  ];
  return [...new Set(all)].filter(({ length }) => length >= SECRET_CHARACTERS_MIN);
}
