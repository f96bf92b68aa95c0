// Who calls the portal, and whether a call is for him.
import { Code, ConnectError, createContextKey, type HandlerContext } from "@connectrpc/connect";

/** What a service account is for: a fleet's sensors, or the people and programs that look after it. */
export const accountTypes = ["sensor", "operator"] as const;
export type AccountType = (typeof accountTypes)[number];

export interface Principal {
  type: AccountType;
  /** Of the service account; "local" for who holds the token of the portal's own folder. */
  accountId: string;
  /** Who can read the portal's folder owns the portal: all calls are for him. */
  isLocal: boolean;
}

/** Who may call a service: the same for all of its methods, or each method by its local name. */
export type Callers = readonly AccountType[] | Readonly<Record<string, readonly AccountType[]>>;

/** Finds out whose the header `authorization` is; undefined when it is nobody's. */
export type Authenticate = (authorization: string | null) => Promise<Principal | undefined>;

export const localPrincipal: Principal = { type: "operator", accountId: "local", isLocal: true };

const principalKey = createContextKey<Principal | undefined>(undefined);

/** Who makes the call of this context; the gate has let nobody else in. */
export function principalOf({ values }: Pick<HandlerContext, "values">): Principal {
  const principal = values.get(principalKey);
  if (!principal) throw new Error("a call came past the gate");
  return principal;
}

/** The gate of every call: runs before the request is read, and throws a ConnectError to who may not. */
export function gateOf(
  authenticate: Authenticate,
  callersOf: (serviceName: string) => Callers,
): (context: HandlerContext) => Promise<void> {
  return async (context) => {
    const principal = await authenticate(context.requestHeader.get("authorization"));
    if (!principal) throw new ConnectError("the access token is missing or wrong", Code.Unauthenticated);
    const problem = callProblem(principal, allowedTypes(callersOf(context.service.typeName), context.method.localName));
    // Not PermissionDenied: to the runbooks, a service account of the wrong type is `comm error (400)`.
    if (problem) throw new ConnectError(problem, Code.FailedPrecondition);
    context.values.set(principalKey, principal);
  };
}

/** A method that nobody named is for nobody. */
function allowedTypes(callers: Callers, method: string): readonly AccountType[] {
  return isList(callers) ? callers : (callers[method] ?? []);
}

const isList = (callers: Callers): callers is readonly AccountType[] => Array.isArray(callers);

/** Why a call that is for `allowed` is not for this one; undefined when it is. */
export function callProblem(principal: Principal, allowed: readonly AccountType[]): string | undefined {
  if (principal.isLocal || allowed.includes(principal.type)) return undefined;
  return `invalid service account type: this call is for type ${allowed.join(" or ")}, not ${principal.type}`;
}
