// A BPF file system of a test's own, and the probe pinned in it.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { openPinnedProbe, type PinnedOptions, type PinnedProbe } from "@nightjar/native-probe";
import { type Batch, BatchSchema, type Event, eventTypes } from "@nightjar/proto";
import type { Teardown } from "@nightjar/test-support";
import { callsSeenAt, type TypeName, text } from "./kernel.ts";

function mount(args: readonly string[]): void {
  const { status, stderr } = spawnSync(args[0] as string, args.slice(1), { encoding: "utf8" });
  if (status !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
}

/** Mounts one; gone, with all that is pinned in it, when the test is over. */
export function bpffs(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), "nightjar-bpffs-"));
  mount(["mount", "-t", "bpf", "bpf", folder]);
  t.teardown(() => {
    mount(["umount", folder]);
    rmdirSync(folder);
  });
  return folder;
}

/** A sensor's folder in a new BPF file system. */
export function pinFolder(t: Teardown): string {
  const folder = join(bpffs(t), "sensor");
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}

export const idsOf = (names: readonly TypeName[]) =>
  eventTypes.filter(({ name }) => (names as readonly string[]).includes(name)).map(({ id }) => id);

/** A reader of the pinned probe, as the collector is one: what it was given, and where each batch ends. */
export class PinnedReader {
  readonly opened: PinnedProbe;
  readonly batches: Batch[] = [];

  constructor(options: Omit<PinnedOptions, "onBatch">, { release = true } = {}) {
    this.opened = openPinnedProbe({
      wanted: idsOf(["mkdir"]),
      // The kernel checks their programs fastest, and each test has several sets checked.
      types: idsOf(["mkdir", "exit"]),
      callsSeenAt,
      ...options,
      onBatch: (bytes, _first, next) => {
        this.batches.push(fromBinary(BatchSchema, bytes.slice()));
        if (release) this.opened.probe.release(next);
      },
    });
    this.opened.probe.start();
  }

  get events(): Event[] {
    return this.batches.flatMap(({ events }) => events);
  }

  /** The folders made whose paths begin so, without the beginning, as often and in the order in which they came. */
  made(begin: string): string[] {
    return pathsOf(this.events, begin);
  }

  /** Hands over what is there by now, then lets go; the programs go on. */
  async leave(): Promise<void> {
    await this.opened.probe.leave();
    this.opened.probe.close();
  }
}

export function pathsOf(events: readonly Event[], begin: string): string[] {
  return events.flatMap(({ data }) => {
    const path = data.case === "mkdir" ? text(data.value.absolute) : "";
    return path.startsWith(begin) ? [path.slice(begin.length)] : [];
  });
}
