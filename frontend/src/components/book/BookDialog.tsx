import * as Dialog from "@radix-ui/react-dialog";
import { useQuery } from "@tanstack/react-query";
import { Icon } from "@/components/Icon";
import { LoadFailure } from "@/components/LoadFailure";
import type { Order } from "@/components/order/model";
import { useOrderRefetches } from "@/hooks/useRefetches";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import type { Book } from "@/lib/bookApi";
import type { BookOptions } from "@/lib/bookOptions";
import { bookDefaultsQuery, bookKey, booksQuery } from "@/lib/bookQuery";
import { BookFields } from "./BookFields";
import { BookItems } from "./BookItems";
import { BookPreview } from "./BookPreview";
import { BookToolbar } from "./BookToolbar";
import { Preflight } from "./Preflight";
import { useBook } from "./useBook";

/** A book sends an update at each step, and an order that is generated sends many. */
const REFETCH_DELAY_MS = 60;

interface BookDialogProps {
  order: Order;
  /** Closes the dialog and goes to an element of the order's page. */
  onJump: (elementId: string) => void;
  onCloseAutoFocus: (event: Event) => void;
}

/** The printed book of an order: its sheets as they are printed, what is wrong with it, and its options. */
export default function BookDialog({ order, onJump, onCloseAutoFocus }: BookDialogProps) {
  const { t } = useLanguage();
  return (
    <Dialog.Portal>
      <Dialog.Overlay className="fixed inset-0 z-40 bg-[#1d1b18]/40" />
      <Dialog.Content
        aria-describedby={undefined}
        onCloseAutoFocus={onCloseAutoFocus}
        className="fixed inset-0 z-40 flex flex-col bg-paper lg:inset-3 lg:overflow-hidden lg:rounded-2xl lg:border lg:border-line lg:shadow-float"
      >
        <div className="flex items-center gap-3 border-b border-line bg-card px-4 py-2.5">
          <Dialog.Title className="text-lg font-semibold tracking-tight">
            {t("book.title", { number: order.order_number })}
          </Dialog.Title>
          <Dialog.Close className="icon-button ml-auto" aria-label={t("action.close")}>
            <Icon name="close" />
          </Dialog.Close>
        </div>
        <Loading order={order} onJump={onJump} />
      </Dialog.Content>
    </Dialog.Portal>
  );
}

function Loading({ order, onJump }: Pick<BookDialogProps, "order" | "onJump">) {
  const { t } = useLanguage();
  const defaults = useQuery(bookDefaultsQuery);
  const books = useQuery(booksQuery(order.order_number));
  useOrderRefetches(order.order_number, bookKey, REFETCH_DELAY_MS);
  if (defaults.data && books.data)
    return <Loaded order={order} defaults={defaults.data} books={books.data} onJump={onJump} />;
  const failed = books.error ?? defaults.error;
  if (!failed) return <p className="animate-breathe p-8 text-center text-mute">{t("book.loading")}</p>;
  const retry = () => {
    void defaults.refetch();
    void books.refetch();
  };
  return <LoadFailure title={t("book.loadFailed")} error={failed} onRetry={retry} />;
}

interface LoadedProps extends Pick<BookDialogProps, "order" | "onJump"> {
  defaults: BookOptions;
  books: Book[];
}

function Loaded({ order, defaults, books, onJump }: LoadedProps) {
  const { t } = useLanguage();
  const canEdit = useCanEdit();
  const book = useBook(order.order_number, defaults, books);
  return (
    <div className="grid min-h-0 flex-1 grid-cols-1 overflow-y-auto lg:grid-cols-[minmax(0,1fr)_21rem] lg:overflow-hidden">
      <div
        role="region"
        aria-label={t("book.preview")}
        tabIndex={0}
        className="min-w-0 p-4 sm:p-6 lg:overflow-y-auto"
      >
        <BookPreview orderNumber={order.order_number} books={books} book={book} />
      </div>
      <div className="grid content-start gap-5 border-line bg-card p-4 max-lg:row-start-1 max-lg:border-b lg:overflow-y-auto lg:border-l">
        <BookToolbar orderNumber={order.order_number} books={books} book={book} />
        <Preflight preflight={book.preflight} onJump={onJump} />
        <section aria-labelledby="book-options">
          <h3 id="book-options" className="mb-1.5 text-[13px] font-medium text-mute">
            {t("book.options")}
          </h3>
          <fieldset disabled={!canEdit} aria-labelledby="book-options" className="disabled:opacity-60">
            <BookFields form={book.form} onChange={book.change} />
          </fieldset>
        </section>
        <BookItems order={order} onChanged={book.refresh} />
      </div>
    </div>
  );
}
