// A detection in the forms other products read: Falco's JSON, ECS, OCSF. Pure: no I/O.
export { ecs } from "./ecs.ts";
export { falco } from "./falco.ts";
export { type Format, type FormatName, formatNames, formats, type Origin } from "./format.ts";
export { type Json, type JsonObject, toJson } from "./json.ts";
export { ocsf } from "./ocsf.ts";
export { severityOf } from "./severity.ts";
