// When an access token is asked for, with a clock of its own.
import test from "ava";
import { failureWords, PortalFailure } from "../failure.ts";
import { AccessToken } from "./access-token.ts";

const LIFETIME_S = 1_000;
const MS_PER_S = 1_000;

function tokens() {
  const state = { nowMs: 0, asked: 0, failed: 0, isDown: false };
  const token = new AccessToken({
    async fetch() {
      state.asked++;
      if (state.isDown) throw new PortalFailure("refused", failureWords.refused.message, "");
      return { token: `token ${state.asked}`, lifetimeS: LIFETIME_S };
    },
    renewalFailed: () => state.failed++,
    clock: () => state.nowMs,
    random: () => 0,
  });
  return { state, token };
}

/** Lets what was begun in the background end. */
const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test("is asked for once, by as many as want it", async (t) => {
  const { state, token } = tokens();
  t.is(token.current, undefined);
  t.deepEqual(await Promise.all([token.get(), token.get()]), ["token 1", "token 1"]);
  state.nowMs = 0.69 * LIFETIME_S * MS_PER_S;
  t.is(await token.get(), "token 1");
  t.is(state.asked, 1);
});

test("is renewed before it ends, while the old one serves", async (t) => {
  const { state, token } = tokens();
  await token.get();
  state.nowMs = 0.7 * LIFETIME_S * MS_PER_S;
  t.is(await token.get(), "token 1");
  await settled();
  t.is(await token.get(), "token 2");
});

test("serves to its end where it cannot be renewed, and is tried again now and then", async (t) => {
  const { state, token } = tokens();
  await token.get();
  state.isDown = true;
  state.nowMs = 0.7 * LIFETIME_S * MS_PER_S;
  for (let second = 0; second < 60; second++) {
    t.is(await token.get(), "token 1");
    await settled();
    state.nowMs += MS_PER_S;
  }
  t.deepEqual([state.asked, state.failed], [3, 2]);
  state.nowMs = LIFETIME_S * MS_PER_S;
  await t.throwsAsync(token.get(), { message: "Connection Failed: connection refused" });
  state.isDown = false;
  t.is(await token.get(), "token 5");
});

test("one that was refused is dropped, unless it was replaced by then", async (t) => {
  const { token } = tokens();
  token.drop(await token.get());
  t.is(await token.get(), "token 2");
  token.drop("token 1");
  t.is(await token.get(), "token 2");
});
