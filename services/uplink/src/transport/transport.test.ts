// The way to the real portal: service accounts, a real proxy, one that opens TLS, certificates of both sides.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { AccountService, AccountType, SensorSchema } from "@nightjar/proto";
import { readSmallFile, resolveSettings, statePaths } from "@nightjar/stage";
import anyTest, { type ExecutionContext } from "ava";
import { checkConnectivity } from "../check.ts";
import { PortalFailure } from "../failure.ts";
import { clientOf, freshFolder, localTransport, type PortalProcess, remove, startPortalProcess } from "../testing.ts";
import { makeAuthority, startInterceptor, startTinyproxy, whyNoProxy } from "./testing.ts";

const test = anyTest;
const proxied = whyNoProxy() === undefined ? test : test.skip;
const TEST_MS_MAX = 180_000;

let stateDir: string;
let portal: PortalProcess;
let port: number;
let made = 0;

test.before(async (t) => {
  t.timeout(TEST_MS_MAX);
  stateDir = freshFolder();
  portal = await startPortalProcess(stateDir);
  port = Number(new URL(readSmallFile(statePaths.portalAddress(stateDir))!).port);
});

test.after.always(async () => {
  await portal?.kill("SIGTERM");
  remove(stateDir);
});

const accounts = () => createClient(AccountService, localTransport(stateDir));

async function newAccount(type: AccountType = AccountType.SENSOR) {
  const { account, clientSecret } = await accounts().createAccount({ name: `account-${made++}`, type });
  return { id: account!.id, secret: clientSecret };
}

/** Variables that lead to the portal as if it were elsewhere; a heartbeat, and how it ends. */
function sensor(t: ExecutionContext, variables: Record<string, string>, environment: Record<string, string> = {}) {
  const { values, problems } = resolveSettings({
    env: {
      NIGHTJAR_UPLINK_PORTAL_URL: `https://localhost:${port}`,
      NIGHTJAR_UPLINK_PORTAL_CERTIFICATE_FILE: statePaths.portalCertificate(stateDir),
      ...variables,
    },
  });
  t.deepEqual(problems, []);
  const { client, close } = clientOf(stateDir, values, environment);
  t.teardown(close);
  return () => client.heartbeat({ sensor: create(SensorSchema, { id: "sensor-1" }), intervalSeconds: 10 });
}

async function fails(t: ExecutionContext, call: Promise<unknown>, message: string, resp: RegExp): Promise<void> {
  const failure = await t.throwsAsync(call, { instanceOf: PortalFailure });
  t.is(failure?.message, message);
  t.regex(failure?.resp ?? "", resp);
}

let files = 0;

function file(contents: string): string {
  const path = join(stateDir, `file-${files++}`);
  writeFileSync(path, contents);
  return path;
}

const variables = (id: string, secret: string) => ({ NIGHTJAR_API_CLIENT_ID: id, NIGHTJAR_API_CLIENT_SECRET: secret });
const localToken = () => ({ NIGHTJAR_UPLINK_PORTAL_TOKEN_FILE: statePaths.portalToken(stateDir) });

test("client credentials from the environment, files, systemd and a command", async (t) => {
  const { id, secret } = await newAccount();
  const folder = join(stateDir, "credentials");
  mkdirSync(folder);
  writeFileSync(join(folder, "nightjar-api-client-id"), `${id}\n`);
  writeFileSync(join(folder, "nightjar-api-client-secret"), `${secret}\n`);
  const command = { NIGHTJAR_API_CLIENT_SECRET_COMMAND: `cat '${file(secret)}'` };
  const inFiles = {
    NIGHTJAR_API_CLIENT_ID_FILE: file(`${id}\n`),
    NIGHTJAR_API_CLIENT_SECRET_FILE: file(`${secret}\n`),
  };
  await t.notThrowsAsync(sensor(t, variables(id, secret))());
  await t.notThrowsAsync(sensor(t, inFiles)());
  await t.notThrowsAsync(sensor(t, {}, { CREDENTIALS_DIRECTORY: folder })());
  await t.notThrowsAsync(sensor(t, { NIGHTJAR_API_CLIENT_ID: id, ...command })());
  await t.notThrowsAsync(
    sensor(t, { ...variables(id, secret), NIGHTJAR_UPLINK_PORTAL_URL: "" })(),
    "they count for the embedded portal too",
  );
});

/** [what is wrong, the variables, the words, what the answer says] */
const wrong: [string, () => Promise<Record<string, string>>, string, RegExp][] = [
  [
    "a wrong secret",
    async () => variables((await newAccount()).id, "wrong"),
    "comm error (401)",
    /invalid_client: invalid credentials/,
  ],
  [
    "an account of another type",
    async () => {
      const { id, secret } = await newAccount(AccountType.OPERATOR);
      return variables(id, secret);
    },
    "comm error (400)",
    /invalid service account type: account-\d+ is of type operator, not sensor/,
  ],
  ["no credentials", async () => ({}), "comm error (401)", /NIGHTJAR_API_CLIENT_ID/],
  ["no secret", async () => ({ NIGHTJAR_API_CLIENT_ID: "a" }), "comm error (401)", /NIGHTJAR_API_CLIENT_SECRET/],
  [
    "a command that fails, and says the secret",
    async () => ({ NIGHTJAR_API_CLIENT_ID: "a", NIGHTJAR_API_CLIENT_SECRET_COMMAND: "echo secret; exit 3" }),
    "comm error (401)",
    /^api\.client_secret_command: ended with 3$/,
  ],
  [
    "a token endpoint that is none",
    async () => ({ ...variables("a", "b"), NIGHTJAR_API_TOKEN_URL: `https://localhost:${port}/nowhere` }),
    "comm error (404)",
    /not found/,
  ],
];

for (const [what, given, message, resp] of wrong) {
  test(`${what}: ${message}`, async (t) => fails(t, sensor(t, await given())(), message, resp));
}

test("a secret that is changed under way is taken up in the middle, without a failure", async (t) => {
  const { id, secret } = await newAccount();
  const secretFile = file(secret);
  const beat = sensor(t, { NIGHTJAR_API_CLIENT_ID: id, NIGHTJAR_API_CLIENT_SECRET_FILE: secretFile });
  await beat();
  const rotated = await accounts().rotateSecret({ account: id });
  writeFileSync(secretFile, rotated.clientSecret);
  await t.notThrowsAsync(beat(), "the old secret ended, and with it the token that is held");
  await accounts().revokeAccount({ account: id });
  await fails(t, beat(), "comm error (401)", /invalid credentials/);
});

proxied("a real proxy: through it with its password, refused without, around it where NO_PROXY says so", async (t) => {
  const through = await startTinyproxy(t, stateDir, port);
  const { id, secret } = await newAccount();
  const with_ = (HTTPS_PROXY: string, more: Record<string, string> = {}) =>
    sensor(t, variables(id, secret), { HTTPS_PROXY, ...more })();
  await t.notThrowsAsync(with_(`http://user:pass@127.0.0.1:${through}`));
  const refused = /^proxy http:\/\/127\.0\.0\.1:\d+: 407 Proxy Authentication Required$/;
  await fails(t, with_(`http://127.0.0.1:${through}`), "Connection Failed: proxy refused", refused);
  await fails(t, with_(`http://user:wrong@127.0.0.1:${through}`), "Connection Failed: proxy refused", /: 40[17] /);
  await t.notThrowsAsync(with_(`http://127.0.0.1:${through}`, { NO_PROXY: "localhost" }));
  await t.notThrowsAsync(
    sensor(t, { ...localToken(), NIGHTJAR_UPLINK_PORTAL_URL: "" }, { HTTPS_PROXY: "http://127.0.0.1:1" })(),
    "the embedded portal is on this host",
  );
});

proxied("a proxy that forbids the port says so", async (t) => {
  const through = await startTinyproxy(t, stateDir, port + 1);
  const call = sensor(t, localToken(), { HTTPS_PROXY: `http://user:pass@127.0.0.1:${through}` })();
  await fails(t, call, "Connection Failed: proxy refused", /: 403 /);
});

test("a proxy that is not there: connection refused, dns error, and which proxy", async (t) => {
  const call = (HTTPS_PROXY: string) => sensor(t, localToken(), { HTTPS_PROXY })();
  const gone = call("http://127.0.0.1:1");
  await fails(t, gone, "Connection Failed: connection refused", /proxy http:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/);
  // A label longer than DNS allows is refused by the resolver itself, without asking anyone.
  await fails(t, call(`http://${"a".repeat(64)}.invalid:1`), "dns error", /ENOTFOUND/);
  await fails(t, call("socks5://127.0.0.1:1"), "the proxy's URL must begin with http:// or https://", /HTTPS_PROXY/);
});

test("a proxy that opens TLS is trusted by its authority alone", async (t) => {
  const { authority, signed } = makeAuthority(stateDir);
  const through = await startInterceptor(t, signed, statePaths.portalCertificate(stateDir));
  const { id, secret } = await newAccount();
  const beat = (more: Record<string, string>) =>
    sensor(t, { ...variables(id, secret), ...more }, { HTTPS_PROXY: `http://127.0.0.1:${through}` })();
  await fails(t, beat({}), "invalid peer certificate contents", /certificate/);
  await t.notThrowsAsync(beat({ NIGHTJAR_HTTP_PROXY_CERT: authority.certificate }));
  const folder = join(stateDir, "authorities");
  mkdirSync(folder);
  writeFileSync(join(folder, "proxy.crt"), readSmallFile(authority.certificate)!);
  await t.notThrowsAsync(beat({ NIGHTJAR_EXTRA_SSL_CERT_DIR: folder }));
  for (const bad of [file("no certificate"), "/nonexistent"]) {
    await fails(t, beat({ NIGHTJAR_HTTP_PROXY_CERT: bad }), "invalid peer certificate contents", new RegExp(bad));
    await fails(t, beat({ NIGHTJAR_EXTRA_SSL_CERT_DIR: bad }), "invalid peer certificate contents", new RegExp(bad));
  }
});

test("the walk to the portal goes to its end, or says at which step it ends and what to try", async (t) => {
  const walk = async (env: Record<string, string>, environment: Record<string, string> = {}) => {
    const { values: settings } = resolveSettings({
      env: {
        NIGHTJAR_UPLINK_PORTAL_URL: `https://localhost:${port}`,
        NIGHTJAR_UPLINK_PORTAL_CERTIFICATE_FILE: statePaths.portalCertificate(stateDir),
        ...env,
      },
    });
    return (await checkConnectivity({ stateDir, settings, environment })).at(-1);
  };
  const ends: [string, boolean, Record<string, string>, Record<string, string>?][] = [
    ["call", true, localToken()],
    ["settings", false, { NIGHTJAR_UPLINK_PORTAL_TOKEN_FILE: "/nonexistent" }],
    ["DNS", false, { ...localToken(), NIGHTJAR_UPLINK_PORTAL_URL: `https://${"a".repeat(64)}.invalid` }],
    ["TCP", false, localToken(), { HTTPS_PROXY: "http://127.0.0.1:1" }],
    ["proxy", false, localToken(), { HTTPS_PROXY: `http://localhost:${port}` }],
    ["TLS", false, { ...localToken(), NIGHTJAR_UPLINK_PORTAL_CERTIFICATE_FILE: "" }],
    ["token", false, variables("nobody", "wrong")],
    ["call", false, { NIGHTJAR_UPLINK_PORTAL_TOKEN_FILE: file("wrong") }],
  ];
  for (const [step, ok, env, environment] of ends) {
    const last = await walk(env, environment);
    t.deepEqual([last?.step, last?.ok], [step, ok]);
    if (!ok && step !== "settings") t.truthy(last?.hint, step);
  }
});

test("a portal that wants certificates of its clients takes who shows a good one", async (t) => {
  t.timeout(TEST_MS_MAX);
  const { authority, signed } = makeAuthority(stateDir);
  const other = makeAuthority(stateDir);
  const own = freshFolder();
  const wanting = await startPortalProcess(own, { NIGHTJAR_PORTAL_CLIENT_AUTHORITIES_FILE: authority.certificate });
  t.teardown(async () => {
    await wanting.kill("SIGTERM");
    remove(own);
  });
  const beat = (shown?: { certificate: string; key: string }) =>
    sensor(t, {
      NIGHTJAR_UPLINK_PORTAL_URL: readSmallFile(statePaths.portalAddress(own))!,
      NIGHTJAR_UPLINK_PORTAL_CERTIFICATE_FILE: statePaths.portalCertificate(own),
      NIGHTJAR_UPLINK_PORTAL_TOKEN_FILE: statePaths.portalToken(own),
      ...(shown && { NIGHTJAR_UPLINK_CLIENT_CERTIFICATE_FILE: shown.certificate }),
      ...(shown && { NIGHTJAR_UPLINK_CLIENT_KEY_FILE: shown.key }),
    })();
  await t.notThrowsAsync(beat(signed));
  // With TLS 1.3 the portal refuses after the handshake: its reason may be lost with the connection.
  for (const shown of [undefined, other.signed]) {
    const failure = await t.throwsAsync(beat(shown), { instanceOf: PortalFailure });
    t.regex(failure?.message ?? "", /^Connection Failed: (tls connection init failed|connection reset)$/);
  }
});
