// Where pods are asked for, and with which credentials: the API server or the kubelet, as the settings have it.
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import type { KubeConfig } from "@kubernetes/client-node";
import type { Settings } from "@nightjar/stage";

/** Where a pod's service account is mounted (Kubernetes' documentation, "Accessing the API from a Pod"). */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** How pods are asked for. */
export interface Place {
  readonly kind: "api" | "kubelet";
  /** For a person: "the API server of /etc/kubernetes/kubelet.conf". */
  readonly name: string;
  /** Reads the configuration and the credentials as they are now; rejects where that fails. */
  load(): Promise<KubeConfig>;
}

type MetadataSettings = Settings["metadata"];

/**
 * Undefined where there is no Kubernetes: nothing is set, and the environment is not that of a pod. `root` stands
 * before the paths of the service account.
 */
export function findPlace(settings: MetadataSettings, env: NodeJS.ProcessEnv, root = ""): Place | undefined {
  const { kubernetes, kubernetes_config_file: file } = settings;
  const inPod = env.KUBERNETES_SERVICE_HOST !== undefined && existsSync(`${root}${SERVICE_ACCOUNT}/token`);
  if (kubernetes === "off" || (kubernetes === "auto" && file === "" && !inPod)) return undefined;
  if (kubernetes === "kubelet") return kubelet(settings, root);
  return {
    kind: "api",
    name: file === "" ? "the API server" : `the API server of ${file}`,
    load: async () => {
      const config = await newConfig();
      if (file === "") config.loadFromCluster(root);
      else config.loadFromFile(file);
      return config;
    },
  };
}

/** The name of this node: the one that is set, or the kubelet's usual one. */
export function nodeName(settings: MetadataSettings): string {
  return settings.kubernetes_node || hostname().toLowerCase();
}

function kubelet(settings: MetadataSettings, root: string): Place {
  const { kubelet_url: url, kubelet_ca_file, kubelet_token_file, kubelet_unchecked } = settings;
  const inPod = (name: string) => [`${root}${SERVICE_ACCOUNT}/${name}`].find((path) => existsSync(path));
  const caFile = kubelet_ca_file || inPod("ca.crt");
  const tokenFile = kubelet_token_file || inPod("token");
  // The read-only port speaks HTTP: a token would be there for whoever listens.
  const plain = url.startsWith("http:");
  return {
    kind: "kubelet",
    name: `the kubelet at ${url}`,
    load: async () => {
      const config = await newConfig();
      config.loadFromClusterAndUser(
        {
          name: "kubelet",
          server: url,
          skipTLSVerify: plain || kubelet_unchecked,
          ...(caFile && !plain && { caFile }),
        },
        { name: "sensor", ...(tokenFile && !plain && { authProvider: { name: "tokenFile", config: { tokenFile } } }) },
      );
      return config;
    },
  };
}

/** The library takes 35 MB of memory: it is loaded where there is Kubernetes. */
async function newConfig(): Promise<KubeConfig> {
  const { KubeConfig } = await import("./credentials.ts");
  return new KubeConfig();
}
