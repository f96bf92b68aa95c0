// STIX 2.1 bundles (OASIS, stix-v2.1-os, sections 4.7 and 8): their indicators, each with its pattern.
import { Disposition } from "@nightjar/proto";
import { type Fields, isObject, objectsOf, textOf, textsOf } from "./json.ts";
import { confidenceOf, type ListBuilder, timeOf } from "./list.ts";
import { readPattern } from "./stix-pattern.ts";

/** indicator-type-ov, section 10.10; what is not here leaves the list's default. */
const dispositions: ReadonlyMap<string, Disposition> = new Map([
  ["benign", Disposition.BENIGN],
  ["anomalous-activity", Disposition.SUSPICIOUS],
  ["malicious-activity", Disposition.MALICIOUS],
  ["compromised", Disposition.MALICIOUS],
]);

export function isStix(document: unknown): boolean {
  return isObject(document) && document.type === "bundle" && textOf(document.id)?.startsWith("bundle--") === true;
}

/** Returns what is wrong with the document as a whole, or undefined. */
export function readStix(document: unknown, list: ListBuilder): string | undefined {
  if (!isObject(document) || !isStix(document)) return "it is no STIX bundle";
  for (const object of objectsOf(document.objects)) if (object.type === "indicator") readObject(object, list);
  return undefined;
}

function readObject(object: Fields, list: ListBuilder): void {
  const place = textOf(object.id) ?? "indicator";
  if (object.revoked === true) {
    list.passOver();
    return;
  }
  const language = textOf(object.pattern_type) ?? "stix";
  if (language !== "stix") {
    list.problem("LIST_PATTERN_UNSUPPORTED", place, `${language} is another language`);
    return;
  }
  const result = readPattern(textOf(object.pattern) ?? "");
  if ("problem" in result) {
    list.problem("LIST_PATTERN_UNSUPPORTED", place, result.problem);
    return;
  }
  const confidence = confidenceOf(object.confidence);
  if (object.confidence !== undefined && confidence === undefined) {
    list.problem("LIST_FIELD_INVALID", place, "confidence is no number from 0 to 100");
  }
  const until = textOf(object.valid_until);
  const expiresAtMs = until === undefined ? undefined : timeOf(until);
  if (until !== undefined && expiresAtMs === undefined) {
    list.problem("LIST_FIELD_INVALID", place, "valid_until is no time");
  }
  const types = textsOf(object.indicator_types);
  const phases = objectsOf(object.kill_chain_phases).map(({ phase_name: name }) => textOf(name) ?? "");
  const told = {
    disposition: types.map((type) => dispositions.get(type)).find((one) => one !== undefined),
    confidence,
    description: textOf(object.name) ?? textOf(object.description),
    labels: [...textsOf(object.labels), ...phases],
    expiresAtMs,
  };
  for (const indicator of result.indicators) list.add(indicator, told);
}
