// Known vulnerabilities: records in OSV's form, the orders of versions, and what a record affects. No I/O.
export { type EcosystemName, orderOf, type VersionOrder } from "./versions/order.ts";
