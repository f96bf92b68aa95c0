// Tests waiting: it returns what the condition gave, and says what it waited for when the time is over.
import { execFileSync } from "node:child_process";
import test from "ava";
import { Deadline, moment, waitFor } from "./index.ts";

test("returns the first answer that is one", async (t) => {
  let asked = 0;
  const answer = await waitFor(() => (++asked < 3 ? undefined : asked), { what: "three", intervalMs: 1 });
  t.is(answer, 3);
});

test("0 and an empty text are answers", async (t) => {
  t.is(await waitFor(() => 0, { what: "zero" }), 0);
  t.is(await waitFor(() => "", { what: "text" }), "");
});

test("what is thrown counts as not yet", async (t) => {
  let asked = 0;
  const condition = () => {
    if (++asked < 3) throw new Error("not there");
    return true;
  };
  t.true(await waitFor(condition, { what: "no throw", intervalMs: 1 }));
});

test("says what it waited for, what was thrown and the explanation", async (t) => {
  const condition = () => {
    throw new Error("no such file");
  };
  const options = { what: "the file is there", timeoutMs: 5, intervalMs: 1, explain: () => "the folder is empty" };
  const { message } = (await t.throwsAsync(waitFor(condition, options))) as Error;
  t.is(message, "waited 5 ms in vain: the file is there; it threw: no such file\nthe folder is empty");
});

test("a deadline is shared by its waits", async (t) => {
  const deadline = new Deadline(30);
  await t.throwsAsync(deadline.waitFor(() => false, { what: "first", intervalMs: 1 }));
  t.is(deadline.leftMs, 0);
  await t.throwsAsync(
    deadline.waitFor(() => false, { what: "second" }),
    { message: /waited 0 ms in vain: second/ },
  );
});

test("deadlines are as many times as long as the environment says", (t) => {
  const script = `import { waitFor } from "./index.ts";
    waitFor(() => false, { what: "never", timeoutMs: 5, intervalMs: 1 }).catch(({ message }) => console.log(message));`;
  const told = execFileSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: import.meta.dirname,
    encoding: "utf8",
    env: { ...process.env, NIGHTJAR_TEST_TIME_FACTOR: "3" },
  });
  t.is(told, "waited 15 ms in vain: never\n");
});

test("a moment lasts", async (t) => {
  const start = performance.now();
  await moment(20);
  // Timers count whole milliseconds.
  t.true(performance.now() - start >= 19);
});
