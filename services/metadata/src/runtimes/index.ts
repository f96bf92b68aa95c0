// The table of container runtimes that are asked. A new one is a file and a row.
import type { RuntimeKind } from "../runtime.ts";
import { containerd } from "./containerd.ts";
import { containersStorage } from "./containers-storage.ts";
import { cri } from "./cri.ts";
import { docker } from "./docker.ts";
import { lxc } from "./lxc.ts";
import { nspawn } from "./nspawn.ts";
import { ociState } from "./oci-state.ts";
import { podman } from "./podman.ts";

/** Where several know a container, what an earlier one says counts, and the later ones add what it leaves out. */
export const runtimeKinds: readonly RuntimeKind[] = [
  docker,
  podman,
  cri,
  containerd,
  lxc,
  nspawn,
  containersStorage,
  ociState,
];
