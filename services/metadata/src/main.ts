// The stage metadata: asks container runtimes and Kubernetes, and answers who meets a container. Their sockets and
// tokens are worth root, so no other stage has them.
import { MissingReason } from "@nightjar/proto";
import { ASK_CONTAINER_SUBJECT, METADATA_CHANGED_SUBJECT, runStage, type Stage } from "@nightjar/stage";
import { answerContainer, type FindContainer } from "./answer.ts";
import { Changes } from "./changes.ts";
import { followPods } from "./kubernetes/start.ts";
import { runtimeKinds } from "./runtimes/index.ts";

await runStage("metadata", main);

async function main(stage: Stage): Promise<void> {
  const { counters, settings } = stage;
  const findContainer: FindContainer = async () => ({ missing: MissingReason.NO_RUNTIME });
  const places = settings.metadata.runtimes ? runtimeKinds.flatMap((kind) => kind.find(settings.metadata)) : [];
  stage.facts.set("runtimes", places.join(", "));
  await stage.bus.connect();
  const changes = new Changes((bytes) => stage.bus.connection.publish(METADATA_CHANGED_SUBJECT, bytes));
  const { pods, count } = followPods(stage, (ids) => changes.add(ids));
  stage.bus.serve(ASK_CONTAINER_SUBJECT, (bytes) => {
    counters.add("questions");
    return answerContainer(bytes, { findContainer, pods });
  });
  stage.beforeStatus = () => {
    count();
    stage.summary = `${places.length} container runtimes, ${counters.get("questions")} questions`;
  };
  stage.ready();
}
