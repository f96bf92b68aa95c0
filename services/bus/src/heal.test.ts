// Tests the judgement: what healthy traffic looks like is left alone, what a faulty server leaves behind is healed.
import test from "ava";
import { judge, NO_SUSPICION, type ReaderState, unaccountedMessages } from "./heal.ts";

const reader = (pending: number, ackPending: number, deliveredSeq = 10): ReaderState => ({
  pending,
  ackPending,
  deliveredSeq,
});

test("a durable ahead of its stream is healed at once", (t) => {
  const verdict = judge(NO_SUSPICION, reader(0, 0, 5), { messages: 2, lastSeq: 2 }, 0);
  t.is(verdict.heal, "it stands at 5, the stream ends at 2");
});

test("messages nobody accounts for are healed at the third check without shrinking", (t) => {
  const queue = { messages: 3, lastSeq: 10 };
  const first = judge(NO_SUSPICION, reader(0, 1), queue, 2);
  const second = judge(first.suspicion, reader(0, 1), queue, 2);
  const third = judge(second.suspicion, reader(0, 1), queue, 3);
  t.deepEqual([first.heal, second.heal], [undefined, undefined]);
  t.is(third.heal, "it does not see 3 messages of its stream");
  t.deepEqual(third.suspicion, NO_SUSPICION);
});

test("a number that shrinks or vanishes begins anew", (t) => {
  const queue = { messages: 5, lastSeq: 10 };
  const second = judge({ checks: 2, unaccounted: 5 }, reader(0, 0), queue, 4);
  t.deepEqual(second, { suspicion: { checks: 1, unaccounted: 4 } });
  t.deepEqual(judge(second.suspicion, reader(5, 0), queue, 0), { suspicion: NO_SUSPICION });
});

test("traffic between the looks is not taken for a loss", (t) => {
  // 100 came in between the first look and the stream's.
  t.is(unaccountedMessages(reader(50, 0), { messages: 150, lastSeq: 150 }, reader(150, 0)), 0);
  // 100 were acknowledged between the stream's and the second look.
  t.is(unaccountedMessages(reader(150, 0), { messages: 150, lastSeq: 150 }, reader(50, 0)), 0);
  t.is(unaccountedMessages(reader(1, 1), { messages: 5, lastSeq: 5 }, reader(1, 1)), 3);
});
