// The one written form of an indicator, so that a list and a host mean the same by the same text.
import { isIP, SocketAddress } from "node:net";
import { domainToASCII } from "node:url";
import { create } from "@bufbuild/protobuf";
import { type Indicator, IndicatorKind, IndicatorSchema } from "@nightjar/proto";

const SHA256 = /^[0-9a-fA-F]{64}$/;
const MAPPED_IPV4 = /^::ffff:([0-9.]+)$/;
/** RFC 1035, 2.3.4, with the underscores of service names; the last label is no number, else it were an address. */
const DOMAIN = /^(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;
/** Longer texts are no indicator; said before anything is done with them. */
const CHARS_MAX = 1_024;
const ANY_HOST_PREFIX_BITS: Readonly<Record<number, string>> = { 4: "/32", 6: "/128" };

/** [kind, its written form of a text, undefined where the text is none] */
const forms: readonly (readonly [IndicatorKind, (text: string) => string | undefined])[] = [
  [IndicatorKind.FILE_SHA256, (text) => (SHA256.test(text) ? text.toLowerCase() : undefined)],
  [IndicatorKind.ADDRESS, addressForm],
  [IndicatorKind.DOMAIN, domainForm],
];

/** An indicator of a known kind in its written form; undefined where the text is none of that kind. */
export function parseIndicator(kind: IndicatorKind, text: string): Indicator | undefined {
  const form = forms.find(([one]) => one === kind)?.[1];
  const value = text.length > CHARS_MAX ? undefined : form?.(text.trim());
  return value === undefined ? undefined : create(IndicatorSchema, { kind, value });
}

/**
 * An indicator whose kind is told by its looks, as people write it in lists: also defanged (`evil[.]example`), as a
 * URL's host without a path, or with a port. Undefined where it is none, such as a URL with a path or a network.
 */
export function readIndicator(text: string): Indicator | undefined {
  if (text.length > CHARS_MAX) return undefined;
  const bare = hostOf(refang(text.trim()));
  for (const [kind] of forms) {
    const indicator = parseIndicator(kind, bare);
    if (indicator) return indicator;
  }
  return undefined;
}

function addressForm(text: string): string | undefined {
  const [address = "", ...prefix] = text.split("/");
  const version = isIP(address);
  if (version === 0 || address.includes("%")) return undefined;
  if (prefix.length > 0 && `/${prefix.join("/")}` !== ANY_HOST_PREFIX_BITS[version]) return undefined;
  if (version === 4) return address;
  const written = new SocketAddress({ address, family: "ipv6" }).address;
  return MAPPED_IPV4.exec(written)?.[1] ?? written;
}

function domainForm(text: string): string | undefined {
  const ascii = domainToASCII(text.replace(/\.$/, ""));
  return DOMAIN.test(ascii) ? ascii : undefined;
}

/** Takes back how people keep indicators from being clicked. */
function refang(text: string): string {
  return text.replaceAll(/\[\.\]|\(\.\)|\[dot\]/gi, ".").replaceAll("[:]", ":");
}

const URL_OF_HOST = /^(?:hxxps?|https?|ftp|tcp|udp):\/\/([^/?#@]+)\/?$/i;
const IPV6_WITH_PORT = /^\[([0-9a-fA-F:.]+)\](?::[0-9]{1,5})?$/;
const WITH_PORT = /^([^:[\]]+):[0-9]{1,5}$/;

function hostOf(text: string): string {
  const host = URL_OF_HOST.exec(text)?.[1] ?? text;
  return (IPV6_WITH_PORT.exec(host) ?? WITH_PORT.exec(host))?.[1] ?? host;
}
