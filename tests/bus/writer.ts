// A stage that publishes numbered messages to RAW, as fast as it may, and says when all of them are stored. Blanks make
// every third WRITER_BYTES long, the others a third and two thirds of it.
import { runStage } from "@nightjar/stage";

const UNDER_WAY_MAX = 128;

await runStage("collector", async (stage) => {
  const count = Number(process.env.WRITER_MESSAGES);
  const length = Number(process.env.WRITER_BYTES ?? 0);
  await stage.bus.connect();
  stage.ready();
  const underWay = new Set<Promise<void>>();
  for (let number = 0; number < count; number++) {
    const one = stage.bus.publish(
      "RAW",
      "nightjar.raw",
      Buffer.from(String(number).padEnd((length * ((number % 3) + 1)) / 3)),
      `raw-${number}`,
    );
    underWay.add(one);
    void one.then(() => underWay.delete(one));
    if (underWay.size >= UNDER_WAY_MAX) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  stage.log.info("all is stored");
});
