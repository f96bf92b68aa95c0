// Tells when files may have changed: at once where the kernel says so, and every now and then where it does not.
import { describeError, type Stage } from "@nightjar/stage";
import { watch } from "chokidar";

/** For file systems without notices (NFS), and for notices that were lost. */
const LOOK_INTERVAL_MS = 30_000;

/** Calls `changed` perhaps too often, never too seldom, until the stage stops. */
export function watchFiles(paths: readonly string[], changed: () => void, stage: Pick<Stage, "log" | "onStop">): void {
  const watcher = watch([...paths], { ignoreInitial: true });
  watcher.on("all", changed);
  // Inotify has limits; the look every now and then has none.
  watcher.on("error", (error) => stage.log.warn("cannot watch the rules", { cause: describeError(error) }));
  const interval = setInterval(changed, LOOK_INTERVAL_MS);
  stage.onStop(async () => {
    clearInterval(interval);
    await watcher.close();
  });
}
