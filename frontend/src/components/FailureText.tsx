import { useLanguage } from "@/i18n/context";
import { failureText } from "@/i18n/failures";
import { cn } from "@/lib/cn";
import type { Failure } from "@/types";

interface FailureTextProps {
  failure: Failure;
  className?: string;
  /** Class of the service's own message, which narrow places may truncate. */
  detailClassName?: string | undefined;
}

/** The reason of a failure: a sentence in the reader's language, and below it the service's own message. */
export function FailureText({ failure, className, detailClassName }: FailureTextProps) {
  const { language } = useLanguage();
  const { sentence, detail } = failureText(failure, language);
  return (
    <span className={cn("break-words", className)}>
      {sentence}
      {detail !== null && (
        <span lang="en" className={cn("block text-xs", detailClassName)}>
          {detail}
        </span>
      )}
    </span>
  );
}
