// The stage metadata: asks container runtimes and Kubernetes, and answers who meets a container. Their sockets and
// tokens are worth root, so no other stage has them.
import { ASK_CONTAINER_SUBJECT, METADATA_CHANGED_SUBJECT, runStage, type Stage } from "@nightjar/stage";
import { answerContainer } from "./answer.ts";
import { Changes } from "./changes.ts";
import { identifyCloud } from "./cloud/identify.ts";
import { followRuntimes } from "./follow-runtimes.ts";
import { followPods } from "./kubernetes/start.ts";

await runStage("metadata", main);

async function main(stage: Stage): Promise<void> {
  const { bus, counters } = stage;
  await bus.connect();
  const changes = new Changes((bytes) => bus.connection.publish(METADATA_CHANGED_SUBJECT, bytes));
  const runtimes = followRuntimes(stage, (ids) => changes.add(ids));
  const { pods, count } = followPods(stage, (ids) => changes.add(ids));
  identifyCloud(stage);
  stage.beforeStatus = () => {
    count();
    runtimes.count();
  };
  bus.serve(ASK_CONTAINER_SUBJECT, (bytes) => {
    counters.add("questions");
    return answerContainer(bytes, { findContainer: runtimes.findContainer, pods });
  });
  stage.ready();
}
