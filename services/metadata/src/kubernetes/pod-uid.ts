// The uid of the pod that a cgroup belongs to, as the kubelet names cgroups.

/**
 * "pod" and the uid begin or end a component: kubepods/besteffort/pod<uid>/…, and with systemd's driver, where dashes
 * divide slices, kubepods-besteffort-pod<uid with _>.slice/…. A static pod's uid is 32 hexadecimal digits.
 */
const POD = /(?:^|[/-])pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?(?:\/|$)/;

/** Empty for what is no pod's. */
export function podUidOf(cgroupPath: string): string {
  return POD.exec(cgroupPath)?.[1]?.replaceAll("_", "-") ?? "";
}
