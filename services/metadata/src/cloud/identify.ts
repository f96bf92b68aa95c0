// Asks the cloud's metadata service who this instance is, where the settings allow it.
import { Backoff, describeError, type Stage } from "@nightjar/stage";
import { type Ask, PROVIDERS } from "./providers.ts";

/** The service is on the host's own machine: what takes longer is not there. */
const ANSWER_MS_MAX = 2_000;
const ANSWER_BYTES_MAX = 256 * 1024;
/** By then the collector knows that this process is the sensor's, so that asking is no event. It asks once a second. */
const FIRST_ASK_MS = 5_000;
/** Who has not answered so often is not there. */
const ATTEMPTS_MAX = 10;
const RETRIES = { baseMs: 1_000, maxMs: 300_000, jitter: 1, fastWindowMs: Number.POSITIVE_INFINITY, slowIntervalMs: 0 };

/** Begins to ask, until there is an answer or there was none often enough; never throws. */
export function identifyCloud(stage: Stage): void {
  const { cloud, cloud_url: url } = stage.settings.metadata;
  if (cloud === "off") return;
  const providers = PROVIDERS.filter(({ name }) => cloud === "auto" || name === cloud);
  const backoff = new Backoff(RETRIES);
  const ask = askerOf(url, stage.signal);
  let attempts = 0;
  let timer: NodeJS.Timeout;
  const attempt = async () => {
    const failures: string[] = [];
    for (const { name, identify } of providers) {
      try {
        stage.cloud = await identify(ask);
        stage.log.info("the cloud says who this instance is", { provider: name, instance: stage.cloud.instanceId });
        return;
      } catch (error) {
        failures.push(`${name}: ${describeError(error)}`);
      }
    }
    if (++attempts < ATTEMPTS_MAX && !stage.signal.aborted) timer = setTimeout(attempt, backoff.next());
    else stage.log.warn("no cloud says who this instance is", { causes: failures });
  };
  timer = setTimeout(attempt, FIRST_ASK_MS);
  stage.onStop(() => clearTimeout(timer));
}

/** Asks one service, without following it elsewhere: its answers are for this host alone. */
export function askerOf(url: string, signal: AbortSignal): Ask {
  return async (path, headers, method = "GET") => {
    const late = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
    const response = await fetch(new URL(path, url), { headers, method, redirect: "error", signal: late });
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
    return await textOf(response, path);
  };
}

async function textOf(response: Response, path: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > ANSWER_BYTES_MAX) throw new Error(`${path}: more than ${ANSWER_BYTES_MAX} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
