// The unit tests, which stand beside their modules, and the house rules. Whole-system tests: ava.system.config.js.
export default {
  extensions: ["ts"],
  files: [
    "{proto,native-probe,cli}/src/**/*.test.ts",
    "{packages,services}/*/src/**/*.test.ts",
    "tests/{house,support}/**/*.test.ts",
    "{bench,scripts}/**/*.test.ts",
  ],
  workerThreads: false,
  timeout: "3m",
};
