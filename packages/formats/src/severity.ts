// What each priority is in the scales of others, one row a priority.
import { Priority } from "@nightjar/proto";

interface Severity {
  /** As Falco spells it. */
  falco: string;
  /** RFC 5424, table 2. */
  syslog: number;
  /** SeverityNumber, by OpenTelemetry's own table for syslog (Logs Data Model, appendix B). */
  otel: number;
  /** severity_id, and its caption. */
  ocsf: readonly [id: number, caption: string];
  /** The numbers that Elastic Security gives to low, medium, high and critical. */
  elastic: number;
}

const severities = {
  [Priority.EMERGENCY]: { falco: "Emergency", syslog: 0, otel: 21, ocsf: [6, "Fatal"], elastic: 99 },
  [Priority.ALERT]: { falco: "Alert", syslog: 1, otel: 19, ocsf: [5, "Critical"], elastic: 99 },
  [Priority.CRITICAL]: { falco: "Critical", syslog: 2, otel: 18, ocsf: [5, "Critical"], elastic: 99 },
  [Priority.ERROR]: { falco: "Error", syslog: 3, otel: 17, ocsf: [4, "High"], elastic: 73 },
  [Priority.WARNING]: { falco: "Warning", syslog: 4, otel: 13, ocsf: [3, "Medium"], elastic: 47 },
  [Priority.NOTICE]: { falco: "Notice", syslog: 5, otel: 10, ocsf: [2, "Low"], elastic: 21 },
  [Priority.INFORMATIONAL]: { falco: "Informational", syslog: 6, otel: 9, ocsf: [1, "Informational"], elastic: 21 },
  [Priority.DEBUG]: { falco: "Debug", syslog: 7, otel: 5, ocsf: [1, "Informational"], elastic: 21 },
} satisfies Partial<Record<Priority, Severity>>;

/** A priority that this version does not know is the least severe. */
export function severityOf(priority: Priority): Severity {
  return (severities as Partial<Record<Priority, Severity>>)[priority] ?? severities[Priority.DEBUG];
}
