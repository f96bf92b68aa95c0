// Chooses what the process tree gives up when it reached its limits.
import type { ProcessNode } from "./node.ts";

/** Added for those that still run: all that exited go before them. */
const RUNS = 2 ** 40;

/** The `count` nodes to give up: first those that exited, then those that were not spoken of for the longest time. */
export function chooseVictims(nodes: readonly ProcessNode[], count: number): Set<ProcessNode> {
  const order = (node: ProcessNode) => node.lastSeen + (node.exited ? 0 : RUNS);
  const sorted = Float64Array.from(nodes, order).sort();
  const threshold = sorted[Math.min(count, nodes.length) - 1] ?? -1;
  const victims = new Set<ProcessNode>();
  // Those below the threshold, then of those on it as many as are missing: what many share must not all go.
  for (const node of nodes) if (order(node) < threshold) victims.add(node);
  for (const node of nodes) if (order(node) === threshold && victims.size < count) victims.add(node);
  return victims;
}
