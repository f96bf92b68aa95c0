// A network of a test's own: two namespaces joined by a wire, whose packets can be dropped or refused by nftables.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";

const PASSAGE = fileURLToPath(new URL("passage.ts", import.meta.url));
/** TEST-NET-1 (RFC 5737): addresses that are nobody's. */
const NEAR = "192.0.2.1";
const FAR = "192.0.2.2";
const NEAR_LINK = "near";
const FAR_LINK = "far";

type Test = Parameters<typeof startProcess>[0];

/** Why no network can be made here, undefined when one can. */
export function whyNoNetwork(): string | undefined {
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const missing = ["ip", "nft", "nsenter"].filter((program) => !onPath(program));
  return missing.length > 0 ? `not installed: ${missing.join(", ")}` : undefined;
}

export function onPath(program: string): boolean {
  return `${process.env.PATH}:/usr/sbin:/sbin`.split(":").some((folder) => existsSync(join(folder, program)));
}

/** A network and a mount namespace that last as long as the process that has them. */
class Namespace {
  readonly #test: Test;
  readonly #holder: TestProcess;

  constructor(test: Test) {
    this.#test = test;
    this.#holder = startProcess(test, "unshare", ["--net", "--mount", "sleep", "infinity"]);
  }

  async made(): Promise<this> {
    const comm = () => readFileSync(`/proc/${this.#holder.pid}/comm`, "utf8").trim();
    await waitFor(() => comm() === "sleep", { what: "a namespace is made" });
    this.run("ip", "link", "set", "lo", "up");
    return this;
  }

  get pid(): number {
    return this.#holder.pid;
  }

  /** Runs a program inside to its end. */
  run(...command: readonly string[]): void {
    const [program, ...args] = this.#enter(command);
    execFileSync(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  }

  /** Starts a program inside; it is stopped with the test. */
  start(command: readonly string[], env: Record<string, string> = {}): TestProcess {
    const [program, ...args] = this.#enter(command);
    return startProcess(this.#test, program, args, { env });
  }

  /** Starts a program that has only the mounts of inside, and the machine's own network. */
  startWithMounts(command: readonly string[], env: Record<string, string>): TestProcess {
    const args = ["--target", String(this.pid), "--mount", "--", ...command];
    return startProcess(this.#test, "nsenter", args, { env });
  }

  /** Where a path of inside is found from outside. */
  pathOf(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  /** A way from a place inside to another; a Unix socket's path leads out. */
  async passage(from: string, to: string): Promise<void> {
    await this.start([process.execPath, PASSAGE, from, to]).line(/listening/);
  }

  /** These rules (nft(8)) for what comes in, instead of those before. */
  filter(...rules: readonly string[]): void {
    const table = `table inet faults\ndelete table inet faults\n`;
    const hook = "type filter hook input priority 0;";
    const chain = `table inet faults {\nchain in {\n${[hook, ...rules].join("\n")}\n}\n}\n`;
    const [program, ...args] = this.#enter(["nft", "-f", "-"]);
    execFileSync(program, args, { input: table + (rules.length > 0 ? chain : ""), stdio: ["pipe", "ignore", "pipe"] });
  }

  #enter(command: readonly string[]): [string, ...string[]] {
    return ["nsenter", "--target", String(this.pid), "--net", "--mount", "--", ...command];
  }
}

export interface Network {
  /** Where the sensor is. */
  near: Namespace;
  /** Where it calls. */
  far: Namespace;
  farAddress: string;
  /** What both sides have for /etc/hosts: the names there are, as no DNS server answers. */
  setHosts(lines: string): void;
  /** Takes the near side's end of the wire down, or up again, as a cable does. */
  setLink(state: "up" | "down"): void;
}

/** Makes the network; it is gone with the test. */
export async function startNetwork(test: Test): Promise<Network> {
  const [near, far] = await Promise.all([new Namespace(test).made(), new Namespace(test).made()]);
  near.run("ip", "link", "add", NEAR_LINK, "type", "veth", "peer", "name", FAR_LINK, "netns", String(far.pid));
  far.run("ip", "address", "add", `${FAR}/24`, "dev", FAR_LINK);
  far.run("ip", "link", "set", FAR_LINK, "up");
  near.run("ip", "address", "add", `${NEAR}/24`, "dev", NEAR_LINK);
  const folder = temporaryFolder(test);
  const [hosts, resolv] = [join(folder, "hosts"), join(folder, "resolv.conf")];
  writeFileSync(hosts, "");
  // Nobody answers there, and quickly so.
  writeFileSync(resolv, `nameserver ${FAR}\noptions timeout:1 attempts:1\n`);
  for (const side of [near, far]) side.run("mount", "--bind", hosts, "/etc/hosts");
  near.run("mount", "--bind", resolv, "/etc/resolv.conf");
  const setLink = (state: "up" | "down") => near.run("ip", "link", "set", NEAR_LINK, state);
  setLink("up");
  return { near, far, farAddress: FAR, setHosts: (lines) => writeFileSync(hosts, lines), setLink };
}
