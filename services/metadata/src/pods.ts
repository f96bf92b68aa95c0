// What this stage asks of Kubernetes: the pod of a container.
import type { Container, Pod } from "@nightjar/proto";
import type { ContainerQuery } from "./runtime.ts";

/** The pod; "none" where the container is no pod's, "missing" where the pod is not known yet, with why for a person. */
export type PodAnswer = { is: "pod"; pod: Pod } | { is: "none" } | { is: "missing"; why: string };

export interface PodSource {
  /**
   * The pod of a container, from what its cgroup and its runtime say of it; without a runtime's answer `container` has
   * its id alone. Resolves within a bounded time and never rejects.
   */
  find(query: ContainerQuery, container: Container): Promise<PodAnswer>;
}

/** Where there is no Kubernetes. */
export const noPods: PodSource = { find: async () => ({ is: "none" }) };
