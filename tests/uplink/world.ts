// A real bus, uplink and portal with a network between them; detections are published as the rule engine does.
import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { type JetStreamClient, jetstream } from "@nats-io/jetstream";
import { type Detection, DetectionBatchSchema, DetectionSchema, Priority, QueryService } from "@nightjar/proto";
import { statePaths } from "@nightjar/stage";
import { type startProcess, type TestProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import { startBus, type TestBus } from "../harness/bus.ts";
import { type Forwarding, forward, type Join } from "../harness/forward.ts";
import { type Network, startNetwork } from "../harness/network.ts";
import type { LogLine } from "../harness/sensor.ts";
import { type Identity, makeIdentity } from "./certificates.ts";

const UPLINK = fileURLToPath(new URL("../../services/uplink/src/main.ts", import.meta.url));
const PORTAL = fileURLToPath(new URL("../../services/portal/src/main.ts", import.meta.url));
const SHIFTED_CLOCK = new URL("shifted-clock.ts", import.meta.url).href;
export const PORTAL_NAME = "portal.test";
const PORTAL_PORT = 8443;
const DISK_BYTES = 512 * 1024 * 1024;
/** Less than a portal wants free, whatever it has stored. */
const FULL_DISK_BYTES = 96 * 1024 * 1024;
const PORTAL_DAYS = 3_650;
const EXPIRED_DAYS = -2;
const ID_BYTES = 16;
const PAGE = 1_000;
/** Ample: the machine may be busy with other things. */
export const START_TIMEOUT_MS = 60_000;
const SETTLE_TIMEOUT_MS = 60_000;

type Test = Parameters<typeof startProcess>[0];

/** Retries come quickly, and a call does not wait long, so that a test does not. */
const QUICK = {
  NIGHTJAR_UPLINK_CALL_TIMEOUT_MS: "2000",
  NIGHTJAR_UPLINK_RETRY_BASE_MS: "50",
  NIGHTJAR_UPLINK_RETRY_MAX_MS: "400",
  NIGHTJAR_UPLINK_FAST_WINDOW_S: "86400",
  NIGHTJAR_UPLINK_HEARTBEAT_INTERVAL_S: "1",
  NIGHTJAR_UPLINK_BREAKER_OPEN_S: "1",
  NIGHTJAR_UPLINK_START_DELAY_MS_MAX: "0",
};

const priorities = Object.values(Priority).filter((priority) => priority !== Priority.UNSPECIFIED);

/** Detections as the rule engine makes them; what they say cannot be compressed. */
export function detections(count: number, bytes = 200): Detection[] {
  return Array.from({ length: count }, (_, at) =>
    create(DetectionSchema, {
      id: randomBytes(ID_BYTES).toString("hex"),
      rule: "Read sensitive file untrusted",
      priority: priorities[at % priorities.length] ?? Priority.DEBUG,
      output: randomBytes(bytes / 2).toString("hex"),
      time: timestampFromMs(Date.now()),
    }),
  );
}

/** A portal on a disk of its own, which can be full; it can be killed and started again. */
export class TestPortal {
  /** As it is found from outside. */
  readonly stateDir: string;
  /** Where it listens, or did. */
  port = 0;
  readonly #side: Network["far"];
  readonly #folder: string;
  #process: TestProcess | undefined;

  constructor(test: Test, side: Network["far"]) {
    this.#side = side;
    this.#folder = temporaryFolder(test);
    side.run("mount", "-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "nightjar", this.#folder);
    this.stateDir = side.pathOf(this.#folder);
  }

  /** Leaves the portal's disk too little room, or room again. */
  fillDisk(full: boolean): void {
    this.#side.run("mount", "-o", `remount,size=${full ? FULL_DISK_BYTES : DISK_BYTES}`, this.#folder);
  }

  async start(): Promise<void> {
    const folder = statePaths.folder(this.stateDir, "portal");
    if (!this.#process) {
      const { key, cert } = await makeIdentity(PORTAL_NAME, PORTAL_DAYS);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "private-key.pem"), key);
      writeFileSync(join(folder, "certificate.pem"), cert);
    }
    const env = { NIGHTJAR_STATE_DIR: this.#folder };
    this.#process = this.#side.startWithMounts([process.execPath, PORTAL], env);
    await this.#process.line(/"message":"portal is ready"/, { timeoutMs: START_TIMEOUT_MS });
    this.port = Number(new URL(readFileSync(statePaths.portalAddress(this.stateDir), "utf8").trim()).port);
  }

  async kill(): Promise<void> {
    this.#process?.signal("SIGKILL");
    await this.#process?.exited;
  }

  client() {
    const read = (file: string) => readFileSync(file, "utf8").trim();
    const token = read(statePaths.portalToken(this.stateDir));
    const transport = createGrpcTransport({
      baseUrl: `https://127.0.0.1:${this.port}`,
      nodeOptions: { ca: read(statePaths.portalCertificate(this.stateDir)), servername: PORTAL_NAME },
      idleConnectionTimeoutMs: 100,
      interceptors: [
        (next) => (request) => {
          request.header.set("authorization", `Bearer ${token}`);
          return next(request);
        },
      ],
    });
    return createClient(QueryService, transport);
  }
}

export class World {
  readonly bus: TestBus;
  readonly portal: TestPortal;
  readonly network: Network;
  readonly published = new Set<string>();
  /** How often the portal's list had each id. */
  readonly stored = new Map<string, number>();
  uplink: TestProcess | undefined;
  /** Trusted, but over. */
  expired: Identity | undefined;
  #trusted = "";
  #token = "";
  #clock = "";
  readonly #writer: JetStreamClient;
  #wire: Forwarding | undefined;
  #join: Join | undefined;
  #cursor = 0n;

  constructor(bus: TestBus, portal: TestPortal, network: Network, writer: JetStreamClient) {
    this.bus = bus;
    this.portal = portal;
    this.network = network;
    this.#writer = writer;
  }

  /** Opens the ways between the namespaces: to the bus from the near side, to the portal from the far one. */
  async connect(test: Test): Promise<void> {
    const folder = temporaryFolder(test);
    const [busSocket, portalSocket] = [join(folder, "bus"), join(folder, "portal")];
    const bus = new URL(readFileSync(statePaths.busAddress(this.bus.stateDir), "utf8").trim());
    const toBus = await forward({ path: busSocket }, () => ({ host: bus.hostname, port: Number(bus.port) }));
    const toPortal = () => ({ host: "127.0.0.1", port: this.portal.port });
    this.#wire = await forward({ path: portalSocket }, toPortal, (from, to) => {
      if (this.#join) return this.#join(from, to);
      from.pipe(to);
      to.pipe(from);
    });
    test.teardown(() => {
      toBus.close();
      this.#wire?.close();
    });
    const portalCertificate = readFileSync(statePaths.portalCertificate(this.portal.stateDir), "utf8");
    this.expired = await makeIdentity(PORTAL_NAME, EXPIRED_DAYS);
    this.#trusted = join(folder, "trusted.pem");
    writeFileSync(this.#trusted, `${portalCertificate}\n${this.expired.cert}\n`);
    this.#token = join(folder, "token");
    this.#clock = join(folder, "clock");
    this.knowToken();
    this.setClockAhead(0);
    await this.network.near.passage(bus.host, busSocket);
    await this.network.far.passage(`${this.network.farAddress}:${PORTAL_PORT}`, portalSocket);
    this.nameKnown(true);
  }

  /** What becomes of bytes at the far end, from the next connection on, which comes at once. */
  carry(join: Join | undefined): void {
    this.#join = join;
    this.#wire?.cut();
  }

  /** Whether the portal's name leads somewhere. */
  nameKnown(known: boolean): void {
    this.network.setHosts(known ? `${this.network.farAddress} ${PORTAL_NAME}\n` : "");
  }

  /** Gives the uplink the token that the portal has now. */
  knowToken(): void {
    writeFileSync(this.#token, readFileSync(statePaths.portalToken(this.portal.stateDir)));
  }

  /** How far the uplink's clock is ahead, as if somebody had set the time. */
  setClockAhead(ms: number): void {
    writeFileSync(this.#clock, String(ms));
  }

  /** Stops the uplink and starts another; resolves when that is ready. */
  async restartUplink(env: Record<string, string> = {}): Promise<void> {
    await this.uplink?.stop();
    await this.startUplink(env).line(/"message":"uplink is ready"/, { timeoutMs: START_TIMEOUT_MS });
  }

  startUplink(env: Record<string, string> = {}): TestProcess {
    this.uplink = this.network.near.start([process.execPath, UPLINK], {
      ...QUICK,
      NIGHTJAR_STATE_DIR: this.bus.stateDir,
      NIGHTJAR_UPLINK_PORTAL_URL: `https://${PORTAL_NAME}:${PORTAL_PORT}`,
      NIGHTJAR_UPLINK_PORTAL_CERTIFICATE_FILE: this.#trusted,
      NIGHTJAR_UPLINK_PORTAL_TOKEN_FILE: this.#token,
      NODE_OPTIONS: `--import=${SHIFTED_CLOCK}`,
      SHIFTED_CLOCK_FILE: this.#clock,
      ...env,
    });
    return this.uplink;
  }

  /** Puts a batch on the bus; resolves when it is stored there. */
  async publish(batch: readonly Detection[]): Promise<void> {
    const bytes = toBinary(DetectionBatchSchema, create(DetectionBatchSchema, { detections: [...batch] }));
    await this.#writer.publish("nightjar.detections.warning", bytes);
    for (const { id } of batch) this.published.add(id);
  }

  /** The uplink's log, as it stands in its file. */
  log(): LogLine[] {
    const text = readFileSync(statePaths.log(this.bus.stateDir, "uplink"), "utf8");
    return text.split("\n").flatMap((line) => (line.endsWith("}") ? [JSON.parse(line) as LogLine] : []));
  }

  /** Resolves when the log has an error with these words behind line `from`; gives its `resp`. */
  async words(message: string, from: number): Promise<string> {
    const find = () =>
      this.log()
        .slice(from)
        .find(({ level, fields }) => level === "ERROR" && fields.message === message);
    const explain = () =>
      this.log()
        .slice(from)
        .map((line) => JSON.stringify(line))
        .join("\n");
    const line = await waitFor(find, { what: `the log says "${message}"`, timeoutMs: START_TIMEOUT_MS, explain });
    return String(line.fields.resp);
  }

  /** Resolves when the portal has all that was published. */
  async settled(): Promise<void> {
    const missing = async () => {
      await this.#read();
      return [...this.published].filter((id) => !this.stored.has(id));
    };
    await waitFor(async () => (await missing()).length === 0, {
      what: "the portal has everything",
      timeoutMs: SETTLE_TIMEOUT_MS,
      intervalMs: 100,
      explain: async () =>
        [
          `missing: ${(await missing()).length}`,
          ...this.log()
            .slice(-8)
            .map((one) => JSON.stringify(one)),
        ].join("\n"),
    });
  }

  /** How many deliveries were of something that the portal had already. */
  async repeated(): Promise<number> {
    const client = this.portal.client();
    let repeated = 0;
    for (let more = true, after = 0n; more; ) {
      const page = await client.listDetections({ after, limit: PAGE });
      for (const { deliveries } of page.detections) repeated += deliveries - 1;
      ({ next: after, more } = page);
    }
    return repeated;
  }

  async #read(): Promise<void> {
    const client = this.portal.client();
    for (let more = true; more; ) {
      const page = await client.listDetections({ after: this.#cursor, limit: PAGE });
      for (const { detection } of page.detections) {
        const id = detection?.id ?? "";
        this.stored.set(id, (this.stored.get(id) ?? 0) + 1);
      }
      this.#cursor = page.next;
      more = page.more;
    }
  }
}

/** Starts all but the uplink. */
export async function startWorld(test: Test): Promise<World> {
  const network = await startNetwork(test);
  const portal = new TestPortal(test, network.far);
  const [bus] = await Promise.all([startBus(test), portal.start()]);
  const world = new World(bus, portal, network, jetstream(await bus.connect("rule-engine")));
  await world.connect(test);
  return world;
}
