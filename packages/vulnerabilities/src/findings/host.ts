// A host's inventory as findings are made from it: which running programs have a file or a module loaded.
import type { FileItem, InventoryItem, ModuleItem, PackageItem, PortItem, ProgramItem } from "@nightjar/proto";
import type { Distribution } from "../ecosystems.ts";

/** An item of one kind, with the id by which others name it. */
export interface Seen<Item> {
  id: bigint;
  item: Item;
}

export class Host {
  readonly packages: PackageItem[] = [];
  readonly files: Seen<FileItem>[] = [];
  readonly modules: Seen<ModuleItem>[] = [];
  readonly #distributions = new Map<string, Distribution>();
  readonly #ports = new Map<bigint, PortItem>();
  /** By the items that they have loaded, their own executables among them. */
  readonly #users = new Map<bigint, ProgramItem[]>();

  constructor(items: Iterable<InventoryItem>) {
    for (const { id, what } of items) {
      if (what.case === "package") this.packages.push(what.value);
      else if (what.case === "file") this.files.push({ id, item: what.value });
      else if (what.case === "module") this.modules.push({ id, item: what.value });
      else if (what.case === "port") this.#ports.set(id, what.value);
      else if (what.case === "program") this.#addProgram(what.value);
      else if (what.case === "root") {
        const { name, distribution, distributionVersion } = what.value;
        this.#distributions.set(name, { id: distribution, version: distributionVersion });
      }
    }
  }

  /** Of whose files are below a root. */
  distribution(root: string): Distribution | undefined {
    return this.#distributions.get(root);
  }

  /** The running programs that have an item loaded. */
  users(id: bigint): readonly ProgramItem[] {
    return this.#users.get(id) ?? [];
  }

  /** The ports that a program listens on now. */
  portsOf({ listening }: ProgramItem): PortItem[] {
    return listening
      .map((id) => this.#ports.get(id))
      .filter((port) => port !== undefined && !port.closed) as PortItem[];
  }

  #addProgram(program: ProgramItem): void {
    if (program.running === 0) return;
    for (const id of new Set([program.file, ...program.loaded])) {
      const users = this.#users.get(id);
      if (users) users.push(program);
      else this.#users.set(id, [program]);
    }
  }
}
