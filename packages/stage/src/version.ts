// The sensor's version, said once: in this package.json.
import manifest from "../package.json" with { type: "json" };

/** Such as "0.1.0". */
export const SENSOR_VERSION: string = manifest.version;
