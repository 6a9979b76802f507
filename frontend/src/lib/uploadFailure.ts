import type { ApiError } from "@/api/client";
import type { Language } from "@/i18n/catalogue";
import type { Translate } from "@/i18n/context";
import { CZECH, failureText } from "@/i18n/failures";
import { failureSentence } from "./failure";

/** Why a photo could not be stored, in the reader's language, without the name that its tile shows. */
export function uploadFailure(error: ApiError, name: string, t: Translate, language: Language): string {
  if (error.status === 412) return t("uploads.changed");
  if (!(error.code in CZECH)) return failureSentence(error, t);
  const message = error.problem?.detail ?? error.message;
  const start = `${name}: `;
  const detail = message.startsWith(start) ? message.slice(start.length) : message;
  return failureText({ code: error.code, message: detail }, language).sentence;
}
