// The inventory's kernel modules and BPF programs.
import { create } from "@bufbuild/protobuf";
import { BpfProgramItemSchema, type KernelModuleItem, KernelModuleItemSchema } from "@nightjar/proto";
import type { Catalogue, Entry, When } from "./catalogue.ts";
import { itemId } from "./identity.ts";

/** A module is there. What is not said of it stays as it was. */
export function seeModule(catalogue: Catalogue, seen: Partial<KernelModuleItem> & { name: string }, at: When): void {
  const { name, sizeBytes, taints, path, loadedBy, loaded = true } = seen;
  const entry = catalogue.see(itemId("kernelModule", name), at, () => ({
    case: "kernelModule",
    value: create(KernelModuleItemSchema, { name }),
  }));
  const { what } = entry.item;
  if (what.case !== "kernelModule") return;
  const before = JSON.stringify(toText(what.value));
  if (sizeBytes) what.value.sizeBytes = sizeBytes;
  if (taints) what.value.taints = taints;
  if (path && path.length > 0) what.value.path = new Uint8Array(path);
  if (loadedBy) what.value.loadedBy = loadedBy;
  what.value.loaded = loaded;
  if (JSON.stringify(toText(what.value)) !== before) catalogue.change(entry);
}

function toText({ sizeBytes, taints, path, loadedBy, loaded }: KernelModuleItem): unknown {
  return [String(sizeBytes), String(taints), [...path], String(loadedBy), loaded];
}

/** These modules are all there are. */
export function keepModules(catalogue: Catalogue, names: ReadonlySet<string>): void {
  for (const entry of catalogue) {
    const { what } = entry.item;
    if (what.case !== "kernelModule" || !what.value.loaded || names.has(what.value.name)) continue;
    what.value.loaded = false;
    catalogue.change(entry);
  }
}

export interface SeenBpfProgram {
  id: number;
  name: string;
  type: number;
  /** The program that loaded it, where that was seen. */
  loadedBy?: Entry;
}

/** Numbers of BPF programs begin anew with each boot. */
export function seeBpfProgram(catalogue: Catalogue, bootId: string, seen: SeenBpfProgram, at: When): void {
  const { id: programId, name, type, loadedBy } = seen;
  catalogue.see(itemId("bpfProgram", bootId, programId), at, () => {
    const loader = loadedBy ? { loadedBy: loadedBy.id } : {};
    const value = create(BpfProgramItemSchema, { programId, name, type, loaded: true, ...loader });
    return { case: "bpfProgram", value };
  });
}
