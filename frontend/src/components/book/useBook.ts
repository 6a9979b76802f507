import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { ApiError } from "@/api/client";
import { useCanEdit } from "@/hooks/useSession";
import { useLanguage } from "@/i18n/context";
import { createBook, markPrinted, retryBook, type Book, type Preflight } from "@/lib/bookApi";
import {
  formOf,
  isSame,
  optionsOf,
  rememberBookOptions,
  rememberedOptions,
  type BookForm,
  type BookOptions,
} from "@/lib/bookOptions";
import { bookKey, booksQuery, preflightQuery, putBook } from "@/lib/bookQuery";
import { failureSentence } from "@/lib/failure";
import { showToast } from "@/lib/toasts";

/** After the last change of the options: quick changes make one version. */
const RECOMPOSE_DELAY_MS = 700;
/** Without updates of the hub, versions in progress are refetched so often. */
const POLL_MS = 15_000;

export const isActive = (book: Book): boolean => book.status === "queued" || book.status === "composing";

/** Findings with which a book cannot be composed at all. */
const UNFORCEABLE: readonly string[] = ["no_pages", "order_cancelled"];

export const isForceable = ({ findings }: Preflight): boolean =>
  !findings.some(({ code }) => UNFORCEABLE.includes(code));

interface Wanted {
  options: BookOptions;
  isForced: boolean;
}

/**
 * The book of an order. The form shows the options of the shown version until they are changed; a change
 * composes another version, which is then shown.
 */
export function useBook(orderNumber: string, defaults: BookOptions, books: Book[]) {
  const queries = useQueryClient();
  const canEdit = useCanEdit();
  const [chosen, setChosen] = useState<number>();
  const [draft, setDraft] = useState<BookForm>();
  const [remembered] = useState(() => rememberedOptions(defaults, localStorage));
  const shown = books.find(({ version }) => version === chosen) ?? books[0];
  const form = draft ?? formOf(shown?.options ?? remembered);
  const options = optionsOf(form);
  /** The form's options now, for what began before they were changed. */
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  const preflight = useQuery(preflightQuery(orderNumber, options ?? remembered));
  useQuery({ ...booksQuery(orderNumber), refetchInterval: books.some(isActive) ? POLL_MS : false });

  const compose = useMutation({
    scope: { id: `book-${orderNumber}` },
    mutationFn: (wanted: Wanted) => createBook(orderNumber, wanted.options, wanted.isForced),
    onSuccess: async (book, wanted) => {
      await queries.cancelQueries({ queryKey: booksQuery(orderNumber).queryKey });
      putBook(queries, orderNumber, book);
      setChosen(book.version);
      setDraft((current) => {
        const drafted = current && optionsOf(current);
        return drafted && isSame(drafted, wanted.options) ? undefined : current;
      });
    },
    onError: () => void queries.invalidateQueries({ queryKey: bookKey(orderNumber) }),
  });
  const { schedule, cancel } = useDelay(RECOMPOSE_DELAY_MS);
  const begin = (isForced: boolean) => {
    cancel();
    if (latest.current) compose.mutate({ options: latest.current, isForced });
  };
  const change = (next: BookForm) => {
    cancel();
    setDraft(next);
    const wanted = optionsOf(next);
    if (!wanted) return;
    rememberBookOptions(wanted, defaults, localStorage);
    if (canEdit && books.length > 0) schedule(() => compose.mutate({ options: wanted, isForced: false }));
  };
  const choose = (version: number) => {
    cancel();
    setDraft(undefined);
    compose.reset();
    setChosen(version);
  };
  return {
    shown,
    form,
    isDraft: draft !== undefined,
    options,
    preflight,
    compose,
    begin,
    change,
    choose,
    /** Compose the shown book again after what it is made of was changed. */
    refresh: () => {
      if (books.length > 0) begin(false);
    },
  };
}

export type BookState = ReturnType<typeof useBook>;

/** Runs the last scheduled function after a delay, unless the component is gone by then. */
function useDelay(delay: number) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const cancel = () => clearTimeout(timer.current);
  useEffect(() => cancel, []);
  return {
    cancel,
    schedule: (run: () => void) => {
      cancel();
      timer.current = setTimeout(run, delay);
    },
  };
}

/** Retry a failed version, and mark a completed one as printed. */
export function useBookChange(orderNumber: string) {
  const { t } = useLanguage();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ book, isPrinted }: { book: Book; isPrinted?: boolean }) =>
      isPrinted === undefined
        ? retryBook(orderNumber, book.version)
        : markPrinted(orderNumber, book.version, isPrinted),
    onSuccess: (book) => putBook(queries, orderNumber, book),
    onError: (error) => {
      showToast(failureSentence(error, t), "bad");
      void queries.invalidateQueries({ queryKey: bookKey(orderNumber) });
    },
  });
}

/** Whether the preflight stopped a book, which may be composed all the same. */
export const isStopped = (error: unknown): boolean =>
  error instanceof ApiError && error.code === "book_has_errors";
