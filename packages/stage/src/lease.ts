// A leased interest: what makes events come for as long as somebody who is no stage looks at them.
import { randomBytes } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import type { NatsConnection } from "@nats-io/transport-node";
import { type Interest, InterestSchema } from "@nightjar/proto";
import { LEASED_INTEREST_SUBJECT } from "./streams.ts";

/** Whoever is killed is forgotten after so long. */
const LEASE_S = 15;
/** Two renewals may be lost; a collector that starts meanwhile learns of it with the next one. */
const RENEW_MS = 5_000;
const NAME_BYTES = 8;

export interface Lease {
  readonly interest: Interest;
  /** Withdraws the interest; resolves when the server has it. */
  end(): Promise<void>;
}

/**
 * Wants all events of these types (ids) until it is ended or the process is, on a connection with the operator's key.
 * Resolves when the server has it. `holder` says to a person who it is.
 */
export async function leaseInterest(
  connection: NatsConnection,
  holder: string,
  eventTypes: readonly number[],
): Promise<Lease> {
  const subject = LEASED_INTEREST_SUBJECT.replace("*", randomBytes(NAME_BYTES).toString("hex"));
  const interest = create(InterestSchema, { stage: holder, eventTypes: [...eventTypes], leaseS: LEASE_S });
  const say = (what: Interest) => connection.publish(subject, toBinary(InterestSchema, what));
  say(interest);
  const renewal = setInterval(() => !connection.isClosed() && say(interest), RENEW_MS).unref();
  await connection.flush();
  return {
    interest,
    async end() {
      clearInterval(renewal);
      if (connection.isClosed()) return;
      say(create(InterestSchema, { stage: holder }));
      await connection.flush();
    },
  };
}
