// Containers as a person reads them in a terminal, and as JSON.
import { fromBinary } from "@bufbuild/protobuf";
import { BatchSchema, type Container, ContainerSchema, type StoredDetection } from "@nightjar/proto";
import { type Plain, toPlain } from "./plain.ts";
import { table } from "./table.ts";
import { count, printable } from "./text.ts";

/** A container, how many processes of it are followed, and how many detections are stored, their repeats counted. */
export interface Listed {
  container: Container;
  processes: number;
  detections: number;
}

/** The containers that the enricher's answer speaks of: encoded batches with tables and without events. */
export function containersIn(snapshot: readonly Uint8Array[]): Listed[] {
  const byId = new Map<string, Listed & { members: Set<string> }>();
  for (const bytes of snapshot) {
    const { processes, containers } = fromBinary(BatchSchema, bytes);
    for (const { pid, startTimeNs, container: link } of processes) {
      const container = containers[link - 1];
      if (!container) continue;
      const listed = byId.get(container.fullId) ?? { container, processes: 0, detections: 0, members: new Set() };
      // An ancestor is in each part of the answer that needs it.
      listed.members.add(`${pid} ${startTimeNs}`);
      byId.set(container.fullId, listed);
    }
  }
  return [...byId.values()].map(({ container, members }) => ({ container, processes: members.size, detections: 0 }));
}

/** Adds what was detected in these containers. */
export function countDetections(containers: readonly Listed[], detections: readonly StoredDetection[]): void {
  for (const { detection } of detections) {
    const fullId = detection?.containers[(detection.processes[0]?.container ?? 0) - 1]?.fullId;
    const listed = containers.find(({ container }) => container.fullId === fullId);
    if (listed) listed.detections += Number(detection?.count || 1n);
  }
}

const TITLES = ["ID", "NAME", "RUNTIME", "IMAGE", "POD", "PROCESSES", "EVENTS", "DETECTIONS"];
/** The columns with numbers, from there on. */
const NUMBERS = [5, 6, 7];

export function containerTable(containers: readonly Listed[]): string[] {
  if (containers.length === 0) return [];
  const rows = containers.map(({ container, processes, detections }) => {
    const { id, name, runtime, image, missing, pod, events } = container;
    const podName = pod && (pod.name === "" ? pod.uid : `${pod.namespace}/${pod.name}`);
    const texts = [id, name, runtime, image || (missing && `(${missing.replaceAll("_", " ")})`), podName ?? ""];
    return [...texts.map((text) => printable(text) || "-"), ...[processes, Number(events), detections].map(count)];
  });
  return table([TITLES, ...rows], NUMBERS);
}

export function containerJson({ container, processes, detections }: Listed): { [name: string]: Plain } {
  const events = Number(container.events);
  return { ...toPlain(ContainerSchema, container), processes, events, detections };
}
