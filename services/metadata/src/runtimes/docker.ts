// Docker: its Engine API on the host's socket, or on that of a user who runs it without root.
import { ofUsers } from "../places.ts";
import type { RuntimeKind } from "../runtime.ts";
import { DockerApi } from "./docker-api.ts";

export const docker: RuntimeKind = {
  name: "docker",
  serves: ["docker"],
  places: () => ["/run/docker.sock", "/var/run/docker.sock", ...ofUsers("docker.sock")],
  open: (socket, options) => new DockerApi("docker", socket, options),
};
