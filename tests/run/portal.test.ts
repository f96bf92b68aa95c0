// A portal of its own, as one serves a fleet: started, asked, ended by the command line.
import { fileURLToPath } from "node:url";
import { startPostgres, startProcess, temporaryFolder, waitFor, whyNoPostgres } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
const READY_TIMEOUT_MS = 60_000;

function nightjar(t: ExecutionContext, args: string[], env: Record<string, string> = {}) {
  return startProcess(t, process.execPath, [CLI, ...args], { env });
}

test("a portal is served, asked and ended", async (t) => {
  t.timeout(READY_TIMEOUT_MS * 2);
  const stateDir = temporaryFolder(t);
  const where = ["--state-dir", stateDir];
  const postgres = whyNoPostgres() ? undefined : await startPostgres(t);
  // It may have a password, so it is no flag.
  const database: Record<string, string> = postgres ? { NIGHTJAR_PORTAL_DATABASE_URL: postgres.url } : {};
  const portal = nightjar(t, ["portal", "serve", ...where], database);
  await waitFor(() => portal.stderr.includes("portal is ready"), {
    what: "the portal is ready",
    timeoutMs: READY_TIMEOUT_MS,
    explain: () => portal.stderr,
  });
  const made = nightjar(t, ["portal", "account", "create", "fleet", "--json", ...where]);
  t.is((await made.exited).code, 0, made.stderr);
  const listed = nightjar(t, ["portal", "account", "list", "--json", ...where]);
  t.is((await listed.exited).code, 0, listed.stderr);
  t.regex(listed.stdout, /"fleet"/);
  process.kill(portal.pid, "SIGTERM");
  t.deepEqual(await portal.exited, { code: 0, signal: null });
});

test("a portal for others needs a certificate, and one without its database says so", async (t) => {
  t.timeout(READY_TIMEOUT_MS * 2);
  const where = ["--state-dir", temporaryFolder(t)];
  const open = nightjar(t, ["portal", "serve", ...where, "--portal-host", "0.0.0.0"]);
  t.is((await open.exited).code, 2);
  t.regex(open.stderr, /portal\.certificate_file/);
  const nowhere = { NIGHTJAR_PORTAL_DATABASE_URL: "postgresql://x@127.0.0.1:1/x" };
  const away = nightjar(t, ["portal", "serve", ...where], nowhere);
  t.is((await away.exited).code, 1);
  t.regex(away.stderr, /PORTAL_DATABASE: connect ECONNREFUSED/);
});
