import { useMutation } from "@tanstack/react-query";
import { Choice } from "@/components/Choice";
import { ConfirmButton } from "@/components/ConfirmButton";
import { download } from "@/components/order/download";
import { Icon } from "@/components/Icon";
import { ForOperators } from "@/components/session/ForOperators";
import { useLanguage } from "@/i18n/context";
import type { Book } from "@/lib/bookApi";
import { formatDayAndTime } from "@/lib/dates";
import { failureSentence } from "@/lib/failure";
import { showToast } from "@/lib/toasts";
import { isForceable, isStopped, useBookChange, type BookState } from "./useBook";

interface BookToolbarProps {
  orderNumber: string;
  books: Book[];
  book: BookState;
}

/** Versions, download, *mark as printed*, and composing another version. */
export function BookToolbar({ orderNumber, books, book }: BookToolbarProps) {
  const { t } = useLanguage();
  const { shown } = book;
  return (
    <section aria-label={t("book.actions")} className="grid gap-2.5">
      {shown && (
        <>
          <Versions books={books} shown={shown} onChoose={book.choose} />
          {shown.sheets !== null && (
            <p className="text-[13px] text-mute">{t("book.sheets", { count: shown.sheets })}</p>
          )}
          {shown.url !== null && <Download orderNumber={orderNumber} version={shown.version} />}
          <Printed orderNumber={orderNumber} shown={shown} />
        </>
      )}
      <ForOperators>
        <Compose book={book} />
      </ForOperators>
    </section>
  );
}

function Versions({
  books,
  shown,
  onChoose,
}: {
  books: Book[];
  shown: Book;
  onChoose: (version: number) => void;
}) {
  const { t, language } = useLanguage();
  const text = ({ version, options, created_at, printed_at }: Book) => {
    const printed = printed_at === null ? [] : [t("book.printed")];
    const paper =
      options.paper === "custom" ? `${options.width_mm} × ${options.height_mm} mm` : options.paper;
    return [`v${version}`, paper, formatDayAndTime(created_at, language), ...printed].join(" · ");
  };
  return (
    <div className="[&_label]:flex-col [&_label]:items-start [&_label]:gap-1 [&_select]:w-full">
      <Choice
        label={t("book.version")}
        value={String(shown.version)}
        choices={books.map((book) => ({ value: String(book.version), text: text(book) }))}
        onChoose={(version) => onChoose(Number(version))}
      />
    </div>
  );
}

function Download({ orderNumber, version }: { orderNumber: string; version: number }) {
  const { t } = useLanguage();
  const file = useMutation({
    mutationFn: () => download(orderNumber, "print", version),
    onError: (error) => showToast(failureSentence(error, t), "bad"),
  });
  return (
    <button
      type="button"
      className="button button-primary aria-disabled:opacity-60"
      aria-disabled={file.isPending}
      aria-busy={file.isPending}
      onClick={() => !file.isPending && file.mutate()}
    >
      <Icon name="download" />
      {t("book.download")}
    </button>
  );
}

/** When the version was printed, and the button that marks it. */
function Printed({ orderNumber, shown }: { orderNumber: string; shown: Book }) {
  const { t, language } = useLanguage();
  const mark = useBookChange(orderNumber);
  const isPrinted = shown.printed_at !== null;
  if (shown.status !== "completed") return null;
  return (
    <div className="flex flex-wrap items-center gap-2">
      {shown.printed_at !== null && (
        <p role="status" className="flex items-center gap-1.5 text-[13px] text-ok">
          <Icon name="check" />
          {t("book.printedAt", { time: formatDayAndTime(shown.printed_at, language) })}
        </p>
      )}
      <ForOperators>
        <button
          type="button"
          className="button button-small"
          disabled={mark.isPending}
          onClick={() => mark.mutate({ book: shown, isPrinted: !isPrinted })}
        >
          {t(isPrinted ? "book.unmark" : "book.mark")}
        </button>
      </ForOperators>
    </div>
  );
}

/** Composes a version with the form's options; errors of the preflight stop it unless it is confirmed. */
function Compose({ book }: { book: BookState }) {
  const { t } = useLanguage();
  const preflight = book.preflight.data;
  const isBusy = book.compose.isPending || book.options === undefined || preflight === undefined;
  const error = book.compose.error;
  return (
    <>
      {error && !isStopped(error) && (
        <p role="alert" className="rounded-[10px] bg-bad-soft px-3 py-2 text-[13px] text-bad">
          {failureSentence(error, t)}
        </p>
      )}
      {preflight?.can_print === false ? (
        <>
          <p role="status" className="text-[13px] text-bad">
            {t("book.stopped")}
          </p>
          {isForceable(preflight) && (
            <ConfirmButton
              text={t("book.force")}
              title={t("book.force.title")}
              question={t("book.force.text")}
              confirm={t("book.force.confirm")}
              keep={t("action.cancel")}
              danger
              disabled={isBusy}
              className="button"
              onConfirm={() => book.begin(true)}
            />
          )}
        </>
      ) : (
        <button
          type="button"
          className={book.shown ? "button" : "button button-primary"}
          disabled={isBusy}
          onClick={() => book.begin(false)}
        >
          {t(book.shown ? "book.composeAgain" : "book.compose")}
        </button>
      )}
    </>
  );
}
