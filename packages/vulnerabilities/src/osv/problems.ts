// Every reason for which something of a file of advisories is not taken. docs/reference/errors.md is made from it.

export const advisoryProblemCodes = {
  ADVISORY_UNREADABLE: "The file is no JSON, or no record of OSV's form nor a list of them. Nothing of it is taken.",
  ADVISORY_INVALID: "A record has no id, or a time that is none, or says in no readable way what it affects.",
  ADVISORY_TOO_LARGE: "A record affects more packages, or has more versions, than are kept. It is passed over.",
  ADVISORY_ECOSYSTEM_UNKNOWN:
    "The order of an ecosystem's versions is not known here, so that nothing of it can be told. The package is " +
    "passed over.",
  ADVISORY_VERSION_INVALID: "A version is none of its ecosystem's. The range that names it is passed over.",
} as const;

export type AdvisoryProblemCode = keyof typeof advisoryProblemCodes;

export interface AdvisoryProblem {
  code: AdvisoryProblemCode;
  /** The record's id, and where in it. */
  place: string;
  message: string;
}
