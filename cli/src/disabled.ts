// Whether the settings let the sensor run, as fleet tools switch it: `enabled: false`, or `disable_service: true`.
import type { ResolvedSettings } from "@nightjar/stage";
import { CommandError } from "./command.ts";

/** Which setting switches the sensor off and where it is set; undefined where none does. */
export function disabledBy({ values, sources }: ResolvedSettings): string | undefined {
  const { enabled, disable_service } = values.common;
  if (!enabled) return `enabled is false (${sources.get("enabled")})`;
  if (disable_service) return `disable_service is true (${sources.get("disable_service")})`;
  return undefined;
}

/** Throws a CommandError where the settings switch the sensor off. */
export function checkEnabled(resolved: ResolvedSettings): void {
  const why = disabledBy(resolved);
  if (why !== undefined) throw new CommandError("DISABLED", `the sensor is disabled: ${why}`);
}
