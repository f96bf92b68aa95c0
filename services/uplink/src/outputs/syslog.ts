// The output syslog: messages of RFC 5424 over TLS (RFC 5425), a connection a batch.
import { connect, type TLSSocket } from "node:tls";
import { type JsonObject, type Origin, severityOf, toJson } from "@nightjar/formats";
import type { Detection } from "@nightjar/proto";
import { readSmallFile, type Settings } from "@nightjar/stage";
import { failureOf } from "../failure.ts";
import { SEND_DETECTIONS_MAX } from "../limits.ts";
import { type Output, OutputFailure } from "./output.ts";

const APP_NAME = "nightjar";
const MESSAGE_ID = "detection";
/** PRI is facility × 8 + severity. */
const SEVERITIES = 8;
const HOSTNAME_CHARACTERS_MAX = 255;
const MICROSECOND_DIGITS = 6;
const NS_DIGITS = 9;

export function syslogOutput(
  settings: Settings["outputs"],
  format: (detection: Detection) => JsonObject,
  origin: Origin,
): Output {
  return {
    name: "syslog",
    target: settings.syslog_address,
    format: settings.syslog_format,
    batchMax: SEND_DETECTIONS_MAX,
    parallelMax: 1,
    async send(detections, signal) {
      const frames = detections.map((one) => frame(messageOf(one, settings.syslog_facility, format, origin)));
      await deliver(Buffer.concat(frames), settings, signal);
      return undefined;
    },
  };
}

/**
 * A message whose MSG is the detection as JSON. It is MSG-ANY, without the byte order mark that would make it
 * MSG-UTF8: readers of JSON stumble over that. PROCID and STRUCTURED-DATA are nil.
 */
export function messageOf(
  detection: Detection,
  facility: number,
  format: (detection: Detection) => JsonObject,
  { host }: Origin,
): string {
  const priority = facility * SEVERITIES + severityOf(detection.priority).syslog;
  const hostName = host.name.replaceAll(/[^\x21-\x7e]/g, "").slice(0, HOSTNAME_CHARACTERS_MAX) || "-";
  const header = `<${priority}>1 ${timestampOf(detection)} ${hostName} ${APP_NAME} - ${MESSAGE_ID} -`;
  return `${header} ${toJson(format(detection))}`;
}

/** RFC 5424, 6.2.3: six digits after the point at most. */
function timestampOf({ time }: Detection): string {
  if (!time) return "-";
  const seconds = new Date(Number(time.seconds) * 1_000).toISOString().slice(0, -".000Z".length);
  return `${seconds}.${String(time.nanos).padStart(NS_DIGITS, "0").slice(0, MICROSECOND_DIGITS)}Z`;
}

/** RFC 5425, 4.3: the length in bytes, a space, the message. */
function frame(message: string): Buffer {
  const bytes = Buffer.from(message);
  return Buffer.concat([Buffer.from(`${bytes.length} `), bytes]);
}

/**
 * Syslog acknowledges nothing. So a batch is a connection: we end it, and that the receiver ends it too, without an
 * error, says that it has read to our end. One that dies before answers with a reset, or not at all.
 */
async function deliver(bytes: Uint8Array, settings: Settings["outputs"], signal: AbortSignal): Promise<void> {
  const { timeout_ms: timeoutMs } = settings;
  const socket = connect({ ...endpointOf(settings.syslog_address), ...tlsOf(settings), minVersion: "TLSv1.2" });
  let isEnded = false;
  const late = AbortSignal.timeout(timeoutMs);
  const stop = () => socket.destroy(new Error("aborted"));
  const signals = [late, signal];
  for (const one of signals) one.addEventListener("abort", stop, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("secureConnect", () => socket.end(bytes));
      socket.once("end", () => {
        isEnded = socket.writableFinished;
      });
      socket.once("error", reject);
      socket.once("close", () => (isEnded ? resolve() : reject(new OutputFailure(HUNG_UP))));
      // What a receiver says is not looked at, but it must be read for its end to be seen.
      socket.resume();
    });
  } catch (error) {
    throw failureAt(error, late, timeoutMs, socket);
  } finally {
    for (const one of signals) one.removeEventListener("abort", stop);
  }
}

const HUNG_UP = "the receiver hung up before it had read everything";

function failureAt(error: unknown, late: AbortSignal, timeoutMs: number, socket: TLSSocket): OutputFailure {
  if (error instanceof OutputFailure) return error;
  if (late.aborted) {
    const did = socket.writableFinished ? "did not end the connection in answer to our end" : "did not answer";
    return new OutputFailure(`Connection Failed: timed out: the receiver ${did} within ${timeoutMs} ms`);
  }
  const { message, resp } = failureOf(error);
  return new OutputFailure(`${message} (${resp})`, { cause: error });
}

function endpointOf(address: string): { host: string; port: number; servername?: string } {
  const at = address.lastIndexOf(":");
  const host = address.slice(0, at).replaceAll(/[[\]]/g, "");
  const isAddress = /^[\d.]+$|:/.test(host);
  return { host, port: Number(address.slice(at + 1)), ...(!isAddress && { servername: host }) };
}

/** Read anew each time, so that certificates can be replaced while the sensor runs. */
function tlsOf(settings: Settings["outputs"]): { ca?: string; cert?: string; key?: string } {
  const rows = [
    ["ca", settings.syslog_ca_file],
    ["cert", settings.syslog_certificate_file],
    ["key", settings.syslog_key_file],
  ] as const;
  return Object.fromEntries(
    rows.flatMap(([name, file]) => {
      if (file === "") return [];
      const contents = readSmallFile(file);
      if (!contents) throw new OutputFailure(`${file} cannot be read`);
      return [[name, contents]];
    }),
  );
}
