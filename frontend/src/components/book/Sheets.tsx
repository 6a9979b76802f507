import { useLanguage } from "@/i18n/context";
import type { Book } from "@/lib/bookApi";
import { pageSize } from "@/lib/bookOptions";
import { cn } from "@/lib/cn";

/** The sheets of a version as they are printed, without copies. `isOld`: another version is being composed. */
export function Sheets({ book, isOld }: { book: Book; isOld: boolean }) {
  const { t } = useLanguage();
  const [width, height] = pageSize(book.options);
  return (
    <ol
      aria-label={t("book.sheets.label", { version: book.version })}
      aria-busy={isOld}
      className={cn(
        "grid grid-cols-[repeat(auto-fill,minmax(min(100%,max(10.5rem,min(14vw,22rem))),1fr))] gap-x-5 gap-y-6 transition-opacity",
        isOld && "opacity-45",
      )}
    >
      {book.previews.map((url, index) => (
        <li key={url} className="min-w-0">
          <img
            src={url}
            alt={t("book.sheet", { place: index + 1 })}
            loading="lazy"
            width={Math.round(width)}
            height={Math.round(height)}
            className="h-auto w-full bg-white shadow-card outline outline-line dark:brightness-90"
          />
          <p aria-hidden className="mt-1.5 text-center text-xs text-mute tabular-nums">
            {index + 1}
          </p>
        </li>
      ))}
    </ol>
  );
}
