// Which package owns a file, and what a file says that it is made of: reads the databases of dpkg, rpm and apk, and
// the metadata of Python, Node, Go, Java and Rust, in the host's root folder and in any other.
// And files of a root folder that a stranger furnished: nothing in it leads out of it.
export type { Component, LanguageManager, ReadAt } from "./components/component.ts";
export { componentsOf } from "./components/components.ts";
export type { Manager, Package } from "./database.ts";
export { installedModules, type Module, moduleOf } from "./modules/modules.ts";
export { openInRoot } from "./root/open-in-root.ts";
export { NotReadable } from "./root/walk.ts";
export {
  databasesVersion,
  installedPackages,
  type Owner,
  SOFTWARE_LIMITS,
  Software,
  type SoftwareLimits,
} from "./software.ts";
