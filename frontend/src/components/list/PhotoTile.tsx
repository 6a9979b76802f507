import { useEffect, useState } from "react";
import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import { failureText } from "@/i18n/failures";
import type { Failure } from "@/types";

interface PhotoTileProps {
  photo: File;
  /** The sent fraction, 0 to 1; null before sending. */
  progress: number | null;
  /** Why the API rejected it. */
  refusal?: Failure | undefined;
  /** Absent once the order is created. */
  onRemove?: () => void;
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

/** The file's name and why it was rejected, in the reader's language. */
function Refusal({ name, failure }: { name: string; failure: Failure }) {
  const { language } = useLanguage();
  return (
    <div className="absolute inset-0 flex flex-col gap-1 overflow-y-auto bg-bad-soft p-2.5 pr-9 text-[12px] leading-snug text-bad">
      {/* Aligned to the bottom by its margin, so that an overflow can be scrolled. */}
      <b className="mt-auto line-clamp-2 shrink-0 break-all">{name}</b>
      <span>{failureText(failure, language).sentence}</span>
    </div>
  );
}

/** A photo of the new order with its upload progress. */
export function PhotoTile({ photo, progress, refusal, onRemove }: PhotoTileProps) {
  const { t } = useLanguage();
  const url = usePreview(photo);
  const [isUnshown, setUnshown] = useState(false);
  const name = photo.name;
  return (
    <li className="group relative aspect-square overflow-hidden rounded-xl bg-soft" title={name}>
      {url && !isUnshown && (
        <img src={url} alt={name} onError={() => setUnshown(true)} className="size-full object-cover" />
      )}
      {isUnshown && !refusal && (
        <span className="grid size-full place-content-center justify-items-center gap-1.5 p-2.5 text-center text-[12px] text-mute">
          <Icon name="photo" className="size-5" />
          <span className="line-clamp-3 break-all">{name}</span>
        </span>
      )}
      {refusal && progress === null && <Refusal name={name} failure={refusal} />}
      {progress === null ? (
        onRemove && (
          <button
            type="button"
            aria-label={t("upload.remove", { name })}
            onClick={onRemove}
            className="absolute top-1 right-1 grid size-7 place-items-center rounded-full bg-[#1d1b18]/70 text-white"
          >
            <Icon name="close" className="size-3.5" />
          </button>
        )
      ) : (
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
