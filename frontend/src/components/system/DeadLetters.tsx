import { useLayoutEffect, useRef } from "react";
import { ConfirmButton } from "@/components/ConfirmButton";
import { Icon } from "@/components/Icon";
import { ForOperators } from "@/components/session/ForOperators";
import { useDeadLetters } from "@/hooks/useDeadLetters";
import { useLanguage } from "@/i18n/context";
import type { SystemState } from "@/lib/api";
import { cn } from "@/lib/cn";
import { LetterRow } from "./LetterRow";
import { CARD, Section } from "./Section";
import { Unavailable } from "./Unavailable";

function None() {
  const { t } = useLanguage();
  return (
    <div className={cn(CARD, "flex items-center gap-3 px-4 py-5")}>
      <Icon name="check" className="size-[18px] shrink-0 text-ok" />
      <p>
        {t("system.letters.none")}. <span className="text-mute">{t("system.letters.none.text")}</span>
      </p>
    </div>
  );
}

/** Focuses the heading when the row with the focus is removed. */
function useHeadingFocus(rows: number) {
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(rows);
  useLayoutEffect(() => {
    if (rows < before.current && document.activeElement === document.body)
      heading.current?.focus({ preventScroll: true });
    before.current = rows;
  }, [rows]);
  return heading;
}

/** The dead letters, with buttons to requeue or dismiss them. */
export function DeadLetters({ letters }: { letters: SystemState["dead_letters"] }) {
  const { t } = useLanguage();
  const { busy, refusals, requeue, dismiss, requeueAll } = useDeadLetters();
  const { count, newest } = letters ?? { count: 0, newest: [] };
  const heading = useHeadingFocus(newest.length);
  const all = count > 1 && (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
      {count > newest.length && (
        <span className="text-[13px] text-mute tabular-nums">
          {t("system.letters.newest", { shown: newest.length, count })}
        </span>
      )}
      <ForOperators>
        <ConfirmButton
          text={t("system.letters.requeueAll")}
          title={t("system.letters.requeueAll.title", { count })}
          question={t("system.letters.requeueAll.text")}
          confirm={t("system.letters.requeueAll")}
          keep={t("action.cancel")}
          disabled={busy}
          className="button button-small"
          onConfirm={() => void requeueAll()}
        />
      </ForOperators>
    </div>
  );
  return (
    <Section id="letters" title={t("system.letters")} aside={all} heading={heading}>
      {letters === null && <Unavailable />}
      {letters !== null && newest.length === 0 && <None />}
      {newest.length > 0 && (
        <ul className={cn(CARD, "divide-y divide-line")}>
          {newest.map((letter) => (
            <LetterRow
              key={letter.sequence}
              letter={letter}
              refusal={refusals.get(letter.sequence)}
              busy={busy}
              onRequeue={() => void requeue(letter)}
              onDismiss={() => void dismiss(letter)}
            />
          ))}
        </ul>
      )}
    </Section>
  );
}
