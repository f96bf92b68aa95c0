// A way into or out of a network namespace: listens at one place inside, and carries on to another.
// node passage.ts FROM TO, each "host:port" or the path of a Unix socket
import { forward, placeOf } from "./forward.ts";

const [from = "", to = ""] = process.argv.slice(2);
await forward(placeOf(from), () => placeOf(to));
process.stdout.write("listening\n");
