// Records as the feeds of Debian, Ubuntu, Alpine, npm and PyPI have them in OSV's form; made up, but for their shape.

const range = (...events: Record<string, string>[]) => ({ type: "ECOSYSTEM", events });

export const SAMPLE = {
  debian: {
    schema_version: "1.7.0",
    id: "DEBIAN-CVE-2030-0001",
    upstream: ["CVE-2030-0001"],
    published: "2030-01-02T03:04:05Z",
    modified: "2030-02-02T03:04:05.123456Z",
    details: "The library reads beyond a buffer.\nA second line.",
    affected: [
      {
        package: { ecosystem: "Debian:12", name: "openssl", purl: "pkg:deb/debian/openssl?arch=source" },
        ranges: [range({ introduced: "0" }, { fixed: "3.0.15-1~deb12u1" })],
        versions: ["3.0.11-1~deb12u1", "3.0.14-1~deb12u2"],
        ecosystem_specific: { urgency: "not yet assigned" },
      },
      { package: { ecosystem: "Debian:11", name: "openssl" }, ranges: [range({ introduced: "0" })] },
    ],
    severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
  },
  ubuntu: {
    id: "UBUNTU-CVE-2030-0001",
    aliases: [],
    upstream: ["CVE-2030-0001"],
    modified: "2030-02-02T03:04:05Z",
    severity: [{ type: "Ubuntu", score: "high" }],
    affected: [
      {
        package: { ecosystem: "Ubuntu:22.04:LTS", name: "openssl" },
        ranges: [range({ introduced: "0" }, { fixed: "3.0.2-0ubuntu1.18" })],
      },
    ],
  },
  alpine: {
    id: "ALPINE-CVE-2030-0002",
    modified: "2030-02-02T03:04:05Z",
    affected: [
      {
        package: { ecosystem: "Alpine:v3.20", name: "busybox" },
        ranges: [range({ introduced: "0" }, { fixed: "1.36.1-r29" })],
      },
    ],
  },
  npm: {
    id: "GHSA-aaaa-bbbb-cccc",
    aliases: ["CVE-2030-0003"],
    modified: "2030-02-02T03:04:05Z",
    summary: "left-pad pads too much",
    database_specific: { severity: "MODERATE" },
    affected: [
      {
        package: { ecosystem: "npm", name: "left-pad" },
        // Events are in no order, and of two ranges in one.
        ranges: [
          {
            type: "SEMVER",
            events: [{ fixed: "2.0.5" }, { introduced: "0" }, { fixed: "1.3.1" }, { introduced: "2.0.0" }],
          },
        ],
      },
    ],
  },
  pypi: {
    id: "PYSEC-2030-4",
    aliases: ["GHSA-dddd-eeee-ffff", "CVE-2030-0004"],
    modified: "2030-02-02T03:04:05Z",
    affected: [
      {
        package: { ecosystem: "PyPI", name: "Some_Package" },
        ranges: [
          { type: "GIT", repo: "https://example.com/x", events: [{ introduced: "0" }, { fixed: "abcdef" }] },
          range({ introduced: "1.0" }, { last_affected: "1.4.post1" }),
        ],
        versions: ["1.0", "1.1", "0.9rc1"],
      },
    ],
  },
} as const;
