// What the portal shows of this host, from the files where Linux keeps it; and the sensor's own id.
import { randomUUID } from "node:crypto";
import { hostname, machine, release } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type Sensor, SensorSchema } from "@nightjar/proto";
import { readSmallFile, SENSOR_VERSION, writeFileAtomic } from "@nightjar/stage";

const SENSOR_ID = /^[A-Za-z0-9_-]{1,64}$/;
/** The first that is there counts (os-release(5), machine-id(5)). */
const OS_RELEASE_FILES = ["/etc/os-release", "/usr/lib/os-release"];
const MACHINE_ID_FILES = ["/etc/machine-id", "/var/lib/dbus/machine-id"];

/** Made at the sensor's first start and kept in `folder`; made anew where what is there is no id. */
export function sensorId(folder: string): string {
  const file = join(folder, "sensor-id");
  const known = readSmallFile(file);
  if (known && SENSOR_ID.test(known)) return known;
  const id = randomUUID();
  writeFileAtomic(file, `${id}\n`);
  return id;
}

/** The sensor as it is now; a host's name can change while it runs. */
export function describeSensor(id: string): Sensor {
  return create(SensorSchema, {
    id,
    hostName: hostname(),
    version: SENSOR_VERSION,
    kernelRelease: release(),
    machineId: firstFile(MACHINE_ID_FILES),
    distribution: prettyName(firstFile(OS_RELEASE_FILES)),
    architecture: machine(),
  });
}

function firstFile(files: readonly string[]): string {
  return files.map(readSmallFile).find((contents) => contents) ?? "";
}

/** PRETTY_NAME of an os-release(5) file, with its quotes and their escapes taken off; "" where there is none. */
export function prettyName(osRelease: string): string {
  const value = /^PRETTY_NAME=(.*)$/m.exec(osRelease)?.[1]?.trim() ?? "";
  const quoted = /^(["'])(.*)\1$/.exec(value)?.[2];
  return (quoted ?? value).replace(/\\(["'$`\\])/g, "$1");
}
