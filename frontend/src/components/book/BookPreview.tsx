import { FailureText } from "@/components/FailureText";
import { ForOperators } from "@/components/session/ForOperators";
import { useLanguage } from "@/i18n/context";
import type { Book } from "@/lib/bookApi";
import { Sheets } from "./Sheets";
import { isActive, useBookChange, type BookState } from "./useBook";

interface BookPreviewProps {
  orderNumber: string;
  books: Book[];
  book: BookState;
}

/** The sheets of the shown version; while it is composed, those of the last completed one. */
export function BookPreview({ orderNumber, books, book }: BookPreviewProps) {
  const { t } = useLanguage();
  const { shown } = book;
  if (!shown) {
    return (
      <div className="grid h-full min-h-48 place-content-center text-center">
        <p className="font-medium">{t("book.none")}</p>
        <p className="mt-1 text-mute">{t("book.none.text")}</p>
      </div>
    );
  }
  const visible = shown.status === "completed" ? shown : books.find(({ status }) => status === "completed");
  return (
    <>
      {/* As high with a message as without, so that the sheets do not move. */}
      <div className="mb-4 min-h-10">
        <State orderNumber={orderNumber} shown={shown} />
        {shown.status === "completed" && shown.is_outdated && (
          <p role="status" className="text-[13px] font-medium text-bad">
            {t("book.outdated", { version: shown.version })}
          </p>
        )}
        {book.isDraft && !isActive(shown) && (
          <p role="status" className="text-[13px] text-mute">
            {t("book.draft", { version: shown.version })}
          </p>
        )}
      </div>
      {visible && <Sheets book={visible} isOld={visible !== shown || book.isDraft} />}
    </>
  );
}

/** What a version that is not completed waits for, or why it failed. */
function State({ orderNumber, shown }: { orderNumber: string; shown: Book }) {
  const { t } = useLanguage();
  const retry = useBookChange(orderNumber);
  if (shown.status === "queued" || shown.status === "composing") {
    return (
      <div role="status" className="max-w-md">
        <label className="text-[13px] font-medium">
          {t(`book.status.${shown.status}`, { version: shown.version })}
          <progress
            max={100}
            value={shown.progress}
            className="mt-1.5 block h-1.5 w-full overflow-hidden rounded-full bg-soft accent-accent"
          />
        </label>
      </div>
    );
  }
  if (shown.status !== "error") return null;
  return (
    <div role="alert" className="rounded-xl bg-bad-soft px-4 py-3 text-[13px] text-bad">
      <b className="font-semibold">{t("book.failed", { version: shown.version })}</b>{" "}
      {shown.error && <FailureText failure={shown.error} />}
      <ForOperators>
        <button
          type="button"
          className="button button-small mt-2 block"
          disabled={retry.isPending}
          onClick={() => retry.mutate({ book: shown })}
        >
          {t("action.retry")}
        </button>
      </ForOperators>
    </div>
  );
}
