// What the portal serves without a token, because it holds nothing: the page's frame and the sign of life.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { SENSOR_VERSION } from "@nightjar/stage";

export interface StaticPage {
  headers: Readonly<Record<string, string>>;
  body: string;
}

const html = readFileSync(new URL("./page.html", import.meta.url), "utf8");

/** The page's own script and style are named by their hashes (CSP Level 3); nothing else runs. */
function policyOf(page: string): string {
  const hashOf = (tag: string) => {
    const inside = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(page)?.[1] ?? "";
    return `'sha256-${createHash("sha256").update(inside).digest("base64")}'`;
  };
  return [
    "default-src 'none'",
    `script-src ${hashOf("script")}`,
    `style-src ${hashOf("style")}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

/** By path. */
export const pages: ReadonlyMap<string, StaticPage> = new Map([
  [
    "/",
    {
      headers: {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policyOf(html),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
      },
      body: html,
    },
  ],
  [
    "/healthz",
    {
      headers: { "content-type": "application/json" },
      body: `${JSON.stringify({ status: "ok", version: SENSOR_VERSION })}\n`,
    },
  ],
]);
