// Which calls are for whom, by the type of the service account.
import { Code, ConnectError, createContextValues, type HandlerContext } from "@connectrpc/connect";
import { SensorService } from "@nightjar/proto";
import test from "ava";
import { type Callers, gateOf, localPrincipal, type Principal, principalOf } from "./principal.ts";

const sensor: Principal = { type: "sensor", accountId: "account-1", isLocal: false };

function callOf(caller: Principal | undefined, callers: Callers) {
  const values = createContextValues();
  const context = {
    values,
    requestHeader: new Headers(),
    service: SensorService,
    method: SensorService.method.heartbeat,
  };
  const gate = gateOf(
    async () => caller,
    () => callers,
  );
  return { context, pass: () => gate(context as unknown as HandlerContext) };
}

test("who may call is known to the implementation", async (t) => {
  for (const caller of [sensor, localPrincipal]) {
    for (const callers of [["sensor"], { heartbeat: ["sensor"] }] as const) {
      const { context, pass } = callOf(caller, callers);
      await pass();
      t.is(principalOf(context), caller);
    }
  }
});

/** [who calls, for whom the call is, the answer] */
const refused: [string, Principal | undefined, Callers, Code][] = [
  ["nobody", undefined, ["sensor", "operator"], Code.Unauthenticated],
  ["an account of another type", sensor, ["operator"], Code.FailedPrecondition],
  ["an account of another type, by method", sensor, { heartbeat: ["operator"] }, Code.FailedPrecondition],
  ["anyone, where a method was not named", sensor, { sendDetections: ["sensor"] }, Code.FailedPrecondition],
];

for (const [who, caller, callers, code] of refused) {
  test(`${who} is refused`, async (t) => {
    const error = await t.throwsAsync(callOf(caller, callers).pass(), { instanceOf: ConnectError });
    t.is(error?.code, code);
  });
}
