import { useEffect, useState } from "react";
import { Icon } from "@/components/Icon";
import { useLanguage } from "@/i18n/context";
import { failureText } from "@/i18n/failures";
import type { Failure } from "@/types";

interface PhotoTileProps {
  photo: File;
  /** The share sent, 0 to 1; null before sending. */
  progress: number | null;
  /** Why the API refused it. */
  refusal?: Failure | undefined;
  /** Not there once the order is made. */
  onRemove?: () => void;
}

function usePreview(photo: File): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(photo);
    // The URL is a resource of the browser: it is made and given back in step with the file.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [photo]);
  return url;
}

/** Which file it is and what is wrong with it, in the reader's language. */
function Refusal({ name, failure }: { name: string; failure: Failure }) {
  const { language } = useLanguage();
  return (
    <div className="absolute inset-0 flex flex-col justify-end gap-1 overflow-y-auto bg-bad-soft p-2.5 pr-9 text-[12px] leading-snug text-bad">
      <b className="break-words">{name}</b>
      <span>{failureText(failure, language).sentence}</span>
    </div>
  );
}

/** A photo that will be part of the new order, with how much of it has been sent. */
export function PhotoTile({ photo, progress, refusal, onRemove }: PhotoTileProps) {
  const { t } = useLanguage();
  const url = usePreview(photo);
  const name = photo.name;
  return (
    <li className="group relative aspect-square overflow-hidden rounded-xl bg-soft" title={name}>
      {url && <img src={url} alt={name} className="size-full object-cover" />}
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
