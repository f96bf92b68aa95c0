// One test runner for the whole tree: a module's tests stand beside it, whole-system tests under tests/.
export default {
  extensions: ["ts"],
  files: ["{proto,packages,services,cli,native-probe}/**/src/**/*.test.ts", "tests/house/**/*.test.ts"],
  workerThreads: false,
  timeout: "60s",
};
