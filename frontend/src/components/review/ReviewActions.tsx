import { useLanguage } from "@/i18n/context";
import { cn } from "@/lib/cn";
import { REVIEW_PRESETS, type ReviewCommands, type ReviewPreset } from "./useReviewKeys";

interface ReviewActionsProps {
  commands: ReviewCommands;
  presets: readonly ReviewPreset[];
  /** Version of the page that would be approved; undefined if there is none. */
  version: number | undefined;
  /** Whether the image is approved: then only to go on, or to lift the approval. */
  isApproved: boolean;
  canSendBack: boolean;
  canUndo: boolean;
  onLift: () => void;
}

/** The buttons below the pictures, each with its key. */
export function ReviewActions(props: ReviewActionsProps) {
  const { commands, presets, version, isApproved, canSendBack, canUndo, onLift } = props;
  const { t } = useLanguage();
  const offered = REVIEW_PRESETS.filter(({ preset }) => presets.includes(preset));
  return (
    <footer className="flex shrink-0 flex-wrap items-center justify-between gap-2 px-2 py-2 sm:px-4">
      <div className="flex flex-wrap items-center gap-2 max-sm:w-full max-sm:justify-between">
        {!isApproved && offered.length > 0 && (
          <span aria-hidden className="text-[13px] text-mute max-lg:hidden">
            {t("review.make.label")}
          </span>
        )}
        {!isApproved &&
          offered.map(({ key, preset }) => (
            <Act key={key} keys={key} label={t("review.make.label")} act={() => commands.make(preset)}>
              {t(`detail.preset.${preset}`)}
            </Act>
          ))}
        <Act keys="u" disabled={!canUndo} act={commands.undo}>
          {t("review.undo")}
        </Act>
      </div>
      <div className="flex flex-wrap items-center gap-2 max-sm:w-full">
        {isApproved ? (
          <>
            <Act act={onLift}>{t("review.lift")}</Act>
            <Act keys="Enter" isPrimary act={commands.approve}>
              {t("review.goOn")}
            </Act>
          </>
        ) : (
          <>
            <Act keys="x" disabled={!canSendBack} act={commands.sendBack}>
              {t("review.sendBack")}
            </Act>
            <Act keys="Enter" isPrimary disabled={version === undefined} act={commands.approve}>
              {version === undefined ? t("review.approved.none") : t("review.approve", { version })}
            </Act>
          </>
        )}
      </div>
    </footer>
  );
}

interface ActProps {
  act: () => void;
  children: string;
  keys?: string;
  /** What the text belongs to, for screen readers and as a tooltip. */
  label?: string;
  isPrimary?: boolean;
  disabled?: boolean;
}

/** A button that leaves the focus where it is: Enter must approve, not press it again. */
function Act({ act, children, keys, label, isPrimary = false, disabled = false }: ActProps) {
  return (
    <button
      type="button"
      className={cn("button max-md:h-11", isPrimary && "button-primary max-sm:flex-1")}
      title={label && `${label}: ${children}`}
      disabled={disabled}
      onMouseDown={(event) => event.preventDefault()}
      onClick={act}
    >
      {label && <span className="sr-only">{`${label}: `}</span>}
      {children}
      {keys && (
        <kbd className="hidden md:inline" aria-hidden>
          {keys === "Enter" ? "⏎" : keys}
        </kbd>
      )}
    </button>
  );
}
