// Public rules that no event can make true yet, with the reason. The list may only shrink: a rule on it that can come
// true fails the build.

const CONTAINERS = "containers are not told apart yet";
const NAMES = "the names of addresses (fd.sip.name) are not looked up";

export const RULE_GAPS: Readonly<Record<string, string>> = {
  "Terminal shell in container": CONTAINERS,
  "Contact K8S API Server From Container": CONTAINERS,
  "Netcat Remote Code Execution in Container": CONTAINERS,
  "Packet socket created in container": CONTAINERS,
  "Redirect STDOUT/STDIN to Network Connection in Container": CONTAINERS,
  "Linux Kernel Module Injection Detected": CONTAINERS,
  "Debugfs Launched in Privileged Container": CONTAINERS,
  "Detect release_agent File Container Escapes": CONTAINERS,
  "Drop and execute new binary in container": CONTAINERS,
  "Change namespace privileges via unshare": CONTAINERS,
  "Launch Privileged Container": CONTAINERS,
  "Launch Excessively Capable Container": CONTAINERS,
  "Contact EC2 Instance Metadata Service From Container": CONTAINERS,
  "Contact cloud metadata service from container": CONTAINERS,
  "Launch Package Management Process in Container": CONTAINERS,
  "Launch Suspicious Network Tool in Container": CONTAINERS,
  "Launch Remote File Copy Tools in Container": CONTAINERS,
  "Network Connection outside Local Subnet": CONTAINERS,
  "Mount Launched in Privileged Container": CONTAINERS,
  "Launch Ingress Remote File Copy Tools in Container": CONTAINERS,
  "Read environment variable from /proc files": CONTAINERS,
  "Exfiltrating Artifacts via Kubernetes Control Plane": CONTAINERS,
  "Launch Sensitive Mount Container": CONTAINERS,
  "Launch Disallowed Container": CONTAINERS,
  "Unexpected K8s NodePort Connection": CONTAINERS,
  "Detect outbound connections to common miner pool ports": NAMES,
  "Kubernetes Client Tool Launched in Container": CONTAINERS,
  "Container Drift Detected (chmod)": CONTAINERS,
  "Container Drift Detected (open+create)": CONTAINERS,
  "Container Run as Root User": CONTAINERS,
  "Modify Container Entrypoint": CONTAINERS,
  "Decoding Payload in Container": CONTAINERS,
  "Network Tool Executed During NPM Package Install": CONTAINERS,
  "Privileged Container Device Access": CONTAINERS,
  "Container Access to Host Sensitive Paths": CONTAINERS,
};
