// Look-ups against a portal: what is asked once, what later changes reach, and that no death of the uplink loses any.
import { buildFilter, hashOf, loadFilter } from "@nightjar/indicators";
import { Disposition, type Verdict } from "@nightjar/proto";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test, { type ExecutionContext } from "ava";
import { LOOK_UP_INDICATORS_MAX } from "../limits.ts";
import { domain, FakePortal, HOUR_MS, Life } from "./testing.ts";

const { MALICIOUS, UNKNOWN } = Disposition;

async function startLife(t: ExecutionContext, portal: FakePortal, clock = Date.now): Promise<Life> {
  const life = await Life.start(temporaryFolder(t), portal, { clock });
  t.teardown(() => life.stop());
  return life;
}

const answered = (life: Life) =>
  waitFor(() => life.store.waiting === 0, { what: "the portal has answered all that waited" });

test("what is shown is asked once, whatever the answer; the next sight is settled here", async (t) => {
  const portal = new FakePortal();
  const [bad, other] = [domain("bad"), domain("other")];
  portal.list(bad, MALICIOUS);
  const life = await startLife(t, portal);
  t.deepEqual(await life.take(bad, other, bad), []);
  await answered(life);
  t.deepEqual([life.verdictsOf(bad), life.verdictsOf(other)], [[MALICIOUS], [UNKNOWN]]);
  const again = await life.take(bad, other);
  t.deepEqual(
    again.map(({ disposition }) => disposition),
    [MALICIOUS, UNKNOWN],
  );
  t.deepEqual(portal.asked.flat().sort(), ["bad.example", "other.example"]);
});

test("answers are good for their time, those of no list for less", async (t) => {
  const portal = new FakePortal();
  let now = Date.now();
  const [bad, other] = [domain("bad"), domain("other")];
  portal.list(bad, MALICIOUS);
  const life = await startLife(t, portal, () => now);
  await life.take(bad, other);
  await answered(life);
  now += 6 * HOUR_MS - 1;
  t.is((await life.take(bad, other)).length, 2);
  now += 1;
  t.deepEqual(
    (await life.take(bad, other)).map((one) => one.indicator?.value),
    ["bad.example"],
  );
  await answered(life);
  now += 18 * HOUR_MS;
  t.is((await life.take(bad)).length, 0);
  await answered(life);
  now -= 48 * HOUR_MS;
  t.is((await life.take(bad)).length, 0, "an answer from the future is of a clock that was put back");
});

test("what is imported later reaches the host that saw it, without another sight", async (t) => {
  const portal = new FakePortal();
  const [late, never] = [domain("late"), domain("never")];
  const life = await startLife(t, portal);
  await life.take(late, never);
  await answered(life);
  t.deepEqual(life.verdictsOf(late), [UNKNOWN]);
  portal.list(late, MALICIOUS);
  portal.list(domain("not-seen-here"), MALICIOUS);
  life.heard(portal.generation);
  await waitFor(() => life.verdictsOf(late).includes(MALICIOUS), { what: "the new verdict is on the bus" });
  t.deepEqual(life.verdictsOf(never), [UNKNOWN], "what did not change is not asked again");
  t.false(portal.asked.flat().includes("not-seen-here.example"));
});

test("changes that were missed while the uplink was away are taken with the next heartbeat", async (t) => {
  const portal = new FakePortal();
  const folder = temporaryFolder(t);
  const late = domain("late");
  const first = await Life.start(folder, portal);
  await first.take(late);
  await answered(first);
  await first.stop();
  portal.list(late, MALICIOUS);
  const second = await Life.start(folder, portal);
  t.teardown(() => second.stop());
  second.heard(portal.generation);
  await waitFor(() => second.verdictsOf(late).includes(MALICIOUS), { what: "the new verdict is on the bus" });
  t.deepEqual(second.verdictsOf(late), [MALICIOUS]);
});

test("where the portal no longer knows what changed, all that is remembered is asked anew", async (t) => {
  const portal = new FakePortal();
  const seen = Array.from({ length: LOOK_UP_INDICATORS_MAX * 2 + 1 }, (_, at) => domain(`seen-${at}`));
  const life = await startLife(t, portal);
  await life.take(...seen);
  await answered(life);
  portal.forgetsChanges = true;
  portal.list(seen.at(-1)!, MALICIOUS);
  life.heard(portal.generation);
  await waitFor(() => life.verdictsOf(seen.at(-1)!).includes(MALICIOUS), { what: "the new verdict is on the bus" });
  await answered(life);
  t.is(portal.asked.flat().length, 2 * seen.length);
  t.true(portal.asked.every((one) => one.length <= LOOK_UP_INDICATORS_MAX));
});

test("while the portal is away all waits; then it is asked", async (t) => {
  const portal = new FakePortal();
  portal.isAway = true;
  const life = await startLife(t, portal);
  await life.take(domain("a"), domain("b"));
  t.is(life.store.waiting, 2);
  portal.isAway = false;
  await answered(life);
  t.is(life.published.length, 2);
});

test("with the filter only what a list may have is asked, and what changed since", async (t) => {
  const portal = new FakePortal();
  const [bad, later] = [domain("bad"), domain("later")];
  portal.list(bad, MALICIOUS);
  const loaded = loadFilter(buildFilter([hashOf(bad)], portal.generation));
  if ("problem" in loaded) return t.fail(loaded.problem);
  portal.list(later, MALICIOUS);
  const life = await startLife(t, portal);
  life.filter.use(loaded.filter);
  t.is(life.filter.count, 0, "it settles nothing until the changes since are known");
  life.filterChanged();
  life.heard(portal.generation);
  await waitFor(() => life.filter.count === 1, { what: "the filter is in force" });
  const others = Array.from({ length: 1_000 }, (_, at) => domain(`other-${at}`));
  const settled = await life.take(bad, later, ...others);
  t.true(settled.length > 980, `${settled.length} of 1000 settled`);
  t.true(settled.every(({ disposition }) => disposition === UNKNOWN));
  await answered(life);
  t.deepEqual([life.verdictsOf(bad), life.verdictsOf(later)], [[MALICIOUS], [MALICIOUS]]);
  const last = others.find(({ value }) => settled.some(({ indicator }) => indicator?.value === value))!;
  portal.list(last, MALICIOUS);
  life.heard(portal.generation);
  await waitFor(() => life.verdictsOf(last).includes(MALICIOUS), {
    what: "what it had settled is told when it changes",
  });
});

test("a filter whose changes the portal no longer knows settles nothing", async (t) => {
  const portal = new FakePortal();
  const loaded = loadFilter(buildFilter([], 0n));
  if ("problem" in loaded) return t.fail(loaded.problem);
  portal.forgetsChanges = true;
  const life = await startLife(t, portal);
  life.filter.use(loaded.filter);
  life.filterChanged();
  life.heard(portal.generation);
  await waitFor(() => life.store.generation === portal.generation, { what: "the generation is known" });
  await life.take(domain("a"));
  await answered(life);
  t.deepEqual(portal.asked.flat(), ["a.example"]);
});

/** Where the uplink dies: before the bus has the verdicts, or when it has them and nothing else is done. */
for (const busHasThem of [false, true]) {
  test(`killed while publishing, the bus ${busHasThem ? "having" : "not having"} them: nothing is lost`, async (t) => {
    const portal = new FakePortal();
    const folder = temporaryFolder(t);
    const bad = domain("bad");
    portal.list(bad, MALICIOUS);
    const stored: Verdict[] = [];
    let isReached = () => {};
    const reached = new Promise<void>((resolve) => (isReached = resolve));
    const first = await Life.start(folder, portal, {}, async (verdicts) => {
      if (busHasThem) stored.push(...verdicts);
      isReached();
      await new Promise<never>(() => {});
    });
    await first.take(bad);
    await reached;
    await first.end();
    const second = await Life.start(folder, portal);
    t.teardown(() => second.stop());
    t.is(second.store.waiting, 1, "what is not known to be on the bus still waits");
    await answered(second);
    t.deepEqual(
      [...stored, ...second.published].map(({ disposition }) => disposition),
      busHasThem ? [MALICIOUS, MALICIOUS] : [MALICIOUS],
    );
  });
}

test("an answer from before a change does not end the question about it", async (t) => {
  const portal = new FakePortal();
  const late = domain("late");
  let life: Life | undefined;
  let isHeld = true;
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  life = await Life.start(temporaryFolder(t), portal, {}, async () => {
    if (isHeld) await held;
  });
  t.teardown(() => life.stop());
  life.heard(portal.generation);
  await waitFor(() => life.store.generation === portal.generation, { what: "the generation is known" });
  await life.take(late);
  await waitFor(() => portal.asked.length === 1, { what: "it is asked" });
  portal.list(late, MALICIOUS);
  life.heard(portal.generation);
  await waitFor(() => life.store.generation === portal.generation, { what: "the change is known" });
  isHeld = false;
  release();
  await waitFor(() => life.verdictsOf(late).includes(MALICIOUS), { what: "the new verdict is on the bus" });
  t.deepEqual(life.verdictsOf(late), [UNKNOWN, MALICIOUS]);
});
