// The probe in a process of its own, told by messages what to watch, so that its CPU time is nobody else's.
import { openProbe, type Probe } from "@nightjar/native-probe";
import { eventTypes } from "@nightjar/proto";
import { applyProfile, type ProfileName } from "./profiles.ts";

/** What the process is asked. */
export type Ask = { ask: "open"; profile: ProfileName } | { ask: "figures" } | { ask: "close" };

/** Counters since the probe was opened; CPU time since the process began. */
export interface Figures {
  cpuUs: number;
  ringBytes: number;
  types: Record<string, { seen: number; filtered: number; submitted: number; dropped: number }>;
}

let probe: Probe | undefined;

function open(profile: ProfileName): void {
  const opened = openProbe({ onBatch: (_bytes, _first, next) => opened.release(next), wanted: [] });
  applyProfile(opened, profile);
  probe = opened;
}

function figures(): Figures {
  const { user, system } = process.cpuUsage();
  const rows = probe?.ledger() ?? [];
  const types = Object.fromEntries(
    rows.map(({ type, seen, filtered, submitted, drops }) => {
      const name = eventTypes.find(({ id }) => id === type)?.name ?? String(type);
      const dropped = [...drops.values()].reduce((sum, count) => sum + count, 0n);
      const counts = { seen, filtered, submitted, dropped };
      return [name, Object.fromEntries(Object.entries(counts).map(([key, count]) => [key, Number(count)]))];
    }),
  );
  return { cpuUs: user + system, ringBytes: probe?.ringBytes ?? 0, types: types as Figures["types"] };
}

process.on("message", async (message: Ask) => {
  if (message.ask === "open") open(message.profile);
  const answer = figures();
  if (message.ask === "close") {
    await probe?.stop();
    probe = undefined;
  }
  process.send?.(answer);
});
process.on("disconnect", () => process.exit());
