// MISP's events as feeds publish them, a JSON file each (misp-standard.org, "MISP core format").
import { type Indicator, IndicatorKind } from "@nightjar/proto";
import { parseIndicator } from "../indicator.ts";
import { type Fields, isObject, objectsOf, textOf } from "./json.ts";
import type { ListBuilder } from "./list.ts";
import { shorten } from "./plain.ts";

const { FILE_SHA256, ADDRESS, DOMAIN } = IndicatorKind;

/** By attribute type: what its parts between `|` are; undefined for a part that is not looked for. */
const types: ReadonlyMap<string, readonly (IndicatorKind | undefined)[]> = new Map([
  ["sha256", [FILE_SHA256]],
  ["filename|sha256", [undefined, FILE_SHA256]],
  ["malware-sample|sha256", [undefined, FILE_SHA256]],
  ["ip-dst", [ADDRESS]],
  ["ip-src", [ADDRESS]],
  ["ip-dst|port", [ADDRESS, undefined]],
  ["ip-src|port", [ADDRESS, undefined]],
  ["domain", [DOMAIN]],
  ["hostname", [DOMAIN]],
  ["hostname|port", [DOMAIN, undefined]],
  ["domain|ip", [DOMAIN, ADDRESS]],
]);

export function isMisp(document: unknown): boolean {
  return isObject(document) && isObject(document.Event);
}

/** Returns what is wrong with the document as a whole, or undefined. */
export function readMisp(document: unknown, list: ListBuilder): string | undefined {
  if (!isObject(document) || !isObject(document.Event)) return "it is no MISP event";
  const event = document.Event;
  const attributes = [event, ...objectsOf(event.Object)].flatMap((holder) => objectsOf(holder.Attribute));
  for (const attribute of attributes) readAttribute(attribute, event, list);
  return undefined;
}

function readAttribute(attribute: Fields, event: Fields, list: ListBuilder): void {
  const type = textOf(attribute.type) ?? "";
  const value = textOf(attribute.value) ?? "";
  const place = `attribute ${textOf(attribute.uuid) ?? `${type} ${shorten(value)}`}`;
  // to_ids says whether its author means it for detection; the rest is context.
  if (attribute.to_ids !== true || attribute.deleted === true) {
    list.passOver();
    return;
  }
  const parts = types.get(type);
  if (!parts) {
    list.problem("LIST_KIND_UNKNOWN", place, type);
    return;
  }
  const values = parts.length === 1 ? [value] : value.split("|");
  const indicators: Indicator[] = [];
  for (const [index, kind] of parts.entries()) {
    const indicator = kind === undefined ? undefined : parseIndicator(kind, values[index] ?? "");
    if (indicator) indicators.push(indicator);
    else if (kind !== undefined) {
      list.problem("LIST_VALUE_INVALID", place, shorten(value));
      return;
    }
  }
  const labels = [attribute, event].flatMap((holder) => objectsOf(holder.Tag).map(({ name }) => textOf(name) ?? ""));
  const description = textOf(attribute.comment) || textOf(event.info);
  for (const indicator of indicators) list.add(indicator, { description, labels });
}
