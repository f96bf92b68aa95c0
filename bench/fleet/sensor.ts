// One simulated sensor: a connection of its own, heartbeats, and detections that it sends until somebody took them.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import {
  DetectionSchema,
  type HeartbeatRequest,
  HeartbeatRequestSchema,
  OutageReportSchema,
  Priority,
  SensorService,
  type StageStatusSchema,
} from "@nightjar/proto";
import { pause } from "@nightjar/stage";

const CALL_TIMEOUT_MS = 10_000;
const RETRY_MS_MAX = 2_000;
const ID_DIGITS = 32;

export interface PortalAccess {
  address: string;
  certificate: string;
  token: string;
}

export interface Counted {
  /** How long each heartbeat took that was answered, ms. */
  heartbeatsMs: number[];
  failures: number;
}

export class SimulatedSensor {
  readonly #id: string;
  readonly #portals: readonly PortalAccess[];
  readonly #counted: Counted;
  readonly #heartbeat: HeartbeatRequest;
  #portal: number;
  #sessions: Http2SessionManager | undefined;
  #client: Client<typeof SensorService> | undefined;

  /** Sensors share the portals as a load balancer would share them out; one that fails is left for the next. */
  constructor(number: number, portals: readonly PortalAccess[], intervalS: number, counted: Counted) {
    this.#id = `fleet-${number}`;
    this.#portals = portals;
    this.#portal = number % portals.length;
    this.#counted = counted;
    this.#heartbeat = heartbeatOf(this.#id, intervalS);
  }

  /** The first at a random moment of the interval, as sensors that were started at different times. */
  async beat(intervalMs: number, signal: AbortSignal): Promise<void> {
    await pause(Math.random() * intervalMs, signal);
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      const startedAt = performance.now();
      await this.#until((client) => client.heartbeat(this.#heartbeat, { timeoutMs: CALL_TIMEOUT_MS }), signal);
      const tookMs = performance.now() - startedAt;
      // As a sensor tells that it was answered: the portal then takes the next for nothing but the next.
      this.#heartbeat.outageReport = create(OutageReportSchema, { since: timestampFromMs(Date.now()) });
      // The first connects: that comes once, and not with each heartbeat.
      if (!isFirst && !signal.aborted) this.#counted.heartbeatsMs.push(tookMs);
      await pause(Math.max(intervalMs - tookMs, 0), signal);
    }
  }

  /** Resolves when a portal has stored it. */
  async detect(number: number): Promise<void> {
    const detection = create(DetectionSchema, {
      id: number.toString(16).padStart(ID_DIGITS, "0"),
      rule: "Read sensitive file untrusted",
      priority: Priority.WARNING,
      output: `a file was read | file=/etc/shadow process=cat number=${number}`,
      time: timestampFromMs(Date.now()),
    });
    const request = { sensorId: this.#id, hostName: this.#id, detections: [detection] };
    await this.#until((client) => client.sendDetections(request, { timeoutMs: CALL_TIMEOUT_MS }));
  }

  close(): void {
    this.#sessions?.abort();
  }

  async #until(call: (client: Client<typeof SensorService>) => Promise<unknown>, signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted) {
      try {
        return void (await call(this.#connected()));
      } catch {
        this.#counted.failures++;
        this.#leave();
        await pause(Math.random() * RETRY_MS_MAX, signal);
      }
    }
  }

  #connected(): Client<typeof SensorService> {
    if (this.#client) return this.#client;
    const { address, certificate, token } = this.#portals[this.#portal] as PortalAccess;
    const sessions = new Http2SessionManager(address, {}, { ca: certificate });
    this.#sessions = sessions;
    const transport = createGrpcTransport({
      baseUrl: address,
      sessionManager: sessions,
      interceptors: [
        (next) => (request) => {
          request.header.set("authorization", `Bearer ${token}`);
          return next(request);
        },
      ],
    });
    this.#client = createClient(SensorService, transport);
    return this.#client;
  }

  #leave(): void {
    this.close();
    this.#client = undefined;
    this.#portal = (this.#portal + 1) % this.#portals.length;
  }
}

const STAGES = ["bus", "collector", "metadata", "enricher", "rule-engine", "aggregator", "uplink"];
const COUNTERS = 20;

/** About as large as a real one. */
function heartbeatOf(id: string, intervalSeconds: number): HeartbeatRequest {
  const counters = Object.fromEntries(
    Array.from({ length: COUNTERS }, (_, index) => [`counter_with_a_name_${index}`, BigInt(index * 1_000_003)]),
  );
  const stages: MessageInitShape<typeof StageStatusSchema>[] = STAGES.map((stage) => {
    return { stage, version: "0.1.0", ready: true, pid: 4711, summary: `${stage} works`, counters };
  });
  const sensor = { id, hostName: id, version: "0.1.0", kernelRelease: "6.1.0-56-amd64" };
  return create(HeartbeatRequestSchema, { sensor, stages, intervalSeconds, sentAt: timestampFromMs(Date.now()) });
}
