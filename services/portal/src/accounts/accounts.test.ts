// Service accounts over the real wire and store: tokens for credentials, types, rotation, revocation, audit.

import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { AccountService, AccountType, SensorSchema } from "@nightjar/proto";
import test from "ava";
import type { Portal } from "../portal.ts";
import {
  clientsOf,
  freshStateDir,
  makeTemplate,
  postForm,
  randomId,
  remove,
  startTestPortal,
  transportOf,
} from "../testing.ts";

const HOUR_MS = 60 * 60 * 1_000;

let template: string;
let stateDir: string;
let portal: Portal;
let nowMs = Date.now();

test.before(async () => {
  template = await makeTemplate();
  stateDir = freshStateDir(template);
  portal = await startTestPortal(stateDir, { clock: () => nowMs });
});

test.after.always(async () => {
  await portal.close();
  remove(stateDir);
  remove(template);
});

const accounts = () => createClient(AccountService, transportOf(stateDir));

async function newAccount(type: AccountType = AccountType.SENSOR) {
  const { account, clientSecret } = await accounts().createAccount({ name: `a${randomId()}`, type });
  return { id: account!.id, name: account!.name, secret: clientSecret };
}

interface Asked {
  scope?: string;
  [field: string]: string | undefined;
}

async function ask(id: string, secret: string, more: Asked = {}) {
  const form = { grant_type: "client_credentials", client_id: id, client_secret: secret, scope: "sensor", ...more };
  const answer = await postForm(stateDir, "/oauth/token", form);
  return { ...answer, json: JSON.parse(answer.body) as Record<string, string> };
}

const tokenOf = async (id: string, secret: string, scope = "sensor") =>
  (await ask(id, secret, { scope })).json.access_token!;

const beat = (token: string) =>
  clientsOf(stateDir, { token }).sensors.heartbeat({
    sensor: create(SensorSchema, { id: randomId(), hostName: "host-1" }),
    intervalSeconds: 10,
  });

async function codeOf(call: Promise<unknown>): Promise<Code | undefined> {
  return call.then(
    () => undefined,
    (error: unknown) => ConnectError.from(error).code,
  );
}

test("credentials give a token that opens what is for its type, and nothing else", async (t) => {
  const { id, secret } = await newAccount();
  const { status, json, headers } = await ask(id, secret);
  t.deepEqual([status, json.token_type, json.scope, headers["cache-control"]], [200, "Bearer", "sensor", "no-store"]);
  const token = json.access_token!;
  await t.notThrowsAsync(beat(token));
  const { queries } = clientsOf(stateDir, { token });
  t.is(await codeOf(queries.listSensors({})), Code.FailedPrecondition);
  const operator = await newAccount(AccountType.OPERATOR);
  const other = await tokenOf(operator.id, operator.secret, "operator");
  t.is(await codeOf(beat(other)), Code.FailedPrecondition);
  await t.notThrowsAsync(clientsOf(stateDir, { token: other }).queries.listSensors({}));
});

test("credentials may also come in the header, form-encoded", async (t) => {
  const { id, secret } = await newAccount();
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
  const asked = (text: string) => postForm(stateDir, "/oauth/token", { grant_type: "client_credentials" }, basic(text));
  t.is((await asked(`${id}:${secret}`)).status, 200);
  t.is((await asked(`${id}:${secret.replace("_", "%5F")}`)).status, 200);
  t.is((await asked(`${id}:wrong`)).status, 401);
});

/** [what is wrong, what is asked with, status, RFC 6749's word, description] */
const refusals: [string, (id: string, secret: string) => [string, string, Asked], number, string, RegExp][] = [
  ["a wrong secret", (id) => [id, "wrong", {}], 401, "invalid_client", /invalid credentials/],
  ["no such account", (_id, secret) => ["nobody", secret, {}], 401, "invalid_client", /invalid credentials/],
  ["no credentials", () => ["", "", {}], 401, "invalid_client", /invalid credentials/],
  [
    "another type",
    (id, secret) => [id, secret, { scope: "operator" }],
    400,
    "invalid_scope",
    /type sensor, not operator/,
  ],
  ["no such type", (id, secret) => [id, secret, { scope: "king" }], 400, "invalid_scope", /one of sensor, operator/],
  [
    "another grant",
    (id, secret) => [id, secret, { grant_type: "password" }],
    400,
    "unsupported_grant_type",
    /client_credentials/,
  ],
  ["too much", (id, secret) => [id, secret, { more: "x".repeat(9_000) }], 400, "invalid_request", /8192 bytes/],
];

for (const [what, asked, status, word, description] of refusals) {
  test(`${what}: ${status} ${word}`, async (t) => {
    const { id, secret } = await newAccount();
    const answer = await ask(...asked(id, secret));
    t.deepEqual([answer.status, answer.json.error], [status, word]);
    t.regex(answer.json.error_description ?? "", description);
    t.is(answer.headers["www-authenticate"] !== undefined, status === 401);
  });
}

test("after a rotation two secrets are good, for as long as was said; the one before those is not", async (t) => {
  const { id, name, secret: first } = await newAccount();
  const rotate = async (keepMs: number) =>
    (await accounts().rotateSecret({ account: name, keep: durationFromMs(keepMs) })).clientSecret;
  const second = await rotate(HOUR_MS);
  t.deepEqual([(await ask(id, first)).status, (await ask(id, second)).status], [200, 200]);
  const third = await rotate(HOUR_MS);
  t.deepEqual(
    [(await ask(id, first)).status, (await ask(id, second)).status, (await ask(id, third)).status],
    [401, 200, 200],
  );
  const last = await rotate(0);
  t.deepEqual([(await ask(id, third)).status, (await ask(id, last)).status], [401, 200]);
});

test.serial("a kept secret and a token end with their time", async (t) => {
  const { id, secret } = await newAccount();
  await accounts().rotateSecret({ account: id, keep: durationFromMs(HOUR_MS / 2) });
  const token = await tokenOf(id, secret);
  const fresh = await newAccount();
  const other = await tokenOf(fresh.id, fresh.secret);
  nowMs += HOUR_MS / 2;
  t.is((await ask(id, secret)).status, 401);
  t.is(await codeOf(beat(token)), Code.Unauthenticated, "with its secret, the token ended");
  t.is(await codeOf(beat(other)), undefined);
  nowMs += HOUR_MS / 2;
  t.is(await codeOf(beat(other)), Code.Unauthenticated);
});

test("who is revoked gets no token, and those he has are no longer good", async (t) => {
  const { id, name, secret } = await newAccount();
  const token = await tokenOf(id, secret);
  t.is(await codeOf(beat(token)), undefined);
  const { account } = await accounts().revokeAccount({ account: name });
  t.truthy(account?.revokedAt);
  t.is(await codeOf(beat(token)), Code.Unauthenticated);
  t.is((await ask(id, secret)).status, 401);
  t.is(await codeOf(accounts().rotateSecret({ account: id })), Code.FailedPrecondition);
});

test("tokens of others are none: unsigned, signed otherwise, garbage", async (t) => {
  const { id, secret } = await newAccount();
  const [head, body, signature] = (await tokenOf(id, secret)).split(".") as [string, string, string];
  const none = Buffer.from('{"alg":"none"}').toString("base64url");
  for (const token of [`${none}.${body}.`, `${head}.${body}.${signature.slice(1)}A`, `${head}.${body}`, "garbage"]) {
    t.is(await codeOf(beat(token)), Code.Unauthenticated);
  }
});

test("tokens and accounts outlive a restart of the portal; secrets are kept as hashes alone", async (t) => {
  const own = freshStateDir(template);
  const first = await startTestPortal(own);
  const made = await createClient(AccountService, transportOf(own)).createAccount({ name: "a", type: 1 });
  const form = { grant_type: "client_credentials", client_id: made.account!.id, client_secret: made.clientSecret };
  const before = await postForm(own, "/oauth/token", form);
  const token = (JSON.parse(before.body) as { access_token: string }).access_token;
  await first.close();
  const second = await startTestPortal(own);
  t.teardown(async () => {
    await second.close();
    remove(own);
  });
  const { sensors } = clientsOf(own, { token });
  await t.notThrowsAsync(sensors.heartbeat({ sensor: create(SensorSchema, { id: "s" }), intervalSeconds: 1 }));
  t.is((await postForm(own, "/oauth/token", form)).status, 200);
});

test("what was done is written down, by whom", async (t) => {
  const operator = await newAccount(AccountType.OPERATOR);
  const token = await tokenOf(operator.id, operator.secret, "operator");
  const asOperator = createClient(AccountService, transportOf(stateDir, { token }));
  const name = `b${randomId()}`;
  await asOperator.createAccount({ name, type: AccountType.SENSOR });
  await asOperator.rotateSecret({ account: name });
  await accounts().revokeAccount({ account: name });
  const { actions } = await accounts().listAccountActions({ limit: 100 });
  t.deepEqual(
    actions.filter(({ accountName }) => accountName === name).map(({ action, actor }) => [action, actor]),
    [
      ["revoke", "local"],
      ["rotate", operator.id],
      ["create", operator.id],
    ],
  );
});

/** [a request that is refused, its code] */
const bad: [string, () => Promise<unknown>, Code][] = [
  ["no name", () => accounts().createAccount({ name: "", type: 1 }), Code.InvalidArgument],
  ["a name with a space", () => accounts().createAccount({ name: "a b", type: 1 }), Code.InvalidArgument],
  ["no type", () => accounts().createAccount({ name: "c" }), Code.InvalidArgument],
  ["an account nobody knows", () => accounts().revokeAccount({ account: "nobody" }), Code.NotFound],
  [
    "a secret kept for a year",
    () => accounts().rotateSecret({ account: "x", keep: durationFromMs(365 * 24 * HOUR_MS) }),
    Code.InvalidArgument,
  ],
];

for (const [what, call, code] of bad) {
  test(`${what} is refused`, async (t) => t.is(await codeOf(call()), code));
}

test("a name is given once", async (t) => {
  const { name } = await newAccount();
  t.is(await codeOf(accounts().createAccount({ name, type: AccountType.OPERATOR })), Code.AlreadyExists);
});
