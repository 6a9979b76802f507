import { Link } from "react-router";
import { ConfirmButton } from "@/components/ConfirmButton";
import { FailureText } from "@/components/FailureText";
import { ForOperators } from "@/components/session/ForOperators";
import { useNow } from "@/hooks/useNow";
import { useLanguage, type Translate } from "@/i18n/context";
import type { DeadLetter } from "@/lib/api";
import { letterKind } from "@/lib/system";
import { when } from "@/lib/when";

interface LetterRowProps {
  letter: DeadLetter;
  /** Why requeueing or dismissing it failed. */
  refusal: string | undefined;
  busy: boolean;
  onRequeue: () => void;
  onDismiss: () => void;
}

/** Description of a dead letter's job; its subject if the kind is unknown. */
function describeLetter(letter: DeadLetter, t: Translate): string {
  const kind = letterKind(letter);
  return kind === null ? letter.subject : t(`system.letter.${kind}`);
}

function About({ letter }: { letter: DeadLetter }) {
  const { t } = useLanguage();
  const { order_number: number, image_id: image, version_id: version } = letter;
  const ids = [
    image != null && t("system.letter.image", { id: String(image) }),
    version != null && t("system.letter.version", { id: String(version) }),
  ].filter(Boolean);
  return (
    <div className="min-w-0">
      <div className="font-medium break-words">{describeLetter(letter, t)}</div>
      <div className="flex flex-wrap gap-x-2 text-[13px] text-mute">
        {number != null && (
          <Link
            to={`/orders/${encodeURIComponent(number)}`}
            className="text-ink underline decoration-line underline-offset-2 hover:decoration-ink"
          >
            {t("system.letter.order", { number })}
          </Link>
        )}
        <span>{ids.join(" · ")}</span>
      </div>
    </div>
  );
}

function Reason({ letter, refusal }: Pick<LetterRowProps, "letter" | "refusal">) {
  return (
    <div className="min-w-0 md:max-lg:order-2">
      <FailureText failure={letter} />
      <code className="block text-xs break-all text-mute">{letter.code}</code>
      {refusal !== undefined && (
        <p role="alert" className="mt-1 rounded-lg bg-bad-soft px-2.5 py-1.5 text-[13px] text-bad">
          {refusal}
        </p>
      )}
    </div>
  );
}

function When({ letter }: { letter: DeadLetter }) {
  const { t, language } = useLanguage();
  const now = useNow();
  return (
    <div className="text-[13px] text-mute tabular-nums md:max-lg:order-last md:max-lg:text-right">
      {letter.at != null && <time dateTime={letter.at}>{when(letter.at, now, language)}</time>}
      {letter.attempt != null && (
        <div className="max-md:inline max-md:before:content-['_·_']">
          {t("system.letter.attempt", { count: letter.attempt })}
        </div>
      )}
    </div>
  );
}

function Actions({ letter, busy, onRequeue, onDismiss }: Omit<LetterRowProps, "refusal">) {
  const { t } = useLanguage();
  const about = [
    describeLetter(letter, t),
    letter.order_number != null && t("system.letter.order", { number: letter.order_number }),
  ];
  const what = about.filter(Boolean).join(", ");
  return (
    <div className="flex gap-2 md:justify-end md:max-lg:order-1">
      <button
        type="button"
        className="button button-small"
        aria-label={t("system.letter.requeue.label", { what })}
        disabled={busy}
        onClick={onRequeue}
      >
        {t("system.letter.requeue")}
      </button>
      <ConfirmButton
        text={t("system.letter.dismiss")}
        label={t("system.letter.dismiss.label", { what })}
        title={t("system.letter.dismiss.title")}
        question={t("system.letter.dismiss.text", { what })}
        confirm={t("system.letter.dismiss")}
        keep={t("system.keep")}
        danger
        disabled={busy}
        className="button button-small text-mute hover:text-bad"
        onConfirm={onDismiss}
      />
    </div>
  );
}

/** A dead letter: its job, reason and time, and the actions. */
export function LetterRow({ letter, refusal, busy, onRequeue, onDismiss }: LetterRowProps) {
  return (
    <li
      data-letter={letter.sequence}
      className="grid gap-x-5 gap-y-2 px-4 py-3 md:grid-cols-[minmax(0,1fr)_auto] md:items-start lg:grid-cols-[minmax(12rem,1fr)_minmax(0,1.8fr)_6.5rem_auto]"
    >
      <About letter={letter} />
      <Reason letter={letter} refusal={refusal} />
      <When letter={letter} />
      <ForOperators>
        <Actions letter={letter} busy={busy} onRequeue={onRequeue} onDismiss={onDismiss} />
      </ForOperators>
    </li>
  );
}
