// What a test asks about a sensor that a package manager installed in a booted systemd.
import type { BootedSystem } from "../harness/booted-system.ts";
import type { startPortal } from "../harness/installed.ts";

/** Each has a unit of its own. */
export const STAGES = ["bus", "collector", "enricher", "metadata", "rule-engine", "aggregator", "uplink"];

/** The stages whose units are active, with their processes. */
export function runningStages(system: BootedSystem): { stage: string; pid: string }[] {
  return STAGES.map((stage) => ({ stage, ...system.show(`nightjar-${stage}`, "ActiveState", "MainPID") }))
    .filter((one) => (one as Record<string, string>).ActiveState === "active")
    .map((one) => ({ stage: one.stage, pid: (one as Record<string, string>).MainPID ?? "" }));
}

/** Points the sensor at `portal`, as an operator would. */
export function settingsFor(system: BootedSystem, portal: Awaited<ReturnType<typeof startPortal>>): void {
  const put = (path: string, text: string) =>
    system.must(`install -m 0640 -g nightjar /dev/stdin ${path} <<'END'\n${text}\nEND`);
  put("/etc/nightjar/portal.pem", portal.certificate);
  put("/etc/nightjar/portal-token", portal.token);
  const uplink = [
    `  portal_url: ${portal.address}`,
    "  portal_certificate_file: /etc/nightjar/portal.pem",
    "  portal_token_file: /etc/nightjar/portal-token",
  ];
  put("/etc/nightjar/nightjar.yaml", ["enabled: true", "uplink:", ...uplink].join("\n"));
}
