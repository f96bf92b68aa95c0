// The process of the embedded portal: settings, log, signals around the portal.
import {
  createLogger,
  describeError,
  EXIT_BUG,
  EXIT_OK,
  EXIT_SETTINGS,
  endWithSupervisor,
  type Logger,
  openRedactor,
  resolveSettings,
  SENSOR_VERSION,
  statePaths,
} from "@nightjar/stage";
import { PortalError } from "./errors.ts";
import { WATCHDOG_INTERVAL_MS, WATCHDOG_STALLED_MS } from "./limits.ts";
import { type Portal, startPortal } from "./portal.ts";
import { startWatchdog } from "./watchdog.ts";

const STOP_MS_MAX = 8_000;

const { values: settings, problems } = resolveSettings({ env: process.env });
const stateDir = settings.common.state_dir;
const log: Logger = createLogger({
  target: "portal",
  level: settings.common.log_level,
  redactor: openRedactor(problems.length > 0 ? "" : stateDir, settings),
  ...(stateDir && { file: statePaths.log(stateDir, "portal", settings.common.log_dir) }),
});
let exitCode: number | undefined;
let portal: Portal | undefined;

async function end(code: number): Promise<void> {
  if (exitCode !== undefined) return;
  exitCode = code;
  setTimeout(() => process.exit(code), STOP_MS_MAX).unref();
  if (code === EXIT_OK) {
    log.info("portal stops");
    await portal?.close();
  }
  await log.close();
  process.exit(code);
}

function crash(error: unknown): void {
  if (error instanceof PortalError) {
    // What a person has to mend: said in its own words, without where in the code it was found.
    log.error(error.message, { code: error.code });
  } else {
    const stack = error instanceof Error ? error.stack : undefined;
    log.error("portal crashed", { error: describeError(error), stack });
  }
  void end(EXIT_BUG);
}

for (const { code, message } of problems) log.error(message, { code });
if (!stateDir) log.error("NIGHTJAR_STATE_DIR is not set", { code: "SETTING_INVALID" });
if (problems.length > 0 || !stateDir) await end(EXIT_SETTINGS);
process.title = "nightjar-portal";
process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void end(EXIT_OK));
endWithSupervisor(() => void end(EXIT_OK));
log.info("portal starts", { version: SENSOR_VERSION, pid: process.pid });
try {
  const folder = statePaths.folder(stateDir, "portal");
  await startWatchdog(WATCHDOG_INTERVAL_MS, WATCHDOG_STALLED_MS);
  portal = await startPortal({ ...optionsOf(settings.portal), folder, clock: Date.now, log, crash });
  log.info("portal is ready", { address: portal.address });
} catch (error) {
  crash(error);
}

function optionsOf(portal: typeof settings.portal) {
  const { certificate_file: certificate, private_key_file: privateKey, database_url: url } = portal;
  return {
    host: portal.host,
    port: portal.port,
    retentionDays: portal.retention_days,
    tokenLifetimeS: portal.token_lifetime_s,
    ...(portal.client_authorities_file && { clientAuthoritiesFile: portal.client_authorities_file }),
    ...((certificate || privateKey) && { certificateFiles: { certificate, privateKey } }),
    ...(url && { database: { url, connections: portal.database_connections } }),
  };
}
