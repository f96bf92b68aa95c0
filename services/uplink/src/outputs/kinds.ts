// The table of outputs: what switches each on, and what makes it. A new output is a file and a row here.
import { formats, type JsonObject, type Origin } from "@nightjar/formats";
import type { Detection } from "@nightjar/proto";
import type { Settings } from "@nightjar/stage";
import { fileOutput } from "./file.ts";
import { otlpOutput } from "./otlp.ts";
import type { Output, OutputName } from "./output.ts";
import { syslogOutput } from "./syslog.ts";
import { webhookOutput } from "./webhook.ts";

interface Kind {
  format: (settings: Settings["outputs"]) => keyof typeof formats;
  make: (settings: Settings["outputs"], format: (detection: Detection) => JsonObject, origin: Origin) => Output;
}

const kinds: Readonly<Record<OutputName, Kind>> = {
  file: { format: (settings) => settings.file_format, make: fileOutput },
  syslog: { format: (settings) => settings.syslog_format, make: syslogOutput },
  webhook: { format: (settings) => settings.webhook_format, make: webhookOutput },
  otlp: { format: (settings) => settings.otlp_format, make: otlpOutput },
};

/** The output as the settings say; its address must be set. */
export function makeOutput(name: OutputName, settings: Settings["outputs"], origin: Origin): Output {
  const { format, make } = kinds[name];
  const asObject = formats[format(settings)];
  return make(settings, (detection) => asObject(detection, origin), origin);
}
