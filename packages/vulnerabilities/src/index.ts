// Known vulnerabilities: records in OSV's form, the orders of versions, and what a record affects. No I/O.
export { type Distribution, ecosystemKey, nameOf, type Subject, subjectOf } from "./ecosystems.ts";
export { type Candidate, candidatesOf } from "./findings/candidates.ts";
export { findingsOf, rankOf } from "./findings/findings.ts";
export { Host } from "./findings/host.ts";
export { fixedVersionOf, isAffected } from "./osv/judge.ts";
export { type AdvisoryProblem, advisoryProblemCodes } from "./osv/problems.ts";
export { type ReadAdvisories, readAdvisories } from "./osv/read.ts";
export { orderOf, type VersionOrder } from "./versions/order.ts";
