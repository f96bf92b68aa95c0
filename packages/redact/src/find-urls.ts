// Finds passwords in URLs: scheme://user:password@host, and tokens that stand where the user would.
import { isNoSecret, looksRandom } from "./not-secret.ts";
import type { Span } from "./span.ts";

/** RFC 3986 ends the authority at "/", "?" or "#"; a text at white space, quotes and brackets. */
const AUTHORITY = /[^\s/?#"'<>`]*/y;
/** What stands behind the colon is no port, and no IPv6 address. */
const UNESCAPED = /^[^:[\]]*:(?![0-9]+$)[^[\]]+$/;
const REST = /[^\s"'<>`]{0,200}/y;
/** A user without a password that is this long is no name. */
const USER_TOKEN_CHARACTERS_MIN = 20;

/** Adds to `spans` the credentials in URLs. */
export function findUrls(text: string, spans: Span[]): void {
  for (let at = text.indexOf("://"); at !== -1; ) {
    const start = at + "://".length;
    AUTHORITY.lastIndex = start;
    const authority = AUTHORITY.exec(text)?.[0] ?? "";
    const host = authority.lastIndexOf("@");
    if (host > 0) addCredentials(authority.slice(0, host), start, spans);
    else if (UNESCAPED.test(authority)) addUnescaped(text, start, authority, spans);
    at = text.indexOf("://", start + authority.length);
  }
}

/** A password with "/", "?" or "#" in it, which is no URL, and works with many a program. */
function addUnescaped(text: string, start: number, authority: string, spans: Span[]): void {
  REST.lastIndex = start + authority.length;
  const rest = REST.exec(text)?.[0] ?? "";
  const at = rest.indexOf("@");
  if (at !== -1) addCredentials(authority + rest.slice(0, at), start, spans);
}

function addCredentials(userInfo: string, start: number, spans: Span[]): void {
  const colon = userInfo.indexOf(":");
  const secret = userInfo.slice(colon + 1);
  const end = start + userInfo.length;
  if (colon !== -1 && !isNoSecret(secret)) spans.push({ start: start + colon + 1, end, kind: "password" });
  if (colon === -1 && userInfo.length >= USER_TOKEN_CHARACTERS_MIN && looksRandom(userInfo)) {
    spans.push({ start, end, kind: "secret" });
  }
}
