// The stage metadata: asks container runtimes and Kubernetes, and answers who meets a container. Their sockets and
// tokens are worth root, so no other stage has them.
import { MissingReason } from "@nightjar/proto";
import { ASK_CONTAINER_SUBJECT, runStage, type Stage } from "@nightjar/stage";
import { answerContainer, type FindContainer } from "./answer.ts";
import { noPods } from "./pods.ts";
import { runtimeKinds } from "./runtimes/index.ts";

await runStage("metadata", main);

async function main(stage: Stage): Promise<void> {
  const { counters, settings } = stage;
  const findContainer: FindContainer = async () => ({ missing: MissingReason.NO_RUNTIME });
  const places = settings.metadata.runtimes ? runtimeKinds.flatMap((kind) => kind.find(settings.metadata)) : [];
  stage.facts.set("runtimes", places.join(", "));
  await stage.bus.connect();
  stage.bus.serve(ASK_CONTAINER_SUBJECT, (bytes) => {
    counters.add("questions");
    return answerContainer(bytes, { findContainer, pods: noPods });
  });
  stage.beforeStatus = () => {
    stage.summary = `${places.length} container runtimes, ${counters.get("questions")} questions`;
  };
  stage.ready();
}
