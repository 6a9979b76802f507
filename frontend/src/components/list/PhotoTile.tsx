import { useEffect, useState } from "react";
import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";

interface PhotoTileProps {
  photo: File;
  /** The sent fraction, 0 to 1; null before sending. */
  progress: number | null;
  /** Why it could not be stored. */
  reason?: string | undefined;
  /** What is going on, while there is no reason. */
  note?: string | undefined;
  onRetry?: (() => void) | undefined;
  onRemove?: (() => void) | undefined;
}

/** A preview of the file if the browser can decode it; most cannot decode HEIC. */
function usePreview(photo: File): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(photo);
    // Object URLs must be revoked: one is created for each file and revoked when the file changes.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [photo]);
  return url;
}

interface ReasonProps {
  name: string;
  text: string;
  onRetry: (() => void) | undefined;
}

/** The file's name, and why it could not be stored. */
function Reason({ name, text, onRetry }: ReasonProps) {
  const { t } = useLanguage();
  return (
    <div
      role="status"
      className="absolute inset-0 flex flex-col gap-1 overflow-y-auto bg-bad-soft p-2.5 pr-9 text-[12px] leading-snug text-bad"
    >
      {/* Aligned to the bottom by its margin, so that an overflow can be scrolled. */}
      <b className="mt-auto line-clamp-2 shrink-0 break-all">{name}</b>
      <span>{text}</span>
      {onRetry && (
        <button
          type="button"
          className="button button-small mt-1 shrink-0 self-start text-ink"
          aria-label={t("uploads.retry", { name })}
          onClick={onRetry}
        >
          {t("action.retry")}
        </button>
      )}
    </div>
  );
}

/** A chosen photo with the progress of its upload. */
export function PhotoTile({ photo, progress, reason, note, onRetry, onRemove }: PhotoTileProps) {
  const { t } = useLanguage();
  const url = usePreview(photo);
  const [isUnshown, setUnshown] = useState(false);
  const name = photo.name;
  return (
    <li className="group relative aspect-square overflow-hidden rounded-xl bg-soft" title={name}>
      {url && !isUnshown && (
        <img src={url} alt={name} onError={() => setUnshown(true)} className="size-full object-cover" />
      )}
      {isUnshown && !reason && (
        <span className="grid size-full place-content-center justify-items-center gap-1.5 p-2.5 text-center text-[12px] text-mute">
          <Icon name="photo" className="size-5" />
          <span className="line-clamp-3 break-all">{name}</span>
        </span>
      )}
      {reason && <Reason name={name} text={reason} onRetry={onRetry} />}
      {onRemove && (
        <button
          type="button"
          aria-label={t("upload.remove", { name })}
          onClick={onRemove}
          className="absolute top-1 right-1 grid size-7 place-items-center rounded-full bg-[#1d1b18]/70 text-white"
        >
          <Icon name="close" className="size-3.5" />
        </button>
      )}
      {note && (
        <p className="absolute inset-x-2 bottom-5 rounded-md bg-[#1d1b18]/75 px-2 py-1 text-center text-[12px] leading-snug text-white">
          {note}
        </p>
      )}
      {progress !== null && (
        <div
          role="progressbar"
          aria-label={t("upload.progress", { name })}
          aria-valuenow={Math.round(progress * 100)}
          className="absolute inset-x-2 bottom-2 h-1.5 overflow-hidden rounded-full bg-[#1d1b18]/60"
        >
          <i
            className="block h-full origin-left bg-white transition-transform"
            style={{ transform: `scaleX(${progress})` }}
          />
        </div>
      )}
    </li>
  );
}
