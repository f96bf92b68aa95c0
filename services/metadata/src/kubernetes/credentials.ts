// The library that reads kubeconfigs and credentials, in a module of its own, which is loaded only with Kubernetes.
export { KubeConfig } from "@kubernetes/client-node";
