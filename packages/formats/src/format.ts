// The table of formats: what makes an object of a detection, by the name that settings give it.
import type { Detection, Host } from "@nightjar/proto";
import { ecs } from "./ecs.ts";
import { falco } from "./falco.ts";
import type { JsonObject } from "./json.ts";
import { ocsf } from "./ocsf.ts";

/** Who tells of a detection. */
export interface Origin {
  host: Host;
  sensorId: string;
  sensorVersion: string;
}

/** The same detection gives the same object, so that who gets it twice can tell. */
export type Format = (detection: Detection, origin: Origin) => JsonObject;

export const formats = { falco, ecs, ocsf } as const satisfies Record<string, Format>;

export type FormatName = keyof typeof formats;
export const formatNames = Object.keys(formats) as FormatName[];
