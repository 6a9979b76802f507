import { useLanguage } from "@/i18n/context";
import { failureText } from "@/i18n/failures";
import { cn } from "@/lib/cn";
import type { Failure } from "@/types";

/** Why something failed: a sentence in the reader's language, and below it the service's own words. */
export function FailureText({ failure, className }: { failure: Failure; className?: string }) {
  const { language } = useLanguage();
  const { sentence, detail } = failureText(failure, language);
  return (
    <span className={cn("break-words", className)}>
      {sentence}
      {detail !== null && (
        <span lang="en" className="block text-xs">
          {detail}
        </span>
      )}
    </span>
  );
}
