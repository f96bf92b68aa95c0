// Pods in the form the API documents, as the usual ways to run something make them.

export const NODE = "node-7";

/** The id of a container as runtimes make them: 64 hexadecimal digits. */
export function containerId(seed: number): string {
  return seed.toString(16).padStart(4, "0").repeat(16);
}

export function uidOf(seed: number): string {
  return `3e41dc6b-08a8-44db-bc2a-${seed.toString(16).padStart(12, "0")}`;
}

interface Change {
  name?: string;
  uid?: string;
  node?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  owner?: { apiVersion: string; kind: string; name: string; uid: string };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
}

const REPLICA_SET = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "shop-7d4b9c6f5d", uid: "rs-uid" };

/** A pod of a Deployment with one container, and what a caller wants otherwise. */
export function podOf(seed: number, change: Change = {}) {
  const { name = `shop-7d4b9c6f5d-${seed.toString(36).padStart(5, "0")}`, owner = REPLICA_SET } = change;
  return {
    kind: "Pod",
    apiVersion: "v1",
    metadata: {
      name,
      generateName: "shop-7d4b9c6f5d-",
      namespace: "store",
      uid: change.uid ?? uidOf(seed),
      creationTimestamp: "2026-03-04T05:06:07Z",
      labels: change.labels ?? { app: "shop", "pod-template-hash": "7d4b9c6f5d" },
      annotations: change.annotations ?? { "prometheus.io/scrape": "true" },
      ownerReferences: [{ ...owner, controller: true, blockOwnerDeletion: true }],
      managedFields: [{ manager: "kubelet", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1" }],
    },
    spec: {
      volumes: [{ name: "kube-api-access-x2x7p", projected: { sources: [] } }],
      containers: [
        {
          name: "web",
          image: "example.org/shop:2.3",
          command: ["/bin/shop"],
          resources: { limits: { memory: "256Mi" } },
          livenessProbe: { exec: { command: ["/bin/check", "--live"] }, periodSeconds: 10 },
          readinessProbe: { httpGet: { path: "/ready", port: 8080, scheme: "HTTP" } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { add: ["NET_BIND_SERVICE"], drop: ["ALL"] },
          },
        },
      ],
      restartPolicy: "Always",
      serviceAccountName: "shop",
      nodeName: change.node ?? NODE,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
      ...change.spec,
    },
    status: {
      phase: "Running",
      hostIP: "192.0.2.7",
      podIP: "10.244.3.17",
      podIPs: [{ ip: "10.244.3.17" }, { ip: "2001:db8::17" }],
      startTime: "2026-03-04T05:06:08Z",
      qosClass: "Burstable",
      containerStatuses: [
        {
          name: "web",
          state: { running: { startedAt: "2026-03-04T05:06:10Z" } },
          lastState: {},
          ready: true,
          restartCount: 0,
          image: "example.org/shop:2.3",
          imageID: `example.org/shop@sha256:${"ab".repeat(32)}`,
          containerID: `containerd://${containerId(seed)}`,
        },
      ],
      ...change.status,
    },
  };
}

/** An object that owns pods, or owns what owns them. */
export function ownerOf(
  kind: string,
  name: string,
  uid: string,
  owner?: { apiVersion: string; kind: string; name: string; uid: string },
) {
  const ownerReferences = owner ? [{ ...owner, controller: true }] : [];
  return { kind, metadata: { name, namespace: "store", uid, labels: { tier: kind }, ownerReferences } };
}
