// The settings that every stage and the command line share.
import { boolean, choice, path, type SettingTable } from "../setting.ts";

export const commonSettings = {
  state_dir: path({
    default: "",
    doc:
      "The sensor's state folder. Several sensors run side by side in different ones. `nightjar run` takes `.state` " +
      "in the checkout when it is empty.",
  }),
  log_dir: path({
    default: "",
    doc: "The folder of the stages' logs. Empty means `log` in the state folder; systemd has /var/log/nightjar.",
  }),
  log_level: choice({
    choices: ["error", "warn", "info", "debug"],
    default: "info",
    doc: "The least severe messages that are logged.",
  }),
  enabled: boolean({
    default: true,
    doc:
      "Whether the sensor runs on this host. Switched off, nothing of it is left in the kernel, and the portal shows " +
      "the host as disabled. Goes into force with `systemctl restart nightjar`.",
  }),
  disable_service: boolean({
    default: false,
    doc: "The same, the other way round, for fleet tools that set it: true switches the sensor off.",
  }),
  http_proxy_cert: path({
    default: "",
    doc:
      "PEM file with the authority of a proxy that opens TLS connections (the proxy itself is HTTPS_PROXY, with " +
      "NO_PROXY, in the environment). It is trusted beside the others for all that the sensor sends.",
  }),
  extra_ssl_cert_dir: path({
    default: "",
    doc: "Folder with authorities (*.pem, *.crt, *.cer) that are trusted beside the others.",
  }),
} satisfies SettingTable;
