// Tested in bash itself: what is completed behind a command, an option, a half word; and the page as groff takes it.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { runCli } from "../testing.ts";

/** What a user or machine has set up is no matter of ours. bash reads it even for -c where its input is a socket. */
const WITHOUT_CONFIGURATION = { bash: ["--norc", "--noprofile"], zsh: ["-f"], fish: ["--no-config"] } as const;

/** What the shell offers for the last of the words. */
async function completed(t: ExecutionContext, ...words: string[]): Promise<string[]> {
  const { code, stdout } = await runCli(["completion", "bash"]);
  t.is(code, 0);
  const script = `${stdout}\nCOMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _nightjar; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout: offered, stderr } = spawnSync(
    "bash",
    [...WITHOUT_CONFIGURATION.bash, "-c", script, "bash", ...words],
    { encoding: "utf8" },
  );
  t.is(stderr, "");
  return offered.split("\n").filter((word) => word !== "");
}

test("bash completes commands, those below them, options and their values", async (t) => {
  t.deepEqual(await completed(t, "nightjar", "supp"), ["support-package"]);
  t.deepEqual(await completed(t, "nightjar", "rules", "to"), ["top"]);
  t.deepEqual(await completed(t, "nightjar", "rules", "top", "--by", ""), ["time", "matched", "evaluated"]);
  t.deepEqual(await completed(t, "nightjar", "logs", "--foll"), ["--follow"]);
  t.deepEqual(await completed(t, "nightjar", "logs", "--since", ""), [], "files are bash's to offer");
});

/** Has a program read the text; where it is not installed that is only said. */
function readBy(t: ExecutionContext, [program, ...args]: readonly [string, ...string[]], text: string): string {
  const file = join(temporaryFolder(t), "text");
  writeFileSync(file, text);
  const { error, status, stdout, stderr } = spawnSync(program, [...args, file], { encoding: "utf8" });
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") {
    t.log(`${program} is not installed`);
    return "";
  }
  t.is(stderr, "", program);
  t.is(status, 0, program);
  return stdout;
}

test("zsh and fish take what is for them", async (t) => {
  for (const shell of ["zsh", "fish"] as const) {
    const { stdout } = await runCli(["completion", shell]);
    t.regex(stdout, /support-package/);
    readBy(t, [shell, ...WITHOUT_CONFIGURATION[shell], "-n"], stdout);
  }
  const { stdout } = await runCli(["completion", "fish"]);
  const offered = readBy(
    t,
    ["fish", ...WITHOUT_CONFIGURATION.fish],
    `${stdout}\ncomplete -C "nightjar rules top --by "`,
  );
  if (offered !== "") t.regex(offered, /^evaluated\t.*\nmatched\t.*\ntime\t.*\n$/);
  t.is((await runCli(["completion", "tcsh"])).code, 2);
  t.is((await runCli(["completion", "constructor"])).code, 2);
});

test("the manual page has every command, setting and exit code, and groff takes it", async (t) => {
  const { code, stdout } = await runCli(["man"]);
  t.is(code, 0);
  for (const part of [
    ".SS nightjar rules top",
    ".SS nightjar doctor\n",
    "NIGHTJAR_UPLINK_PORTAL_URL",
    "(NOT_PERMITTED)",
    "\\-\\-watch",
  ]) {
    t.true(stdout.includes(part), part);
  }
  readBy(t, ["groff", "-man", "-ww", "-z", "-Tutf8"], stdout);
});
