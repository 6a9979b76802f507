import { useLanguage } from "@/i18n/context";
import { failureText } from "@/i18n/failures";
import { cn } from "@/lib/cn";
import type { Failure } from "@/types";

interface FailureTextProps {
  failure: Failure;
  className?: string;
  /** Of the service's own words, which may have to give way where there is little room. */
  detailClassName?: string | undefined;
}

/** Why something failed: a sentence in the reader's language, and below it the service's own words. */
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
