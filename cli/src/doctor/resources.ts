// What this machine has for the sensor: disk, memory, and a clock that is right.
import { execFile } from "node:child_process";
import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { type Found, type Read, readFile } from "./machine.ts";

/** From here on the bus takes no new messages, see `DISK_FULL`. */
const DISK_USED_PERCENT_MAX = 95;
const DISK_FREE_BYTES_MIN = 1024 ** 3;
/** What the sensor takes at its worst, the embedded portal left out. */
const MEMORY_BYTES_MIN = 512 * 1024 ** 2;
const BYTES_PER_KIB = 1_024;
const BYTES_PER_MIB = 1024 ** 2;
const ASK_MS_MAX = 2_000;
/** Clock sources that are read from a device, in about a microsecond. */
const SLOW_CLOCKS = ["hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit"];

const mebibytes = (bytes: number) => `${Math.round(bytes / BYTES_PER_MIB).toLocaleString("en-US")} MiB`;

export interface Disk {
  /** Of the whole file system. */
  usedPercent: number;
  /** For this user. */
  freeBytes: number;
}

/** Of the file system that the folder, or where it would be made, lies on. */
export function readDisk(folder: string): Disk {
  for (let place = folder; ; place = dirname(place)) {
    try {
      const { blocks, bfree, bavail, bsize } = statfsSync(place);
      const used = blocks - bfree;
      return { usedPercent: Math.ceil((100 * used) / Math.max(1, used + bavail)), freeBytes: bavail * bsize };
    } catch (error) {
      if (place === dirname(place)) throw error;
    }
  }
}

export function diskFound(folder: string, { usedPercent, freeBytes }: Disk): Found {
  const found = { what: "disk", is: `${mebibytes(freeBytes)} free, ${usedPercent} % used: ${folder}` };
  const isShort = usedPercent >= DISK_USED_PERCENT_MAX || freeBytes < DISK_FREE_BYTES_MIN;
  return isShort ? { ...found, code: "DISK_SHORT" } : found;
}

export function memoryFound(read: Read = readFile): Found {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(read("/proc/meminfo"))?.[1];
  if (available === undefined) return { what: "memory", is: "unknown" };
  const bytes = Number(available) * BYTES_PER_KIB;
  const found = { what: "memory", is: `${mebibytes(bytes)} available` };
  return bytes < MEMORY_BYTES_MIN ? { ...found, code: "MEMORY_SHORT" } : found;
}

export function clockSourceFound(read: Read = readFile): Found {
  const source = read("/sys/devices/system/clocksource/clocksource0/current_clocksource").trim() || "unknown";
  const found = { what: "clock source", is: source };
  return SLOW_CLOCKS.includes(source) ? { ...found, code: "CLOCK_SLOW" } : found;
}

/** Whether the kernel takes its clock to be right; only systemd tells without a system call of its own. */
export async function clockFound(askClock: () => Promise<string> = askTimedatectl): Promise<Found> {
  const answer = (await askClock()).trim();
  const now = new Date().toISOString();
  if (answer === "yes") return { what: "clock", is: `${now}, synchronised` };
  if (answer === "no") return { what: "clock", is: `${now}, not synchronised`, code: "CLOCK_UNSYNCHRONISED" };
  return { what: "clock", is: `${now}; whether it is synchronised nobody here tells` };
}

async function askTimedatectl(): Promise<string> {
  try {
    const args = ["show", "--property=NTPSynchronized", "--value"];
    return (await promisify(execFile)("timedatectl", args, { timeout: ASK_MS_MAX })).stdout;
  } catch {
    return "";
  }
}
