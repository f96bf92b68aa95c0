// Which policies this machine puts over its processes: SELinux, AppArmor, control groups.
import type { Found, Read } from "./machine.ts";

export function selinux(read: Read): Found {
  const enforce = read("/sys/fs/selinux/enforce").trim();
  if (enforce === "") return { what: "SELinux", is: "not in force" };
  const domain = read("/proc/self/attr/current").replaceAll("\0", "").trim();
  return enforce === "1"
    ? { what: "SELinux", is: `enforcing, this process is ${domain}`, code: "SECURITY_MODULE_ENFORCES" }
    : { what: "SELinux", is: "permissive" };
}

/** Before 5.8 (6413f852ce08) AppArmor had no folder of its own below attr; there the shared file tells. */
export function appArmor(read: Read): Found {
  const isOn = read("/sys/module/apparmor/parameters/enabled").startsWith("Y");
  const profile = (read("/proc/self/attr/apparmor/current") || (isOn ? read("/proc/self/attr/current") : "")).trim();
  if (profile === "") return { what: "AppArmor", is: "not in force" };
  return profile.endsWith("(enforce)")
    ? { what: "AppArmor", is: profile, code: "SECURITY_MODULE_ENFORCES" }
    : { what: "AppArmor", is: profile };
}

export function cgroups(read: Read): Found {
  const types = read("/proc/self/mounts")
    .split("\n")
    .map((line) => line.split(" ")[2]);
  const [hasOld, hasNew] = [types.includes("cgroup"), types.includes("cgroup2")];
  if (!hasOld && !hasNew) return { what: "cgroups", is: "not mounted", code: "CGROUPS_OLD" };
  const controllers = read("/sys/fs/cgroup/cgroup.controllers").trim().replaceAll(" ", ", ");
  if (!hasOld) return { what: "cgroups", is: `v2${controllers && ` with ${controllers}`}` };
  return { what: "cgroups", is: hasNew ? "v1 and v2" : "v1", code: "CGROUPS_OLD" };
}
