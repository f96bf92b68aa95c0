// A container as its pod's specification has it: what stands in for a runtime that cannot be asked.
import { create } from "@bufbuild/protobuf";
import { type Container, ContainerSchema, type Pod } from "@nightjar/proto";
import { parseImageName } from "../formats/image-name.ts";

/** Undefined where the pod has not told (yet) of a container of this id. */
export function containerOf(pod: Pod, fullId: string): Container | undefined {
  const specified = pod.containers.find(({ id }) => id === fullId);
  if (!specified) return undefined;
  const { repository, tag, digest } = parseImageName(specified.image);
  return create(ContainerSchema, {
    name: specified.name,
    runtime: specified.runtime,
    image: specified.image,
    imageRepository: repository,
    imageTag: tag,
    imageDigest: digest || parseImageName(specified.imageId).digest,
    ip: pod.ips[0] ?? "",
    // Not set means not allowed (core/v1, SecurityContext.privileged).
    privileged: specified.securityContext?.privileged ?? false,
    hostPid: pod.hostPid,
    hostNetwork: pod.hostNetwork,
    hostIpc: pod.hostIpc,
    livenessProbe: specified.livenessProbe.join(" "),
    readinessProbe: specified.readinessProbe.join(" "),
  });
}
