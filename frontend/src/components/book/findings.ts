import type { Translate } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";
import type { Finding } from "@/lib/bookApi";

/** The sentence of a finding: the catalogue's text for its code, or else the API's own sentence. */
export function findingSentence(finding: Finding, t: Translate): string {
  const key = `book.finding.${finding.code}`;
  return isTextKey(key) ? t(key, finding.values) : finding.message;
}

/** Findings with errors first, otherwise in the order of the book. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  const of = (severity: Finding["severity"]) => findings.filter((finding) => finding.severity === severity);
  return [...of("error"), ...of("warning")];
}
