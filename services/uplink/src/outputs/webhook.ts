// The output webhook: one POST a detection, signed as Standard Webhooks asks (standardwebhooks.com).
import { createHmac } from "node:crypto";
import { type JsonObject, toJson } from "@nightjar/formats";
import type { Detection } from "@nightjar/proto";
import { readSmallFile, type Settings } from "@nightjar/stage";
import { WEBHOOK_PARALLEL_MAX } from "../limits.ts";
import { HttpSender } from "./http.ts";
import { type Output, OutputFailure } from "./output.ts";

const MS_PER_S = 1_000;
const SECRET_PREFIX = "whsec_";

export function webhookOutput(settings: Settings["outputs"], format: (detection: Detection) => JsonObject): Output {
  const sender = new HttpSender({
    url: settings.webhook_url,
    caFile: settings.webhook_ca_file,
    headersFile: settings.webhook_headers_file,
    timeoutMs: settings.timeout_ms,
    connectionsMax: WEBHOOK_PARALLEL_MAX,
  });
  return {
    name: "webhook",
    target: new URL(settings.webhook_url).origin,
    format: settings.webhook_format,
    batchMax: 1,
    parallelMax: WEBHOOK_PARALLEL_MAX,
    async send(detections, signal) {
      for (const detection of detections) {
        const body = toJson(format(detection));
        const signed = sign({
          // A receiver that has seen this id has seen this revision of the detection.
          id: `${detection.id}-${detection.revision}`,
          timestampS: Math.floor(Date.now() / MS_PER_S),
          body,
          secretFile: settings.webhook_secret_file,
        });
        const headers = { "content-type": "application/json", ...signed };
        await sender.post({ headers, body: Buffer.from(body), signal });
      }
      return undefined;
    },
  };
}

interface Signed {
  id: string;
  timestampS: number;
  body: string;
  secretFile: string;
}

/** The three headers of Standard Webhooks; without a secret there is no signature. */
function sign({ id, timestampS, body, secretFile }: Signed): Record<string, string> {
  const headers = { "webhook-id": id, "webhook-timestamp": String(timestampS) };
  if (secretFile === "") return headers;
  const mac = createHmac("sha256", readSecret(secretFile)).update(`${id}.${timestampS}.${body}`).digest("base64");
  return { ...headers, "webhook-signature": `v1,${mac}` };
}

/** Read anew each time, so that it can be rotated while the sensor runs. */
function readSecret(file: string): Buffer {
  const text = readSmallFile(file);
  if (!text) throw new OutputFailure(`${file} cannot be read, or is empty`);
  return text.startsWith(SECRET_PREFIX) ? Buffer.from(text.slice(SECRET_PREFIX.length), "base64") : Buffer.from(text);
}
