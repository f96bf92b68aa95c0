// Makes an empty store in a folder, in a process of its own.
// node make-store.ts FOLDER
import { syncTree } from "./durable.ts";
import { migrate } from "./migrations.ts";
import { openPglite } from "./pglite.ts";

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: make-store.ts FOLDER");
process.stdin.on("close", () => process.exit(1));
process.stdin.resume();
const database = await openPglite(folder);
await migrate(database);
await database.close();
syncTree(folder);
process.exit(0);
