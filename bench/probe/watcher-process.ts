// Talks to the process that has the probe.
import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { ProfileName } from "./profiles.ts";
import type { Ask, Figures } from "./watcher.ts";

export class WatcherProcess {
  readonly #child: ChildProcess;

  /** Starts it, pinned to `cpu`. */
  constructor(cpu: number) {
    this.#child = fork(join(import.meta.dirname, "watcher.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    execFileSync("taskset", ["-a", "-p", "-c", String(cpu), String(this.#child.pid)], { stdio: "ignore" });
  }

  open(profile: ProfileName): Promise<Figures> {
    return this.#ask({ ask: "open", profile });
  }

  figures(): Promise<Figures> {
    return this.#ask({ ask: "figures" });
  }

  /** The last figures; the probe is gone when they come. */
  close(): Promise<Figures> {
    return this.#ask({ ask: "close" });
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  async #ask(message: Ask): Promise<Figures> {
    this.#child.send(message);
    const answered = new AbortController();
    const ended = once(this.#child, "exit", { signal: answered.signal });
    const [answer] = await Promise.race([
      once(this.#child, "message"),
      ended.then(() => Promise.reject(new Error("the process with the probe has ended"))),
    ]);
    answered.abort();
    return answer as Figures;
  }
}
