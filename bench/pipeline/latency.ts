// Measures how long a detection takes: from just before the deed to its arrival on the bus and at the portal.
import { fromBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { NatsConnection } from "@nats-io/transport-node";
import { type Detection, DetectionBatchSchema, QueryService } from "@nightjar/proto";
import { busCredentials, connectOnce, pause, readSmallFile, statePaths } from "@nightjar/stage";
import type { Deed, DeedProcess } from "./load.ts";

/** Between two deeds, at random within: so that they do not beat in time with a stage's own ticks. */
const GAP_MS_MIN = 10;
const GAP_MS_MAX = 50;
/** What has not arrived this long after the last deed is counted as missed. */
const ARRIVAL_MS_MAX = 5_000;
const ARRIVAL_LOOK_MS = 20;
const NS_PER_MS = 1e6;

/** Where arrivals are noted. */
export type Place = "bus" | "portal";

interface Arrival {
  eventNs: bigint;
  pid: number;
  /** On CLOCK_MONOTONIC. */
  arrivedNs: bigint;
}

export interface Latencies {
  place: Place;
  deeds: number;
  missed: number;
  /** From just before the deed, in ms, for those that arrived. */
  ms: number[];
}

/** Finds each deed's first arrival; a detection belongs to a deed when its event lies within the deed's times. */
export function latenciesOf(
  place: Place,
  pid: number,
  deeds: readonly Deed[],
  arrivals: readonly Arrival[],
): Latencies {
  const own = arrivals.filter((arrival) => arrival.pid === pid);
  const ms = deeds.flatMap(({ monotonicNs, bootBeforeNs, bootAfterNs }) => {
    const arrived = own
      .filter(({ eventNs }) => eventNs >= bootBeforeNs && eventNs <= bootAfterNs)
      .map(({ arrivedNs }) => Number(arrivedNs - monotonicNs) / NS_PER_MS);
    return arrived.length > 0 ? [Math.min(...arrived)] : [];
  });
  return { place, deeds: deeds.length, missed: deeds.length - ms.length, ms };
}

/** Notes every detection's arrival, on the bus and at the portal's stream, until it is closed. */
export class ArrivalWatch {
  readonly arrivals: Record<Place, Arrival[]> = { bus: [], portal: [] };
  readonly #stop = new AbortController();
  readonly #connection: NatsConnection;
  readonly #reading: Promise<void>;

  private constructor(connection: NatsConnection, stateDir: string) {
    this.#connection = connection;
    connection.subscribe("nightjar.detections.>", {
      callback: (_error, message) => {
        const now = process.hrtime.bigint();
        for (const detection of fromBinary(DetectionBatchSchema, message.data).detections) {
          this.#note("bus", now, detection);
        }
      },
    });
    this.#reading = this.#readPortal(stateDir);
  }

  static async open(stateDir: string): Promise<ArrivalWatch> {
    const credentials = busCredentials(stateDir, "listener");
    if (!credentials) throw new Error(`the bus has left no address in ${stateDir}`);
    const connection = await connectOnce(credentials.address, credentials.seed, "listener");
    const watch = new ArrivalWatch(connection, stateDir);
    await connection.flush();
    return watch;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
    await this.#connection.close();
  }

  #note(place: Place, arrivedNs: bigint, { event }: Detection): void {
    if (event) this.arrivals[place].push({ eventNs: event.timeNs, pid: event.pid, arrivedNs });
  }

  async #readPortal(stateDir: string): Promise<void> {
    const token = readSmallFile(statePaths.portalToken(stateDir));
    const transport = createGrpcTransport({
      baseUrl: readSmallFile(statePaths.portalAddress(stateDir)) ?? "",
      nodeOptions: { ca: readSmallFile(statePaths.portalCertificate(stateDir)) },
      interceptors: [
        (next) => (request) => {
          request.header.set("authorization", `Bearer ${token}`);
          return next(request);
        },
      ],
    });
    const { signal } = this.#stop;
    try {
      for await (const { detection } of createClient(QueryService, transport).streamDetections({}, { signal })) {
        if (detection?.detection) this.#note("portal", process.hrtime.bigint(), detection.detection);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

/** Does `count` deeds, waits for their detections and returns the latencies at each place. */
export async function measureLatency(watch: ArrivalWatch, process: DeedProcess, count: number): Promise<Latencies[]> {
  const deeds: Deed[] = [];
  for (let index = 0; index < count; index++) {
    await pause(GAP_MS_MIN + Math.random() * (GAP_MS_MAX - GAP_MS_MIN));
    deeds.push(await process.do());
  }
  const places: readonly Place[] = ["bus", "portal"];
  const measured = () => places.map((place) => latenciesOf(place, process.pid, deeds, watch.arrivals[place]));
  const end = performance.now() + ARRIVAL_MS_MAX;
  while (performance.now() < end && measured().some(({ missed }) => missed > 0)) await pause(ARRIVAL_LOOK_MS);
  return measured();
}
