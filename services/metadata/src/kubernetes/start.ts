// Begins to follow the pods of this node, where there is Kubernetes.
import type { CounterName, Stage } from "@nightjar/stage";
import { noPods, type PodSource } from "../pods.ts";
import { findPlace, nodeName } from "./connect.ts";
import { Kubernetes } from "./kubernetes.ts";

export interface Following {
  readonly pods: PodSource;
  /** Brings the stage's counters up to date. */
  count(): void;
}

/** `changed` is called with full ids of containers of which something else is known now. Ends with the stage. */
export function followPods(stage: Stage, changed: (containerIds: readonly string[]) => void): Following {
  const { counters, facts, health, signal } = stage;
  const settings = stage.settings.metadata;
  const place = findPlace(settings, process.env);
  if (!place) return { pods: noPods, count: () => {} };
  facts.set("kubernetes", `${place.name}, node ${nodeName(settings)}`);
  const kubernetes = new Kubernetes({ place, settings, changed, health });
  const ended = kubernetes.run(signal);
  stage.onStop(() => ended);
  return {
    pods: kubernetes,
    count: () => {
      for (const [name, value] of Object.entries(kubernetes.counts)) counters.set(name as CounterName, value);
    },
  };
}
