// The settings of the stage metadata: which runtimes it asks and how patiently, whether and where it asks Kubernetes.
import { boolean, choice, integer, list, path, type SettingTable, text } from "../setting.ts";

export const metadataSettings = {
  runtimes: boolean({
    default: true,
    doc: "Whether container runtimes are asked for names, images, labels and the like of containers.",
  }),
  places: list({
    default: [],
    doc:
      "Sockets and folders of runtimes beside the usual ones, each as KIND=PATH. The kinds with a socket are docker, " +
      "podman, cri and containerd; with a folder oci (the state of runc or crun), storage (of Podman and CRI-O), lxc " +
      "and machines (systemd-nspawn).",
  }),
  usual_places: boolean({
    default: true,
    doc: "Whether runtimes are looked for at their usual places, those of users without root included.",
  }),
  answer_timeout_ms: integer({
    default: 1_000,
    min: 10,
    max: 60_000,
    unit: "ms",
    doc: "How long a runtime has for an answer. Events wait a part of that at most; later ones have what came late.",
  }),
  environment: boolean({
    default: false,
    doc: "Whether the environment variables of containers are told too; their values are often secrets.",
  }),
  cloud: choice({
    choices: ["off", "auto", "aws", "gcp", "azure"],
    default: "off",
    doc:
      "Which cloud's metadata service is asked once who this instance is, shown by the portal and `nightjar status`. " +
      "auto asks one after the other.",
  }),
  cloud_url: text({
    default: "http://169.254.169.254",
    doc: "Where the cloud's metadata service is.",
  }),
  kubernetes: choice({
    choices: ["auto", "api", "kubelet", "off"],
    default: "auto",
    doc:
      "Who is asked for the pods of this node: the API server, the kubelet, or nobody. auto means the API server " +
      "where the sensor runs in a pod with a service account or a kubernetes_config_file is set, and nobody elsewhere.",
  }),
  kubernetes_config_file: path({
    default: "",
    doc:
      "The kubeconfig with the API server and the credentials, such as /etc/kubernetes/kubelet.conf. Empty means the " +
      "pod's own service account.",
  }),
  kubernetes_node: text({
    default: "",
    doc: "The name of this node in Kubernetes. Empty means the host's name in lower case, as kubelets have it.",
  }),
  kubernetes_first_list_delay_s: integer({
    default: 20,
    min: 0,
    max: 3_600,
    unit: "s",
    doc:
      "The first list of pods is asked for after a random part of this, so that the sensors of a large cluster do " +
      "not come together.",
  }),
  kubernetes_namespaces: boolean({
    default: true,
    doc: "Whether the namespaces of this node's pods are asked for their labels.",
  }),
  kubelet_url: text({
    default: "https://127.0.0.1:10250",
    doc: "The kubelet's address, where it is asked. The read-only port, where it is open, is http://127.0.0.1:10255.",
  }),
  kubelet_ca_file: path({
    default: "",
    doc: "PEM file with the certificates the kubelet's is checked against. Empty means the cluster's own in a pod.",
  }),
  kubelet_token_file: path({
    default: "",
    doc: "File with the token for the kubelet. Empty means that of the pod's service account.",
  }),
  kubelet_unchecked: boolean({
    default: false,
    doc:
      "Whether the kubelet's certificate is not checked, as is common where it is self-signed. Whoever takes the " +
      "kubelet's port then gets the token.",
  }),
  kubelet_interval_s: integer({
    default: 10,
    min: 1,
    max: 3_600,
    unit: "s",
    doc: "How often the kubelet is asked for its pods. A container of a pod that is not known brings it forward.",
  }),
} satisfies SettingTable;
