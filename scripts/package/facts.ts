// What both kinds of packages say of themselves.
import type { BuildFacts } from "./tree.ts";

export interface PackageFacts extends BuildFacts {
  /** Of all files, in KiB. */
  installed_kib: number;
}

export const SUMMARY = "Runtime security sensor for Linux hosts and Kubernetes nodes";
export const DESCRIPTION = [
  "Watches processes, files and the network with eBPF, decides on the host what is",
  "malicious, and reports detections and the runtime inventory to a portal.",
];
/** The first with LoadCredential, by which stages get their keys. */
export const SYSTEMD_MIN = "247";
