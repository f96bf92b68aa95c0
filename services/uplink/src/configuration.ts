// What the sensor works with, for the portal: settings that are not at their defaults, content, probe, proxy.
import { create } from "@bufbuild/protobuf";
import { type Configuration, ConfigurationSchema, type StageStatus } from "@nightjar/proto";
import { type Settings, settingNames } from "@nightjar/stage";
import { PortalFailure } from "./failure.ts";
import { proxyFor } from "./transport/proxy.ts";

/** Of one setting's value; what is longer is cut. */
const VALUE_CHARS_MAX = 512;
const ATTACHMENT = "attachment.";

/** The settings of this process: a portal's address in them may carry a password, so it is redacted afterwards. */
export function describeConfiguration(
  settings: Settings,
  env: Readonly<Record<string, string | undefined>>,
  statuses: readonly StageStatus[],
): Configuration {
  const facts = statuses.flatMap((status) => Object.entries(status.facts));
  return create(ConfigurationSchema, {
    settings: changedSettings(settings),
    contentVersion: facts.find(([name]) => name === "content_version")?.[1] ?? "",
    attachments: attachments(facts),
    proxy: proxyOf(settings.uplink.portal_url, env),
  });
}

function changedSettings(settings: Settings): Record<string, string> {
  const changed: Record<string, string> = {};
  for (const { section, key, name, setting } of settingNames) {
    const value = (settings as Readonly<Record<string, Readonly<Record<string, unknown>>>>)[section]?.[key];
    if (JSON.stringify(value) === JSON.stringify(setting.default)) continue;
    const text = Array.isArray(value) ? value.join(",") : String(value);
    changed[name] = setting.secret ? "set" : text.slice(0, VALUE_CHARS_MAX);
  }
  return changed;
}

/** How many programs are attached by which means ("tp_btf", "fentry"), or not at all and why. */
function attachments(facts: readonly (readonly [string, string])[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const [name, point] of facts) {
    if (!name.startsWith(ATTACHMENT)) continue;
    const means = point.split("/")[0]!;
    counts[means] = (counts[means] ?? 0) + 1;
  }
  return counts;
}

/** The proxy on the way to the portal, without user and password; "" where there is none. */
function proxyOf(portalUrl: string, env: Readonly<Record<string, string | undefined>>): string {
  if (!URL.canParse(portalUrl)) return "";
  try {
    return proxyFor(new URL(portalUrl), env)?.shown ?? "";
  } catch (error) {
    if (error instanceof PortalFailure) return error.message;
    throw error;
  }
}
