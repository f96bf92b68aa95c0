// The account on nats-server in which all of the sensor is; the store's folders are named for it.

export const HOST_ACCOUNT = "HOST";
/** nats-server's own name for the account of who has none: where streams were before there was HOST. */
export const GLOBAL_ACCOUNT = "$G";
