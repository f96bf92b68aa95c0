// The pods of this node as they were told last, found by their uid or by the id of one of their containers.
import { equals } from "@bufbuild/protobuf";
import { type Pod, PodSchema } from "@nightjar/proto";
import type { PodReading } from "./pod.ts";
import { type FindObject, ownersOf } from "./workload.ts";

/** The kubelet's own limit is 110 by default, some hundreds where it was raised. Beyond, pods are only counted. */
export const PODS_MAX = 4_096;
/** A pod that is gone is known for a while: its last events are still on the way. */
export const POD_KEPT_MS = 300_000;
/** Containers that were asked for before their pod told of them; the oldest question is forgotten first. */
const ASKED_MAX = 8_192;

interface Entry {
  reading: PodReading;
  pod: Pod;
  /** The paths of the objects that were looked for to make the pod whole. */
  needs: ReadonlySet<string>;
  goneMs: number | undefined;
}

export interface PodTableOptions {
  find: FindObject;
  /** Whether namespaces are asked for their labels. */
  namespaces: boolean;
  /** Full ids of containers of which something else is known now. */
  changed: (containerIds: readonly string[]) => void;
  clock: () => number;
}

export class PodTable {
  readonly counts = { tooMany: 0 };
  readonly #options: PodTableOptions;
  /** By uid, and a static pod also by that of its mirror. */
  readonly #byUid = new Map<string, Entry>();
  readonly #byContainer = new Map<string, Entry>();
  /** Containers that somebody asked about, with the uid of their pod. */
  readonly #asked = new Map<string, string>();

  constructor(options: PodTableOptions) {
    this.#options = options;
  }

  /** Pods that are there now, without those kept because they are just gone. */
  get size(): number {
    return this.#entries().filter(({ goneMs }) => goneMs === undefined).length;
  }

  /** The pod of a container by its full id, or else by the pod's uid, which may be empty. Remembers who asked. */
  find(containerId: string, uid: string): Pod | undefined {
    const entry = this.#byContainer.get(containerId) ?? this.#byUid.get(uid);
    if (uid !== "" && containerId !== "") this.#remember(containerId, uid);
    return entry?.pod;
  }

  /** Takes a pod that is new or has changed. */
  put(reading: PodReading): void {
    const { uid } = reading.pod;
    const before = this.#byUid.get(uid);
    if (!before && this.#byUid.size >= PODS_MAX) {
      this.#sweep();
      if (this.#byUid.size >= PODS_MAX) {
        this.counts.tooMany++;
        return;
      }
    }
    const entry: Entry = { reading, ...this.#whole(reading), goneMs: undefined };
    for (const id of before?.reading.containerIds ?? []) this.#byContainer.delete(id);
    for (const one of [uid, reading.mirrorUid]) if (one !== undefined) this.#byUid.set(one, entry);
    const known = new Set(before?.reading.containerIds);
    for (const id of reading.containerIds) this.#byContainer.set(id, entry);
    const other = !before || !equals(PodSchema, before.pod, entry.pod);
    const told = other ? this.#containersOf(entry) : reading.containerIds.filter((id) => !known.has(id));
    if (told.length > 0) this.#options.changed(told);
  }

  /** Takes note that a pod is gone, by its uid in the API. */
  remove(uid: string): void {
    const entry = this.#byUid.get(uid);
    if (entry) entry.goneMs ??= this.#options.clock();
    this.#sweep();
  }

  /** Takes all pods there are; those that are not among them are gone. */
  replace(readings: readonly PodReading[]): void {
    for (const reading of readings) this.put(reading);
    const there = new Set(readings.map(({ pod }) => pod.uid));
    for (const { pod } of this.#entries()) if (!there.has(pod.uid)) this.remove(pod.uid);
    this.#sweep();
  }

  /** Something else is known now of the object at `path`: an owner or a namespace. */
  refresh(path: string): void {
    for (const entry of this.#entries()) {
      if (!entry.needs.has(path)) continue;
      const { pod } = entry;
      Object.assign(entry, this.#whole(entry.reading));
      if (!equals(PodSchema, pod, entry.pod)) this.#options.changed(this.#containersOf(entry));
    }
  }

  #entries(): Entry[] {
    return [...new Set(this.#byUid.values())];
  }

  /** The pod with its owners and its namespace's labels, as far as they are known. */
  #whole({ pod, controller }: PodReading): Pick<Entry, "pod" | "needs"> {
    const needs = new Set<string>();
    const find: FindObject = (path) => {
      needs.add(path);
      return this.#options.find(path);
    };
    const namespace = this.#options.namespaces ? find(namespacePath(pod.namespace)) : undefined;
    const whole: Pod = {
      ...pod,
      owners: ownersOf(controller, pod, find),
      ...(namespace && { namespaceUid: namespace.uid, namespaceLabels: { ...namespace.labels } }),
    };
    return { pod: whole, needs };
  }

  #containersOf({ reading }: Entry): string[] {
    const asked = [...this.#asked].filter(([, uid]) => uid === reading.pod.uid || uid === reading.mirrorUid);
    return [...new Set([...reading.containerIds, ...asked.map(([id]) => id)])];
  }

  #remember(containerId: string, uid: string): void {
    this.#asked.delete(containerId);
    this.#asked.set(containerId, uid);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > ASKED_MAX && oldest !== undefined) this.#asked.delete(oldest);
  }

  #sweep(): void {
    const oldest = this.#options.clock() - POD_KEPT_MS;
    for (const [uid, { goneMs, reading }] of this.#byUid) {
      if (goneMs === undefined || goneMs > oldest) continue;
      this.#byUid.delete(uid);
      for (const id of reading.containerIds) this.#byContainer.delete(id);
    }
  }
}

function namespacePath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
}
