// Podman: the Engine API of `podman system service`, the host's and those of users who run it without root.
import { ofUsers } from "../places.ts";
import type { RuntimeKind } from "../runtime.ts";
import { DockerApi } from "./docker-api.ts";

export const podman: RuntimeKind = {
  name: "podman",
  serves: ["podman"],
  places: () => ["/run/podman/podman.sock", ...ofUsers("podman/podman.sock")],
  open: (socket, options) => new DockerApi("podman", socket, options),
};
