// A process whose main thread hangs is ended; one that turns is left alone.
import { spawnSync } from "node:child_process";
import test from "ava";

const TURNS_MS = 600;

function run(script: string): { signal: NodeJS.Signals | null; status: number | null } {
  const watchdog = new URL("./watchdog.ts", import.meta.url).href;
  const start = `const { startWatchdog } = await import("${watchdog}"); await startWatchdog(50, 300);`;
  const program = `${start} ${script}`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", program], { timeout: 20_000 });
}

test("a main thread in an endless loop ends the process", (t) => {
  t.is(run("for (;;);").signal, "SIGKILL");
});

test("a main thread that turns goes on, and the thread does not keep the process alive", (t) => {
  t.is(run(`setTimeout(() => process.exit(7), ${TURNS_MS});`).status, 7);
});
