import { useLanguage } from "@/i18n/context";
import { failureSentence } from "@/lib/failure";
import { Notice } from "./Notice";

interface LoadFailureProps {
  title: string;
  error: unknown;
  onRetry: () => void;
  heading?: "h1" | "h2";
}

/** Replaces content that failed to load: the reason and a retry button. */
export function LoadFailure({ title, error, onRetry, heading = "h2" }: LoadFailureProps) {
  const { t } = useLanguage();
  return (
    <Notice alert icon="alert" heading={heading} title={title} text={failureSentence(error, t)}>
      <button type="button" className="button" onClick={onRetry}>
        {t("action.retry")}
      </button>
    </Notice>
  );
}
