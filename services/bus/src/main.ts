// The stage bus: owns the host's NATS server, its keys, grants, streams and durable consumers.
import { mkdirSync, realpathSync } from "node:fs";
import { resolve } from "node:path";
import { runStage, type Stage } from "@nightjar/stage";
import { atLeast, findServer, type ServerBinary, VERSION_WITHOUT_FAULT } from "./binary.ts";
import { busFiles } from "./files.ts";
import { ensureKeys } from "./keys.ts";
import { endLeftovers } from "./leftover.ts";
import { lockFile } from "./lock.ts";
import { supervise } from "./supervise.ts";

/** The checkout, or the folder of the installed product. */
const ROOT = resolve(import.meta.dirname, "../../..");

await runStage("bus", main);

async function main(stage: Stage): Promise<void> {
  // Links resolved: a leftover server is known by the path of its configuration.
  const files = busFiles(realpathSync(stage.stateDir), stage.settings.common.log_dir);
  mkdirSync(files.logFolder, { recursive: true, mode: 0o700 });
  lockFile(files.lock);
  const binary = await findServer(stage.settings.bus.server_binary, process.env.PATH ?? "", ROOT);
  tellServer(stage, binary);
  for (const pid of await endLeftovers(files.configuration)) stage.log.warn("ended a server left behind", { pid });
  const keys = ensureKeys(stage.stateDir);
  stage.summary = "starts nats-server";
  stage.beforeStatus = () => {
    stage.counters.add("server_restarts", 0);
    stage.counters.add("heals", 0);
    stage.counters.add("purged_messages", 0);
  };
  await new Promise<void>((ready) => {
    const onReady = () => {
      stage.summary = `nats-server ${binary.versionText} on ${stage.facts.get("server_address")}`;
      ready();
    };
    const supervised = supervise({ stage, files, binary, keys, onReady });
    stage.onStop(() => supervised);
    // What it rejects with is a bug, and ends the process as one that nobody handles.
    void supervised.then(ready);
  });
  stage.ready();
}

function tellServer(stage: Stage, binary: ServerBinary): void {
  const { path, version, versionText } = binary;
  stage.log.info("nats-server found", { path, version: versionText });
  stage.facts.set("server_version", versionText);
  stage.facts.set("server_binary", path);
  if (atLeast(version, VERSION_WITHOUT_FAULT)) return;
  const since = VERSION_WITHOUT_FAULT.join(".");
  stage.health.raise(
    "BUS_SERVER_FAULTY",
    `nats-server ${versionText} can stall a queue after a crash, ${since} cannot`,
  );
}
