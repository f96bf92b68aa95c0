// The process of simulated sensors: told on standard input what to do, tells on standard output what came of it.
import { json } from "node:stream/consumers";
import { pause } from "@nightjar/stage";
import { type Counted, type PortalAccess, SimulatedSensor } from "./sensor.ts";

export interface Order {
  portals: PortalAccess[];
  /** Of all processes of sensors, which this is: their numbers do not meet. */
  process: number;
  processes: number;
  sensors: number;
  heartbeatS: number;
  detectionsPerS: number;
  seconds: number;
}

export interface Outcome extends Counted {
  detections: number;
}

const MS_PER_S = 1_000;

const order = (await json(process.stdin)) as Order;
const counted: Counted = { heartbeatsMs: [], failures: 0 };
const sensors = Array.from({ length: order.sensors }, (_, index) => {
  return new SimulatedSensor(index * order.processes + order.process, order.portals, order.heartbeatS, counted);
});
const stopping = new AbortController();
const beating = sensors.map((sensor) => sensor.beat(order.heartbeatS * MS_PER_S, stopping.signal));
const sending: Promise<void>[] = [];
const startedAt = performance.now();
for (let passedS = 0; passedS < order.seconds; passedS = (performance.now() - startedAt) / MS_PER_S) {
  while (sending.length < passedS * order.detectionsPerS) {
    const sensor = sensors[Math.floor(Math.random() * sensors.length)] as SimulatedSensor;
    sending.push(sensor.detect(sending.length * order.processes + order.process));
  }
  await pause(MS_PER_S / Math.max(order.detectionsPerS, 1), stopping.signal);
}
await Promise.all(sending);
stopping.abort();
await Promise.all(beating);
for (const sensor of sensors) sensor.close();
const outcome: Outcome = { ...counted, detections: sending.length };
process.stdout.write(JSON.stringify(outcome), () => process.exit(0));
