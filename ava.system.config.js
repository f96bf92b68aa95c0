// Tests of the whole sensor: real kernel, real bus, one after the other, since they share the machine's events.
export default {
  extensions: ["ts"],
  files: ["tests/*/**/*.test.ts", "!tests/{house,support}/**"],
  workerThreads: false,
  concurrency: 1,
  serial: true,
  timeout: "5m",
  // A machine that runs tests is busy, and no test but the governor's own may lose events to it.
  environmentVariables: { NIGHTJAR_GOVERNOR_ENABLED: "false" },
};
