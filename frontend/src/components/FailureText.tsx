import { useLanguage } from "@/i18n/context";
import { failureText } from "@/i18n/failures";
import { cn } from "@/lib/cn";
import type { Failure } from "@/types";

/** A service's own English message, which the reader can open. */
export function ServiceMessage({ text }: { text: string }) {
  const { t } = useLanguage();
  return (
    <details className="text-xs">
      <summary className="inline-block py-0.5 underline decoration-current/40 underline-offset-2">
        {t("failure.detail")}
      </summary>
      <p lang="en">{text}</p>
    </details>
  );
}

/** The reason of a failure in the reader's language; the service's own message only on demand. */
export function FailureText({ failure, className }: { failure: Failure; className?: string }) {
  const { language } = useLanguage();
  const { sentence, detail } = failureText(failure, language);
  return (
    <div className={cn("inline break-words", className)}>
      {sentence}
      {detail !== null && <ServiceMessage text={detail} />}
    </div>
  );
}
