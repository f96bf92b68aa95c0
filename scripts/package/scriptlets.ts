// What package managers run: the shell of deploy/package/, with each manager's own way to say what is being done.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./tree.ts";

const body = (name: string) => readFileSync(join(ROOT, "deploy/package", `${name}.sh`), "utf8");

/** Debian's, by the name of the file: called with a word for what is done (Debian policy, 6.5). */
export function debianScripts(): Record<string, string> {
  const head = "#!/bin/sh\nset -e\n";
  const onlyAt = (word: string) => `[ "$1" = ${word} ] || exit 0\n`;
  return {
    postinst: `${head}${onlyAt("configure")}[ -n "$2" ] && action=upgrade || action=install\n${body("after-install")}`,
    prerm: `${head}${onlyAt("remove")}${body("before-removal")}`,
    postrm:
      `${head}case "$1" in remove | purge) ;; *) exit 0 ;; esac\n${body("after-removal")}` +
      `[ "$1" = purge ] || exit 0\n${body("purge")}`,
  };
}

/** RPM's, by the name of the section: called with how many versions will be there afterwards. */
export function rpmScripts(): Record<string, string> {
  const lastOne = '[ "$1" -eq 0 ] || exit 0\n';
  return {
    post: `set -e\n[ "$1" -gt 1 ] && action=upgrade || action=install\n${body("after-install")}`,
    preun: `set -e\n${lastOne}${body("before-removal")}`,
    postun: `set -e\n${lastOne}${body("after-removal")}`,
  };
}
