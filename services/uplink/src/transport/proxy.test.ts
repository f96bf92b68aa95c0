// Which proxy is taken for which URL, by the variables of the environment.
import test from "ava";
import { PortalFailure } from "../failure.ts";
import { proxyFor } from "./proxy.ts";

const PORTAL = "https://portal.example.org:8443";
const PROXY = "http://proxy.example.org:3128";

/** [NO_PROXY, URL, whether the proxy is taken] */
const exceptions: [string, string, boolean][] = [
  ["", PORTAL, true],
  ["*", PORTAL, false],
  ["portal.example.org", PORTAL, false],
  ["PORTAL.Example.org", PORTAL, false],
  ["example.org", PORTAL, false],
  [".example.org", PORTAL, false],
  ["*.example.org", PORTAL, false],
  ["ample.org", PORTAL, true],
  ["portal.example.org:8443", PORTAL, false],
  ["portal.example.org:443", PORTAL, true],
  ["example.org:443", "https://portal.example.org", false],
  ["localhost, 127.0.0.1 ,portal.example.org", PORTAL, false],
  ["127.0.0.1", "https://127.0.0.1:8443", false],
  ["10.0.0.0/8", "https://10.200.3.4", false],
  ["10.0.0.0/8", "https://11.0.0.1", true],
  ["10.0.0.0/99", "https://10.0.0.1", true],
  ["10.0.0.0/8:443", "https://10.0.0.1", false],
  ["10.0.0.1", "https://portal.example.org", true],
  ["::1", "https://[::1]:8443", false],
  ["[::1]", "https://[::1]:8443", false],
  ["[fd00::/8]", "https://[fd12::1]:8443", false],
];

for (const [exception, url, taken] of exceptions) {
  test(`NO_PROXY=${exception}: ${url} goes ${taken ? "through the proxy" : "straight"}`, (t) => {
    t.is(proxyFor(new URL(url), { HTTPS_PROXY: PROXY, NO_PROXY: exception }) !== undefined, taken);
  });
}

test("the variables that say which proxy", (t) => {
  const hostOf = (environment: Record<string, string>) => proxyFor(new URL(PORTAL), environment)?.host;
  t.is(hostOf({}), undefined);
  t.is(hostOf({ HTTPS_PROXY: "http://a:1", https_proxy: "http://b:1", ALL_PROXY: "http://c:1" }), "a");
  t.is(hostOf({ HTTPS_PROXY: " ", https_proxy: "http://b:1" }), "b");
  t.is(hostOf({ all_proxy: "http://d:1" }), "d");
  t.is(hostOf({ HTTP_PROXY: "http://e:1" }), undefined, "that one is for http:// alone");
  t.is(hostOf({ https_proxy: "http://b:1", no_proxy: "example.org" }), undefined);
});

test("a proxy's URL: scheme, port, credentials that are shown nowhere", (t) => {
  const of = (proxy: string) => proxyFor(new URL(PORTAL), { HTTPS_PROXY: proxy });
  t.deepEqual(of("proxy:3128"), {
    ...{ host: "proxy", port: 3_128, secure: false, authorization: undefined },
    shown: "http://proxy:3128",
  });
  t.is(of("http://proxy")?.port, 80);
  t.deepEqual([of("https://proxy")?.port, of("https://proxy")?.secure], [443, true]);
  t.is(of("http://[fd00::1]:3128")?.host, "fd00::1");
  const secret = of("http://us%40er:p%3Ass@proxy:3128");
  t.is(secret?.authorization, `Basic ${Buffer.from("us@er:p:ss").toString("base64")}`);
  t.is(secret?.shown, "http://proxy:3128");
  for (const bad of ["socks5://proxy:1080", "http://", "http://proxy:99999"]) {
    t.throws(() => of(bad), { instanceOf: PortalFailure, message: /must begin with http/ }, bad);
  }
});
