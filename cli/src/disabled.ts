// Whether the settings let the sensor run, as fleet tools switch it: `enabled: false`, or `disable_service: true`.
import type { ResolvedSettings } from "@nightjar/stage/settings";

/** Which setting switches the sensor off and where it is set; undefined where none does. */
export function disabledBy({ values, sources }: ResolvedSettings): string | undefined {
  const { enabled, disable_service } = values.common;
  if (!enabled) return `enabled is false (${sources.get("enabled")})`;
  if (disable_service) return `disable_service is true (${sources.get("disable_service")})`;
  return undefined;
}
