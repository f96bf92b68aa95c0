// The `nightjar` command. As `nightjar stage NAME` it soon is another program, and loads no more than that takes:
// systemd starts all stages at once, within the sensor's budget.
const args = process.argv.slice(2);
const [first, name = "", ...more] = args;
if (first === "stage" && !name.startsWith("-") && more.length === 0) {
  const { startStage } = await import("./start-stage.ts");
  process.exitCode = startStage(name);
} else {
  const { runCommandLine } = await import("./run-command-line.ts");
  await runCommandLine(args);
}
