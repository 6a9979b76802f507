import { useLanguage } from "@/i18n/context";
import { failureSentence } from "@/lib/failure";
import { Notice } from "./Notice";

interface LoadFailureProps {
  title: string;
  error: unknown;
  onRetry: () => void;
}

/** A load that failed: says why, offers to try again, and does not claim that nothing is there. */
export function LoadFailure({ title, error, onRetry }: LoadFailureProps) {
  const { t } = useLanguage();
  return (
    <Notice alert icon="alert" title={title} text={failureSentence(error, t)}>
      <button type="button" className="button" onClick={onRetry}>
        {t("action.retry")}
      </button>
    </Notice>
  );
}
