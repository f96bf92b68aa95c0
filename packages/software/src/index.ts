// Which package owns a file: reads the databases of dpkg, rpm and apk, in the host's root folder and in any other.
export type { Manager, Package } from "./database.ts";
export { type Owner, SOFTWARE_LIMITS, Software, type SoftwareLimits } from "./software.ts";
