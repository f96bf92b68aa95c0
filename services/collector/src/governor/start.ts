// Starts the governor beside the probe.
import type { Probe } from "@nightjar/native-probe";
import { readDisk, type Stage } from "@nightjar/stage";
import { Governor } from "./governor.ts";

const LOOK_MS = 1_000;
const PERCENT = 100;

/** Nothing where it is switched off; all is told then. */
export function startGovernor(stage: Stage, probe: Probe): Governor | undefined {
  const { enabled, sensitive_paths } = stage.settings.governor;
  if (!enabled) return undefined;
  probe.setSensitivePaths(sensitive_paths);
  const governor = new Governor({
    stage,
    governed: () => new Map(probe.ledger().map(({ type, governed }) => [type, governed])),
    setGoverned: (governed) => probe.setGoverned(governed),
    ringPercent: () => (PERCENT * probe.ringUsed()) / probe.ringBytes,
    diskPercent: () => readDisk(stage.stateDir).usedPercent,
    nowMs: () => performance.now(),
  });
  const timer = setInterval(() => governor.look(), LOOK_MS);
  stage.onStop(() => clearInterval(timer));
  return governor;
}
