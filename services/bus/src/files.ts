// Where the bus keeps what in its folder.
import { dirname, join } from "node:path";
import { statePaths } from "@nightjar/stage";

/** All paths of one sensor's bus; absolute when the state folder is. */
export function busFiles(stateDir: string, logDir = "") {
  const folder = statePaths.folder(stateDir, "bus");
  return {
    folder,
    lock: join(folder, "lock"),
    /** Seeds: those of the stages and clients, and the manager's, which no stage holds. */
    key: (name: string) => join(dirname(statePaths.key(stateDir, "bus")), `${name}.nk`),
    address: statePaths.busAddress(stateDir),
    /** The port of the last start, kept so that clients find the server again. */
    port: join(folder, "port"),
    /** The disk budget of the last start: what existing streams may have reserved. */
    diskBudget: join(folder, "disk-budget"),
    configuration: join(folder, "nats-server.conf"),
    pid: join(folder, "nats-server.pid"),
    /** What nats-server says before its log is open, and when it panics. */
    standardError: join(folder, "nats-server.stderr"),
    store: join(folder, "jetstream"),
    brokenStorePrefix: "jetstream.broken-",
    logFolder: statePaths.logs(stateDir, logDir),
    log: join(statePaths.logs(stateDir, logDir), "nats-server.log"),
  };
}

export type BusFiles = ReturnType<typeof busFiles>;
