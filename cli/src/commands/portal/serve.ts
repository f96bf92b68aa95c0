// `nightjar portal serve`: a portal of its own, for a fleet of sensors, in the foreground.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { settingNames, settingsEnvironment } from "@nightjar/stage";
import type { Command } from "commander";
import { CommandError, type Context, define, type Environment } from "../../command.ts";
import type { ExitName } from "../../exit-codes.ts";
import { entryOf } from "../../supervisor/plan.ts";

/** What the portal's process ends with, where that has a meaning of its own (packages/stage). */
const EXITS: Readonly<Record<number, ExitName>> = { 0: "OK", 2: "USAGE" };

export function serveCommand(environment: Environment): Command {
  return define(environment, {
    name: "serve",
    description: "Serve a portal for many hosts until Ctrl-C; its log goes to standard error, as JSON lines.",
    settings: settingNames.map(({ name }) => name).filter((name) => name.startsWith("portal.")),
    examples: [
      "nightjar portal serve --state-dir /var/lib/nightjar-portal --portal-port 8443",
      "NIGHTJAR_PORTAL_DATABASE_URL=postgresql://nightjar@db.example.org/nightjar nightjar portal serve",
    ],
    action: (context) => serve(context),
  });
}

async function serve({ resolved, stateDir, streams, signal, settings }: Context): Promise<ExitName> {
  const { host, certificate_file: certificate } = settings.portal;
  if (!isLoopback(host) && certificate === "")
    throw new CommandError("USAGE", `portal.host is ${host}: others than this host need portal.certificate_file`);
  const env = {
    ...streams.env,
    ...settingsEnvironment(resolved),
    NIGHTJAR_STATE_DIR: stateDir,
    NIGHTJAR_SUPERVISED: "1",
  };
  // The portal ends when its standard input does, as it would with a supervisor that dies.
  const child = spawn(process.execPath, [entryOf("portal")], {
    env,
    stdio: ["pipe", "inherit", "pipe"],
    detached: true,
  });
  child.stderr.on("data", (text: Buffer) => streams.stderr.write(text));
  signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  const [code, killedBy] = (await once(child, "close")) as [number | null, string | null];
  if (code === null) throw new CommandError("FAILED", `the portal was ended by ${killedBy}`);
  return EXITS[code] ?? "FAILED";
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\./.test(host);
}
