// Which package owns a file: reads the databases of dpkg, rpm and apk, in the host's root folder and in any other.
// And files of a root folder that a stranger furnished: nothing in it leads out of it.
export type { Manager, Package } from "./database.ts";
export { openInRoot } from "./root/open-in-root.ts";
export { NotReadable } from "./root/walk.ts";
export { type Owner, SOFTWARE_LIMITS, Software, type SoftwareLimits } from "./software.ts";
