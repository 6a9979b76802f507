import { ApiError } from "@/api/client";
import type { Translate } from "@/i18n/context";
import { isTextKey } from "@/i18n/translate";

/** Codes of requests that changed nothing because everything is done: no error for the user. */
const HARMLESS: readonly string[] = ["nothing_to_do"];

/** How a message about the failure looks. */
export function failureTone(error: unknown): "plain" | "bad" {
  return error instanceof ApiError && HARMLESS.includes(error.code) ? "plain" : "bad";
}

/** Whether another person changed what was read, so that nothing was saved (412). */
export const isChangedMeanwhile = (error: unknown): boolean =>
  error instanceof ApiError && error.status === 412;

/** The error message for users: the catalogue's text for the API's code, or else the API's own sentence. */
export function failureSentence(error: unknown, t: Translate): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const key = `error.${error.code}`;
  if (isTextKey(key)) return t(key);
  if (error.problem !== null) return error.message;
  return error.status === 0
    ? t("failure.unreachable")
    : t("failure.unknown", { status: String(error.status) });
}
