import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import type { Finding } from "@/lib/bookApi";
import { cn } from "@/lib/cn";
import { failureSentence } from "@/lib/failure";
import { bySeverity, findingSentence } from "./findings";
import type { BookState } from "./useBook";

interface PreflightProps {
  preflight: BookState["preflight"];
  onJump: (elementId: string) => void;
}

/** What is wrong with the book, errors first, each with a jump to its photo or item. */
export function Preflight({ preflight, onJump }: PreflightProps) {
  const { t } = useLanguage();
  const { data: found, error } = preflight;
  return (
    <section aria-labelledby="book-preflight">
      <h3 id="book-preflight" className="text-[13px] font-medium text-mute">
        {t("book.preflight")}
      </h3>
      <div aria-live="polite" className="mt-1.5">
        {error && (
          <div role="alert" className="rounded-[10px] bg-bad-soft px-3 py-2 text-[13px] text-bad">
            <p>{failureSentence(error, t)}</p>
            <button
              type="button"
              className="button button-small mt-2"
              onClick={() => void preflight.refetch()}
            >
              {t("action.retry")}
            </button>
          </div>
        )}
        {!error && found === undefined && (
          <p className="animate-breathe text-[13px] text-mute">{t("book.checking")}</p>
        )}
        {found?.findings.length === 0 && (
          <p className="flex items-center gap-2 text-[13px] text-ok">
            <Icon name="check" />
            {t("book.fine")}
          </p>
        )}
        {found && found.findings.length > 0 && (
          <ul className="grid gap-1.5">
            {bySeverity(found.findings).map((finding) => (
              <FindingRow
                key={`${finding.code} ${finding.line_item_id} ${finding.image_id}`}
                finding={finding}
                onJump={onJump}
              />
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

function FindingRow({ finding, onJump }: { finding: Finding; onJump: (elementId: string) => void }) {
  const { t } = useLanguage();
  const { severity, image_id: image, line_item_id: item } = finding;
  const target = image !== null ? `image-${image}` : item !== null ? `item-${item}` : null;
  const sentence = findingSentence(finding, t);
  return (
    <li
      data-finding={finding.code}
      className={cn(
        "rounded-[10px] px-3 py-2 text-[13px]",
        severity === "error" ? "bg-bad-soft text-bad" : "bg-soft text-ink",
      )}
    >
      <b className="font-semibold">{t(`book.severity.${severity}`)}</b> {sentence}
      {target !== null && (
        <button
          type="button"
          className="mt-1 block font-medium underline underline-offset-4"
          aria-label={`${t(image !== null ? "book.jump.image" : "book.jump.item")}: ${sentence}`}
          onClick={() => onJump(target)}
        >
          {t(image !== null ? "book.jump.image" : "book.jump.item")}
        </button>
      )}
    </li>
  );
}
