import { ApiError } from "@/api/client";
import type { Translate } from "@/i18n/context";

/** A sentence for the operator about what went wrong. The API's own sentences are shown as they are. */
export function failureSentence(error: unknown, t: Translate): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.problem !== null) return error.message;
  return error.status === 0
    ? t("failure.unreachable")
    : t("failure.unknown", { status: String(error.status) });
}
