// systemd-nspawn: the file that systemd-machined keeps of each machine.
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type Container, ContainerSchema } from "@nightjar/proto";
import type { ContainerQuery, Runtime, RuntimeKind } from "../runtime.ts";
import { isFileName, readSmall } from "../small-file.ts";
import { watchFolder } from "../watch-folder.ts";

export const nspawn: RuntimeKind = {
  name: "machines",
  serves: ["systemd-nspawn"],
  places: () => ["/run/systemd/machines"],
  open: (folder) => new Machines(folder),
};

const NS_PER_US = 1_000n;

class Machines implements Runtime {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async inspect({ id }: ContainerQuery): Promise<Container | undefined> {
    if (!isFileName(id)) return undefined;
    const text = readSmall(join(this.#folder, id));
    return text === undefined ? undefined : readMachine(text);
  }

  watch(changed: (id: string) => void, signal: AbortSignal): Promise<void> {
    return watchFolder(this.#folder, changed, signal);
  }
}

/** Reads machined's file: NAME=VALUE, a line each. Undefined for what is no container, such as a virtual machine. */
export function readMachine(text: string): Container | undefined {
  const values = new Map(
    text.split("\n").flatMap((line) => {
      const [, key, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
      return key === undefined || value === undefined ? [] : [[key, unquoted(value)] as const];
    }),
  );
  if (values.get("CLASS") !== "container") return undefined;
  const realtimeUs = /^\d+$/.test(values.get("REALTIME") ?? "") ? BigInt(values.get("REALTIME") ?? "0") : 0n;
  return create(ContainerSchema, {
    name: values.get("NAME") ?? "",
    runtime: "systemd-nspawn",
    // Its tree or disk image; there is no other name for what it was made from.
    image: values.get("ROOT") ?? "",
    imageRepository: values.get("ROOT") ?? "",
    startedTimeNs: realtimeUs * NS_PER_US,
  });
}

function unquoted(value: string): string {
  return /^".*"$/.test(value) ? value.slice(1, -1) : value;
}
