// A clock for ages: it goes on through the host's sleep and the uplink's deaths, and no one who sets the time moves it.
import { uptime } from "node:os";
import { join } from "node:path";
import { readBootId, readSmallFile, writeFileAtomic } from "@nightjar/stage";

export interface Clocks {
  /** Milliseconds since 1970, as the host has it. */
  wall: () => number;
  /** Milliseconds since the boot, those asleep too. */
  sinceBoot: () => number;
  bootId: string;
}

const MS_PER_S = 1_000;

/**
 * Milliseconds since 1970 by the host's clock as it was set when this was first asked for since the boot. A detection
 * that waits for the portal is as old as it is, though the time is set a day ahead meanwhile. What was kept in `folder`
 * in an earlier boot is compared by the host's clock: between boots there is no other.
 */
export function steadyClock(folder: string, clocks: Clocks = hostClocks()): () => number {
  const { wall, sinceBoot, bootId } = clocks;
  const file = join(folder, "clock.json");
  const bootedAtMs = knownBoot(file, bootId) ?? wall() - sinceBoot();
  writeFileAtomic(file, `${JSON.stringify({ boot_id: bootId, booted_at_ms: bootedAtMs })}\n`);
  return () => bootedAtMs + sinceBoot();
}

function hostClocks(): Clocks {
  return { wall: Date.now, sinceBoot: () => uptime() * MS_PER_S, bootId: readBootId() };
}

function knownBoot(file: string, bootId: string): number | undefined {
  try {
    const known = JSON.parse(readSmallFile(file) ?? "") as { boot_id?: unknown; booted_at_ms?: unknown };
    return known.boot_id === bootId && typeof known.booted_at_ms === "number" ? known.booted_at_ms : undefined;
  } catch {
    return undefined;
  }
}
