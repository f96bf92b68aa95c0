// The sensor as the portal knows it: its own id, and the host it runs on.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type Sensor, SensorSchema } from "@nightjar/proto";
import { readHost, readSmallFile, SENSOR_VERSION, writeFileAtomic } from "@nightjar/stage";

const SENSOR_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** Made at the sensor's first start and kept in `folder`; made anew where what is there is no id. */
export function sensorId(folder: string): string {
  const file = join(folder, "sensor-id");
  const known = readSmallFile(file);
  if (known && SENSOR_ID.test(known)) return known;
  const id = randomUUID();
  writeFileAtomic(file, `${id}\n`);
  return id;
}

/** The sensor as it is now. */
export function describeSensor(id: string): Sensor {
  const { $typeName, $unknown, name, ...host } = readHost();
  return create(SensorSchema, { id, hostName: name, version: SENSOR_VERSION, ...host });
}
